"""The `flowstrand` program: its commands, put together."""

from __future__ import annotations

import typer

from flowstrand.cli import (
    cancel,
    dev,
    events,
    get,
    lint,
    promise,
    replay,
    schedule,
    signal,
    signal_with_start,
    start,
    tail,
    worker,
)
from flowstrand.cli.demo import command as demo

program = typer.Typer(
    name="flowstrand",
    help="Durable workflows: every execution is one ordered, gap-free event log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    dev.dev,
    worker.worker,
    start.start,
    get.get,
    events.events,
    tail.tail,
    signal.signal,
    signal_with_start.signal_with_start,
    cancel.cancel,
    lint.lint,
    replay.replay,
    demo.demo,
):
    program.command()(command)
program.add_typer(promise.promise)
program.add_typer(schedule.schedule)


def main() -> None:
    """Run it; exits 0, 1 for a failure that is told on one line, 2 for wrong usage."""
    program()
