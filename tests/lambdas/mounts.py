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
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path

from tests.unit.template import ROOT

_RUNTIME = (3, 13)
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
    task, opt = folder / "task", folder / "opt"
    code = task / "functions" / function
    shutil.copytree(ROOT / "functions" / function, code, ignore=shutil.ignore_patterns("__pycache__"))
    python = opt / "python"
    python.mkdir(parents=True)
    for source in [*map(_built, layers), *([extra] if extra is not None else [])]:
        for entry in source.iterdir():
            if entry.name != "__pycache__" and not (python / entry.name).exists():
                (python / entry.name).symlink_to(entry)
    return Mounts(task=task, opt=opt, runtime=_runtime())


def _built(layer: str) -> Path:
    """A layer as SAM builds it: what its requirements are, else a copy of its folder."""
    folder = ROOT / "layers" / layer
    requirements = folder / "requirements.txt"
    if not requirements.exists():
        return folder

    def install(target: Path) -> None:
        # All that is needed is in the file, but for what the runtime has.
        _install(target, "--no-deps", "--require-hashes", "--requirement", str(requirements))

    return _kept(f"layer-{layer}", requirements.read_bytes(), install)


def _runtime() -> Path:
    """What Lambda brings, in the versions that the lock has."""

    def install(target: Path) -> None:
        constraints = target.with_name(f"{target.name}-constraints.txt")
        constraints.write_text("".join(f"{one.name}=={one.version}\n" for one in distributions()))
        _install(target, "--constraint", str(constraints), "awslambdaric", "boto3")
        (target / "bootstrap.py").write_text(_BOOTSTRAP)
        constraints.unlink()

    return _kept("runtime", (ROOT / "uv.lock").read_bytes(), install)


def _kept(what: str, pinned: bytes, install: Callable[[Path], None]) -> Path:
    """A folder that is made once for each interpreter and each version of what it is made by."""
    name = f"lambda-{interpreter().version}-{what}-{hashlib.sha256(pinned).hexdigest()[:12]}"
    made = Path(sys.prefix) / name
    if not made.exists():
        partial = made.with_name(f"{name}.{os.getpid()}")
        install(partial)
        try:
            partial.rename(made)
        except OSError:  # another process was faster
            shutil.rmtree(partial)
    return made


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
