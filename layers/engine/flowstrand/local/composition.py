"""The composition root of the local server: durable stores, and queues, timers and notifications in this process."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory
from flowstrand.engine.ids import OrgId
from flowstrand.local.changes import LocalChanges
from flowstrand.local.fresh_pages import FreshPages
from flowstrand.local.functions import Functions
from flowstrand.local.notifying_log import NotifyingLog
from flowstrand.local.payload_transfers import SignedTransfers, TransferRoute
from flowstrand.local.stop_clock import StopClock
from flowstrand.local.stop_tasks import StopTasks
from flowstrand.local.stores import Stores
from flowstrand.local.table_stream import TableStream
from flowstrand.local.waiter import StopSignal
from flowstrand.queues.in_process import InProcessControlQueue, InProcessTaskQueue
from flowstrand.service import feed
from flowstrand.service.container import Programs, Services
from flowstrand.service.settings import Settings
from flowstrand.service.shared_pages import SharedPages
from flowstrand.service.signing import SigningSecrets
from flowstrand.service.tickets import StreamTickets
from flowstrand.service.tokens import LeaseTokens
from flowstrand.service.turnstile import ThreadTurnstile
from flowstrand.service.warm import WarmCache
from flowstrand.timers.in_process import InProcessTimers


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What handlers use, and the parts of it that somebody must drive."""

    services: Services
    control: InProcessControlQueue
    tasks: StopTasks
    clock: StopClock
    table_stream: TableStream
    stopping: StopSignal
    payload_route: TransferRoute

    def stop_waiting(self) -> None:
        """End every long-poll, stream, sleep and receive of this process."""
        self.stopping.set()
        self.clock.stop()
        self.tasks.stop()
        self.control.close()


def compose(
    stores: Stores,
    functions: Functions,
    programs: Programs,
    *,
    lease_secrets: SigningSecrets,
    ticket_secrets: SigningSecrets,
    settings: Settings,
) -> Composition:
    """One process's services over `stores`."""
    clock = StopClock()
    control = InProcessControlQueue(clock, settings.wake_visibility_ms)
    tasks = StopTasks(InProcessTaskQueue(clock))
    signed = SignedTransfers(lease_secrets.to_sign(), clock)
    changes = LocalChanges()
    table_stream = TableStream(functions, lambda orgs: _announce_feeds(stores.directory, changes, orgs))
    pages = SharedPages()
    log = NotifyingLog(stores.log, [FreshPages(pages, changes).announce, table_stream.publish])
    services = Services(
        log=log,
        payloads=stores.payloads,
        transfers=stores.transfers or signed,
        tickets=StreamTickets(ticket_secrets, clock),
        directory=stores.directory,
        control=control,
        tasks=tasks,
        timers=InProcessTimers(clock, control),
        clock=clock,
        random_bytes=secrets.token_bytes,
        programs=programs,
        tokens=LeaseTokens(lease_secrets),
        changes=changes,
        warm=WarmCache(settings.warm_executions),
        settings=settings,
        pages=pages,
        turnstile=ThreadTurnstile(),
        retention=stores.retention,
    )
    return Composition(
        services=services,
        payload_route=TransferRoute(signed, stores.payloads),
        control=control,
        tasks=tasks,
        clock=clock,
        table_stream=table_stream,
        stopping=StopSignal(),
    )


def _announce_feeds(directory: Directory, changes: LocalChanges, orgs: Collection[OrgId]) -> None:
    """Tell whoever follows the feed of one of `orgs` how far it goes now."""
    for org in orgs:
        changes.notify(feed.key_of(org), feed.ended_at(directory, org))
