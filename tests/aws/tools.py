"""SAM CLI and the emulator, each in an environment of its own under `.venv`, made when it is first needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAM = "aws-sam-cli==1.170.0"
MINISTACK = "ministack[full]==1.5.33"
_UV = ROOT / ".venv" / "bin" / "uv"
_RUNTIME = (3, 13)
_INHERITED = {
    "SSL_CERT_FILE": "PIP_CERT",
    "UV_DEFAULT_INDEX": "PIP_INDEX_URL",
    "UV_HTTP_TIMEOUT": "PIP_DEFAULT_TIMEOUT",
}
"""What uv reads, and where whoever has configured pip has said it already."""


class ToolMissing(Exception):
    """A tool cannot be had here."""


def installed(name: str, requirement: str, python: str) -> Path:
    """The folder of an environment's programs that has `requirement`, and pip, for `python`; made if there is none.

    Raises:
        ToolMissing: the package index has it not, or not for this Python.
    """
    folder = ROOT / ".venv" / name
    stamp, wanted = folder / ".installed", f"{requirement} for {python}"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"--- installing {requirement} into .venv/{name}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--quiet", "--seed", "--python", python, str(folder))
        _uv("pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), requirement)
        stamp.write_text(wanted, encoding="utf-8")
    return folder / "bin"


def functions_python() -> tuple[str, str]:
    """A Python for functions that run on this machine, and the name of Lambda's runtime that it is.

    That of the template where there is one: $PYTHON313, one on the PATH, a version manager's, or one that uv knows; else the one
    that runs this.
    """
    for candidate in _candidates():
        if _version(candidate) == _RUNTIME:
            return candidate, "python{}.{}".format(*_RUNTIME)
    name = "python{}.{}".format(*sys.version_info[:2])
    # The one that .venv was made from, where that is found, so that what is made from it does not depend on .venv.
    base = Path(sys.base_prefix) / "bin" / name
    return str(base if base.exists() else sys.executable), name


def _candidates() -> Iterator[str]:
    given = os.environ.get("PYTHON313")
    if given:
        yield given
    yield "python3.13"
    yield sys.executable
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from (str(path) for path in sorted(versions.glob("3.13*/bin/python3.13")))
    found = subprocess.run(
        [str(_UV), "python", "find", "--no-python-downloads", "3.13"], capture_output=True, check=False, text=True
    )
    yield found.stdout.strip()


def _version(python: str) -> tuple[int, ...]:
    """Of an interpreter; none of what is none, such as a version manager's shim that leads nowhere."""
    try:
        said = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(int(part) for part in said.split())


def _uv(*arguments: str) -> None:
    environment = {name: os.environ[pip] for name, pip in _INHERITED.items() if os.environ.get(pip)} | dict(
        os.environ
    )
    environment |= {"UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": ""}
    ended = subprocess.run([str(_UV), *arguments], env=environment, check=False)
    if ended.returncode != 0:
        raise ToolMissing(f"`uv {' '.join(arguments)}` failed; is the package index reachable?")
