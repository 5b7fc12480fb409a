"""Putting commands into the program: their help, with the examples of their docstrings below it."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import typer
from rich.markup import escape

_EXAMPLES = "\n\nExamples:\n"


def register(
    app: typer.Typer, function: Callable[..., None], *, name: str | None = None, panel: str | None = None
) -> None:
    """Make a command of a function: named as it is, unless `name` says otherwise, and shown under `panel`."""
    text, _, examples = inspect.cleandoc(function.__doc__ or "").partition(_EXAMPLES)
    lines = [f"[dim]$ {escape(line.strip())}[/dim]" for line in examples.splitlines() if line.strip()]
    epilog = "\n\n".join(["[bold]Examples[/bold]", *lines]) if lines else None
    app.command(
        name or function.__name__.replace("_", "-"), help=escape(text), epilog=epilog, rich_help_panel=panel
    )(function)


def group(name: str, help: str, functions: dict[str, Callable[..., None]]) -> typer.Typer:
    """Commands about one kind of thing, each with its name."""
    app = typer.Typer(name=name, help=help, no_args_is_help=True, rich_markup_mode="rich")
    for verb, function in functions.items():
        register(app, function, name=verb)
    return app
