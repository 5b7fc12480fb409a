"""`Services`: everything that use cases need, composed once per process by an adapter set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory
from flowstrand.errors import ConfigurationError
from flowstrand.log.port import EventLog, LogKey
from flowstrand.log.retention import LogRetention
from flowstrand.payloads.port import PayloadStore
from flowstrand.payloads.transfers import PayloadTransfers
from flowstrand.queues.port import ControlQueue, TaskQueue, Timers
from flowstrand.service.clock import Clock
from flowstrand.service.lookout import Lookouts
from flowstrand.service.org_settings import OrgSettingsCache
from flowstrand.service.presence import Presence
from flowstrand.service.queue_controls import QueueControls
from flowstrand.service.quotas import QuotaMemory
from flowstrand.service.settings import Settings
from flowstrand.service.shared_pages import SharedPages
from flowstrand.service.tickets import NoStreamTickets, StreamTickets
from flowstrand.service.tips import TipCache
from flowstrand.service.turnstile import OpenTurnstile, Turnstile
from flowstrand.service.warm import WarmCache

if TYPE_CHECKING:
    from flowstrand.engine.replay.program import Program
    from flowstrand.service.tokens import LeaseTokens


class Programs(Protocol):
    """The workflow code that this process can run."""

    def program(self, kind: str) -> Program | None:
        """The workflow of this kind, or None if no deployed app has it."""
        ...

    def kinds(self) -> Collection[str]:
        """Every kind it can run."""
        ...


class Changes(Protocol):
    """Tells readers that a log may have grown."""

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        """Return when `key` may have events beyond `after`, or when `timeout_ms` have passed; too early is allowed."""
        ...

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:
        """Return when one of the logs is known to have events beyond the sequence given for it, or when time is up.

        Returns:
            Those that are known to have; none where nothing is known, which does not mean that there are none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One adapter set, its settings and the code it hosts.

    Attributes:
        retention: lets logs expire; only where the janitor runs.
    """

    log: EventLog
    payloads: PayloadStore
    directory: Directory
    control: ControlQueue
    tasks: TaskQueue
    timers: Timers
    clock: Clock
    random_bytes: Callable[[int], bytes]
    programs: Programs
    tokens: LeaseTokens
    changes: Changes
    warm: WarmCache
    settings: Settings
    transfers: PayloadTransfers | None = None
    tickets: StreamTickets = field(default_factory=NoStreamTickets)
    tips: TipCache = field(default_factory=TipCache)
    pages: SharedPages = field(default_factory=SharedPages)
    lookouts: Lookouts = field(default_factory=Lookouts)
    turnstile: Turnstile = field(default_factory=OpenTurnstile)
    org_settings: OrgSettingsCache = field(default_factory=OrgSettingsCache)
    quotas: QuotaMemory = field(default_factory=QuotaMemory)
    retention: LogRetention | None = None
    presence: Presence = field(init=False)
    queues: QueueControls = field(init=False)

    def __post_init__(self) -> None:
        """What remembers, for a moment, what the directory says."""
        object.__setattr__(self, "presence", Presence(self.directory, self.clock))
        object.__setattr__(self, "queues", QueueControls(self.directory, self.clock))


_installed: list[Services] = []


def install(services: Services) -> Callable[[], None]:
    """Make `services` what handlers of this process use; returns how to undo it."""
    _installed.append(services)
    return lambda: _installed.remove(services)


def installed() -> Services | None:
    """What was installed last, if anything."""
    return _installed[-1] if _installed else None


def require() -> Services:
    """The installed services.

    Raises:
        ConfigurationError: none are installed.
    """
    services = installed()
    if services is None:
        raise ConfigurationError("no services are installed in this process")
    return services
