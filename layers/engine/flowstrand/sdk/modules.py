"""Modules that a person names: `FILE.py`, or `package.module`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from flowstrand.errors import ConfigurationError


def load_module(target: str) -> ModuleType:
    """The module of a file, or of this name. A file's directory, and for a name the current one, are importable afterwards.

    Raises:
        ConfigurationError: there is none.
    """
    return _load_file(Path(target)) if target.endswith(".py") else _import_module(target)


def _load_file(path: Path) -> ModuleType:
    resolved = path.resolve()
    if not resolved.is_file():
        raise ConfigurationError(f"there is no file {str(path)!r}")
    _make_importable(resolved.parent)
    if _is_importable_as(resolved.stem, resolved):
        return importlib.import_module(resolved.stem)
    return _execute(resolved, f"flowstrand_app_{resolved.stem}")


def _is_importable_as(name: str, file: Path) -> bool:
    """Whether `import name` gives this file, rather than nothing or something else of the same name."""
    try:
        spec = importlib.util.find_spec(name) if name.isidentifier() else None
    except ValueError:
        return False
    return spec is not None and spec.origin == str(file)


def _execute(file: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{str(file)!r} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic resolve annotations through it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import_module(name: str) -> ModuleType:
    _make_importable(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there; something that it imports is not
        raise ConfigurationError(f"there is no module {name!r} (from {str(Path.cwd())!r})") from error
    except (ValueError, TypeError) as error:
        if all(part.isidentifier() for part in name.split(".")):
            raise
        raise ConfigurationError(f"{name!r} is not the name of a module; a file ends in .py") from error


def _make_importable(directory: Path) -> None:
    """Last, so that nothing installed is shadowed."""
    if str(directory) not in sys.path:
        sys.path.append(str(directory))
