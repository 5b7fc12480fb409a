"""What a shell offers when it is asked to complete a word: names that the server knows. Without a server, nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

import typer

from flowstrand.cli.connecting import connect
from flowstrand.errors import FlowstrandError

if TYPE_CHECKING:
    from flowstrand.client import SyncClient

Offers = list[tuple[str, str]]
"""Words, and what each means."""

_MOST = 50
"""One page: who presses a key does not wait for more."""
_PATIENCE_S = 1.0


def workflow_kinds(ctx: typer.Context, incomplete: str) -> Offers:
    """The kinds of workflows that can be started."""
    return _offered(
        ctx, incomplete, lambda client: ((d.kind, d.description or "") for d in client.workflow_definitions())
    )


def task_kinds(ctx: typer.Context, incomplete: str) -> Offers:
    """The kinds of tasks that somebody serves."""
    return _offered(
        ctx, incomplete, lambda client: ((d.kind, d.description or "") for d in client.task_definitions())
    )


def execution_ids(ctx: typer.Context, incomplete: str) -> Offers:
    """The newest executions."""
    return _offered(ctx, incomplete, lambda client: ((e.id, f"{e.kind}, {e.status}") for e in client.executions()))


def queues(ctx: typer.Context, incomplete: str) -> Offers:
    """The queues that somebody has named."""
    return _offered(ctx, incomplete, lambda client: ((q.name, q.state) for q in client.queues.list()))


def schedule_ids(ctx: typer.Context, incomplete: str) -> Offers:
    """The schedules there are."""
    return _offered(
        ctx, incomplete, lambda client: ((s.id, f"{s.kind}, {s.status}") for s in client.schedules.list())
    )


def _offered(
    ctx: typer.Context, incomplete: str, ask: Callable[[SyncClient], Iterable[tuple[str, str]]]
) -> Offers:
    given = [ctx.params.get(name) for name in ("url", "api_key", "org")]
    try:
        with connect(*given, patience_s=_PATIENCE_S) as client:
            return [offer for offer in islice(ask(client), _MOST) if offer[0].startswith(incomplete)]
    except FlowstrandError:  # a shell has no place for an error
        return []
