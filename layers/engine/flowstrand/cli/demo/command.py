"""`flowstrand demo`: the command."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, JustifyMethod
from rich.table import Table

from flowstrand.cli.demo.evidence import Evidence, document
from flowstrand.cli.demo.following import SCENARIOS, Follower
from flowstrand.cli.demo.processes import Stack, running_stack
from flowstrand.cli.event_line import event_line
from flowstrand.cli.exits import Exit
from flowstrand.cli.failures import told_on_one_line
from flowstrand.local.options import ORG, StoreName

if TYPE_CHECKING:
    from flowstrand.client import StreamEvent

_PATIENCE_S = 120
"""What all executions together may take."""


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    store: Annotated[StoreName, typer.Option(help="dynamodb is moto's server, over HTTP.")] = "sqlite",
) -> None:
    """Run a server and a worker, follow three executions over every transport, and compare what each showed.

    Examples:
        flowstrand demo
        flowstrand demo --store dynamodb --json
    """
    signal.signal(signal.SIGTERM, _interrupt)
    with told_on_one_line(as_json=as_json), running_stack(store) as stack:
        evidence = asyncio.run(_Demo(stack, is_quiet=as_json).run())
    verdict = document(evidence)
    if as_json:
        typer.echo(json.dumps(verdict))
    else:
        _print_table(evidence)
    if not (verdict["identical"] and verdict["dense"]):
        raise typer.Exit(Exit.FAILED)


class _Demo:
    """The executions of one demo."""

    def __init__(self, stack: Stack, *, is_quiet: bool) -> None:
        self._stack = stack
        self._console = Console(highlight=False, soft_wrap=True, quiet=is_quiet)

    async def run(self) -> list[Evidence]:
        """Run every scenario, one after the other.

        Raises:
            TimeoutError: one of them does not end.
        """
        from flowstrand.client import Client

        evidence: list[Evidence] = []
        stack = self._stack
        try:
            async with asyncio.timeout(_PATIENCE_S), Client(stack.url, stack.api_key, ORG) as client:
                follower = Follower(client=client, on_start=self._on_start, on_event=self._on_event)
                for scenario in SCENARIOS:
                    self._console.print(f"\n[bold]{scenario.title}[/bold]")
                    evidence += await follower.run(scenario)
        except TimeoutError as error:
            raise TimeoutError(f"the executions did not end within {_PATIENCE_S} s") from error
        return evidence

    def _on_start(self, scenario: str, execution_id: str) -> None:
        self._console.print(f"  [dim]{scenario}: {execution_id}[/dim]")

    def _on_event(self, scenario: str, event: StreamEvent) -> None:
        indent = "      " if scenario.endswith("/child") else "  "
        self._console.print(event_line(event.sequence, event.type, event.timestamp_ms, event.data, prefix=indent))


def _print_table(evidence: Sequence[Evidence]) -> None:
    table = Table(title="What each transport showed", title_justify="left")
    for heading in ("execution", "status", "history", "long-poll", "SSE", "identical", "dense"):
        justify: JustifyMethod = "right" if heading in {"history", "long-poll", "SSE"} else "left"
        table.add_column(heading, justify=justify, no_wrap=True)
    for one in evidence:
        counts = (str(len(events)) for events in (one.history, one.long_poll, one.sse))
        table.add_row(one.scenario, one.status, *counts, _mark(one.is_identical), _mark(one.is_dense))
    console = Console(soft_wrap=True)
    console.print()
    console.print(table)


def _mark(holds: bool) -> str:
    return "[green]yes[/green]" if holds else "[bold red]NO[/bold red]"


def _interrupt(*_: object) -> None:
    """A SIGTERM unwinds like Ctrl-C, so that the demo's processes end with it."""
    raise KeyboardInterrupt
