"""Exchanging a credential for a ticket."""

from __future__ import annotations

from typing import assert_never

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import ExecutionId
from flowstrand.engine.names import is_id
from flowstrand.errors import NotFound
from flowstrand.log.port import LogKey
from flowstrand.service.append import execution_not_found
from flowstrand.service.container import Services
from flowstrand.service.keys import Identity
from flowstrand.service.standalone import require_standalone
from flowstrand.service.task_address import task_not_found
from flowstrand.service.tickets import Readable, Scope, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedTicket:
    """A ticket, and what it says."""

    text: str
    ticket: Ticket


def issue(services: Services, caller: Identity, scope: Scope, *, ttl_s: int) -> IssuedTicket:
    """A ticket of the caller's org for `scope`, valid for `ttl_s` seconds from now.

    What it is for must exist, since a browser would not be told what was wrong with its stream. A channel need not: readers may be
    there before it is created.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`, `TASK_NOT_FOUND`: the org has no such execution or task.
        Conflict: `TASK_OF_WORKFLOW`: the task has no log of its own.
    """
    _require(services, caller, scope)
    ticket = Ticket(org=caller.org, scope=scope, key_id=caller.key_id, expires_at_ms=services.tickets.until(ttl_s))
    return IssuedTicket(text=services.tickets.sign(ticket), ticket=ticket)


def _require(services: Services, caller: Identity, scope: Scope) -> None:
    id = scope.id or ""
    match scope.of:
        case Readable.EXECUTION:
            _require_log(services, LogKey(caller.org, ExecutionId(id)), execution_not_found())
        case Readable.TASK:
            if not is_id(id):
                raise task_not_found()
            _require_log(services, require_standalone(services, caller.org, id), task_not_found())
        case Readable.FEED | Readable.CHANNEL:
            pass
        case _:
            assert_never(scope.of)


def _require_log(services: Services, key: LogKey, otherwise: NotFound) -> None:
    if not is_id(key.execution_id) or services.log.tail(key) is None:
        raise otherwise
