"""Which files are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from flowstrand.errors import ConfigurationError

_SKIPPED = frozenset({"__pycache__", "node_modules", "venv", "build", "dist", "site-packages"})
"""Directories that hold nobody's own code; hidden ones are skipped as well."""


def source_files(paths: Iterable[Path], *, exclude: Iterable[str] = (), root: Path = Path()) -> Iterator[Path]:
    """Files as they are named, and every `*.py` within directories, each once, sorted.

    Args:
        paths: files and directories.
        exclude: patterns such as `tests` or `*/generated/*.py`, relative to `root`; a file named in `paths` is never excluded.
        root: what the patterns are relative to.

    Raises:
        ConfigurationError: there is no such path.
    """
    patterns = tuple(exclude)
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise ConfigurationError(f"there is no {str(path)!r}")
        for file in _within(path, patterns, root.resolve()) if path.is_dir() else (path,):
            if (resolved := file.resolve()) not in seen:
                seen.add(resolved)
                yield file


def _within(directory: Path, patterns: tuple[str, ...], root: Path) -> Iterator[Path]:
    for entry in sorted(directory.iterdir()):
        if entry.name.startswith(".") or entry.name in _SKIPPED or _is_excluded(entry, patterns, root):
            continue
        if entry.is_dir():
            yield from _within(entry, patterns, root)
        elif entry.suffix == ".py":
            yield entry


def _is_excluded(entry: Path, patterns: tuple[str, ...], root: Path) -> bool:
    resolved = entry.resolve()
    relative = resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else resolved.as_posix()
    return any(fnmatch(relative, pattern.rstrip("/")) for pattern in patterns)
