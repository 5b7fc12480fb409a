"""`[tool.flowstrand.lint]` in pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError

_FILE = "pyproject.toml"
_TABLE = "[tool.flowstrand.lint]"
_KEYS = frozenset({"select", "ignore", "exclude"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a project says of its lint.

    Attributes:
        select: ids of rules, or their beginnings; empty for those on by default.
        ignore: the same, switched off.
        exclude: patterns of paths, relative to `root`, that are not looked into.
        root: where pyproject.toml is, or the current directory.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    root: Path = Path()


def configuration_near(directory: Path) -> Configuration:
    """What the nearest pyproject.toml says, from `directory` upwards; the defaults if there is none.

    Raises:
        ConfigurationError: it cannot be read, or says what is not known here.
    """
    resolved = directory.resolve()
    for root in (resolved, *resolved.parents):
        if (root / _FILE).is_file():
            return _read(root / _FILE)
    return Configuration(root=resolved)


def _read(file: Path) -> Configuration:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from error
    table = document.get("tool", {}).get("flowstrand", {}).get("lint", {})
    if unknown := sorted(table.keys() - _KEYS):
        raise ConfigurationError(
            f"{file}: {_TABLE} has no {', '.join(unknown)}: it has {', '.join(sorted(_KEYS))}"
        )
    for key, value in table.items():
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigurationError(f"{file}: {key} in {_TABLE} is a list of strings")
    return Configuration(root=file.parent, **{key: tuple(value) for key, value in table.items()})
