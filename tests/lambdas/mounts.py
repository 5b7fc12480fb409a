"""What Lambda puts into a function's file system: its code, its layers, the runtime; in folders, and nothing of this environment.

A handler started on them imports what it would import in Lambda and fails on what it would fail on: `/var/task` holds
`functions/<name>` alone, `/opt/python` the layers that `template.yaml` names for it, `/var/runtime` boto3 and the runtime client.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path

from tests.unit.template import ROOT

_RUNTIME = (3, 13)
_REQUIREMENTS = ROOT / "layers" / "dependencies" / "requirements.txt"
_BOOTSTRAP = """\
import sys
from awslambdaric.__main__ import main
main([sys.argv[0], *sys.argv[1:]])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python that has nothing installed beside its own library, as far as its processes are told."""

    path: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounts:
    """The three places that a function's process imports from."""

    task: Path
    opt: Path
    runtime: Path


@cache
def interpreter() -> Interpreter:
    """The runtime's Python (`PYTHON313`, or what is found), else the one that this environment was made with."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    named = [os.environ.get("PYTHON313"), shutil.which("python3.13"), *pyenv.glob("3.13*/bin/python3.13")]
    for candidate in filter(None, named):
        if _version(str(candidate)) == _RUNTIME:
            return Interpreter(path=str(candidate), version="{}.{}".format(*_RUNTIME))
    base: str = sys._base_executable  # type: ignore[attr-defined]  # typeshed leaves it out
    return Interpreter(path=base, version="{}.{}".format(*sys.version_info[:2]))


def mounts(function: str, layers: list[str], folder: Path, extra: Path | None) -> Mounts:
    """The folders of one function, made in `folder`.

    Args:
        layers: names of folders in `layers/`.
        extra: another folder of modules that are a layer, too.
    """
    dependencies, runtime = _installed()
    task, opt = folder / "task", folder / "opt"
    code = task / "functions" / function
    shutil.copytree(ROOT / "functions" / function, code, ignore=shutil.ignore_patterns("__pycache__"))
    python = opt / "python"
    python.mkdir(parents=True)
    sources = [dependencies if name == "dependencies" else ROOT / "layers" / name for name in layers]
    for source in [*sources, *([extra] if extra is not None else [])]:
        for entry in source.iterdir():
            if entry.name != "__pycache__" and not (python / entry.name).exists():
                (python / entry.name).symlink_to(entry)
    return Mounts(task=task, opt=opt, runtime=runtime)


@cache
def _installed() -> tuple[Path, Path]:
    """The dependencies' layer and the runtime, installed for the interpreter once for each lock."""
    python = interpreter()
    pinned = hashlib.sha256((ROOT / "uv.lock").read_bytes() + _REQUIREMENTS.read_bytes()).hexdigest()[:12]
    base = Path(sys.prefix) / f"lambda-{python.version}-{pinned}"
    dependencies, runtime = base / "dependencies", base / "runtime"
    if not base.exists():
        partial = base.with_name(f"{base.name}.{os.getpid()}")
        _install(partial / "dependencies", "--require-hashes", "--requirement", str(_REQUIREMENTS))
        constraints = partial / "constraints.txt"
        constraints.write_text("".join(f"{one.name}=={one.version}\n" for one in distributions()))
        _install(partial / "runtime", "--constraint", str(constraints), "awslambdaric", "boto3")
        (partial / "runtime" / "bootstrap.py").write_text(_BOOTSTRAP)
        try:
            partial.rename(base)
        except OSError:  # another process was faster
            shutil.rmtree(partial)
    return dependencies, runtime


def client_version() -> str:
    """The runtime client's, which the lock pins."""
    return version("awslambdaric")


def _install(target: Path, *what: str) -> None:
    uv = [str(Path(sys.prefix) / "bin" / "uv"), "pip", "install", "--quiet", "--no-python-downloads"]
    environment = {**os.environ, "VIRTUAL_ENV": ""}
    if "PIP_INDEX_URL" in os.environ:
        environment.setdefault("UV_DEFAULT_INDEX", os.environ["PIP_INDEX_URL"])
    if "PIP_CERT" in os.environ:
        environment.setdefault("SSL_CERT_FILE", os.environ["PIP_CERT"])
    command = [*uv, "--python", interpreter().path, "--target", str(target), *what]
    subprocess.run(command, env=environment, check=True)


def _version(python: str) -> tuple[int, int] | None:
    """None where nothing runs under that name: a version manager's shim may lead nowhere."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        told = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor = told.split()
    return int(major), int(minor)
