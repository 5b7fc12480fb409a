"""`sam build` and `sam deploy`, as a person runs them, on a copy of the template."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.aws.template_copy import TemplateCopy
from tests.aws.tools import ROOT

FOLDER = ROOT / ".aws-sam" / "e2e"
BUILT = FOLDER / "build"


class SamFailed(Exception):
    """SAM CLI ended with an error; what it said is the message."""


class Sam:
    """SAM CLI, in an environment that has the functions' Python on its path.

    Attributes:
        python: that Python.
    """

    def __init__(self, programs: Path, python: Path, environment: Mapping[str, str]) -> None:
        """`programs`: the folder SAM CLI is in; `python`: that of the functions' Python, and its pip."""
        path = os.pathsep.join([str(python), str(programs), os.environ["PATH"]])
        self._sam = programs / "sam"
        self.python = python / "python"
        self._environment = {
            **os.environ,
            "SAM_CLI_TELEMETRY": "0",
            "PIP_NO_DEPS": "1",
            **environment,
            "PATH": path,
        }

    def build(self, copy: TemplateCopy) -> None:
        """Build every function and layer into `BUILT`."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        source = FOLDER / "template.json"
        source.write_text(json.dumps(copy.document, indent=1), encoding="utf-8")
        self._run(
            *("build", "--template-file", str(source), "--base-dir", str(ROOT), "--build-dir", str(BUILT)),
            # Not from a cache: what a build leaves there that failed, the next one takes for whole.
            *("--no-cached", "--parallel"),
        )

    def deploy(self, stack: str) -> None:
        """Deploy what was built, and wait for it."""
        self._run(
            *("deploy", "--template-file", str(BUILT / "template.yaml"), "--stack-name", stack, "--resolve-s3"),
            *("--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"),
            "--no-progressbar",
        )

    def _run(self, *arguments: str) -> None:
        # Elsewhere than at the root: samconfig.toml is about the stack that a person deploys.
        ended = subprocess.run(
            [str(self._sam), *arguments],
            cwd=FOLDER,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        (FOLDER / f"{arguments[0]}.log").write_text(ended.stdout, encoding="utf-8")
        if ended.returncode != 0:
            raise SamFailed(f"sam {arguments[0]} failed:\n" + "\n".join(ended.stdout.splitlines()[-40:]))
