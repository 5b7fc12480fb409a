"""What an operator has set for one org, beside the defaults in `service.settings`: its quotas, and how long its logs are kept.

    org-settings    {org}    one org's numbers, each of which may be missing

Nothing that serves requests writes these rows; `scripts/configure-org` does.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item
from flowstrand.engine.ids import OrgId
from flowstrand.engine.names import is_name
from flowstrand.errors import ConfigurationError
from flowstrand.jsonvalue import JsonObject
from flowstrand.service.lately_read import LatelyRead

if TYPE_CHECKING:
    from flowstrand.service.container import Services

_PARTITION = "org-settings"
_KEPT_MS = 30_000
"""After so long a process looks at a row again."""
_ORGS = 1_024
"""Orgs whose settings a process keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgSettings:
    """Whole numbers; 0 is no limit, None what `Settings` says.

    Attributes:
        open_executions: how many may be open.
        starts_per_s, signals_per_s: how many requests may start or signal an execution, on average.
        burst_s: how many seconds' worth of them may come at once.
        retention_days: how long a log is kept whole after its end.
    """

    open_executions: int | None = None
    starts_per_s: int | None = None
    signals_per_s: int | None = None
    burst_s: int | None = None
    retention_days: int | None = None


class OrgSettingsCache:
    """The settings of orgs that this process has had to do with lately. Thread-safe."""

    def __init__(self) -> None:
        self._known = LatelyRead[OrgId, OrgSettings](kept_ms=_KEPT_MS, capacity=_ORGS)

    def get(self, services: Services, org: OrgId) -> OrgSettings:
        """An org's settings, at most 30 s old.

        Raises:
            StoreUnavailable: the directory cannot say.
        """
        return self._known.get(org, services.clock.now_ms(), lambda: read(services.directory, org))


def read(directory: Directory, org: OrgId) -> OrgSettings:
    """What is set for `org` now."""
    item = directory.get(_PARTITION, org)
    return OrgSettings() if item is None else _parse(item)


def write(directory: Directory, org: str, settings: OrgSettings) -> None:
    """Set all of an org's numbers.

    Raises:
        ConfigurationError: the org's name is none, or a number is negative.
    """
    if not is_name(org):
        raise ConfigurationError(f"{org!r} is not the name of an org")
    row: JsonObject = {}
    for field in fields(OrgSettings):
        value = getattr(settings, field.name)
        if value is not None and value < 0:
            raise ConfigurationError(f"{field.name} is negative: {value}")
        if value is not None:
            row[field.name] = value
    directory.put(_PARTITION, org, row)


def _parse(item: Item) -> OrgSettings:
    found = {field.name: item.data.get(field.name) for field in fields(OrgSettings)}
    return OrgSettings(**{name: value for name, value in found.items() if type(value) is int})
