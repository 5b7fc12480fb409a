"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from flowstrand.cli import completing

_WAITING = "Waiting"

ExecutionId: TypeAlias = Annotated[
    str, typer.Argument(metavar="ID", help="Of the execution.", autocompletion=completing.execution_ids)
]
WorkflowKind: TypeAlias = Annotated[
    str, typer.Argument(metavar="KIND", help="Of the workflow.", autocompletion=completing.workflow_kinds)
]
Input: TypeAlias = Annotated[
    str, typer.Option(metavar="JSON", help="What it is given: JSON, @FILE, or - for stdin.")
]
Value: TypeAlias = Annotated[str, typer.Option(metavar="JSON", help="JSON, @FILE, or - for stdin.")]
Queue: TypeAlias = Annotated[str, typer.Option(help="Where its tasks go.")]
Version: TypeAlias = Annotated[str | None, typer.Option(help="Your own mark on it.")]
Metadata: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Shown with it, and to list by; may be repeated.")
]
ExecutionTimeout: TypeAlias = Annotated[
    str | None, typer.Option(metavar="DURATION", help="It fails if it is open by then: 30s, 5m, 2h, 7d.")
]
RequestId: TypeAlias = Annotated[str | None, typer.Option(help="Makes a repetition of the command a no-op.")]
IdempotencyTtl: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="How long the key stands for one that has completed; 24h by default."),
]
Wait: TypeAlias = Annotated[
    bool,
    typer.Option("--wait", help="Wait for the end; the exit status tells the outcome.", rich_help_panel=_WAITING),
]
Timeout: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION", help="How long to wait at most; for ever by default.", rich_help_panel=_WAITING
    ),
]


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """`["a=1", "b=2"]` as a mapping.

    Raises:
        typer.BadParameter: one of them is no pair; `option` is named.
    """
    split = [text.partition("=") for text in given or []]
    if wrong := next((name for name, equals, _ in split if not name or not equals), None):
        raise typer.BadParameter(f"not KEY=VALUE: {wrong}", param_hint=option)
    return {name: value for name, _, value in split}
