"""Failures of commands: one line on stderr, with the code that programs may branch on, and exit status 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from flowstrand.errors import FlowstrandError

FAILED = 1
INTERRUPTED = 130


@contextmanager
def told_on_one_line() -> Iterator[None]:
    """Whatever the block raises on purpose ends the command with one line; a bug keeps its traceback.

    Raises:
        typer.Exit: the block failed.
    """
    try:
        yield
    except FlowstrandError as error:
        tell(error.message, error.code)
        raise typer.Exit(FAILED) from error
    except TimeoutError as error:
        tell(str(error), "TIMEOUT")
        raise typer.Exit(FAILED) from error
    except BrokenPipeError:  # whoever read our output has seen enough
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def tell(message: str, code: str) -> None:
    """`error: <message> (CODE)`, on one line."""
    typer.echo(f"error: {' '.join(message.split())} ({code})", err=True)
