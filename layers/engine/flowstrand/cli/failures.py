"""Failures of commands: a sentence on stderr, with the code that programs may branch on, and an exit status."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import typer

from flowstrand.cli.exits import Exit, exit_of
from flowstrand.errors import CallerError, FlowstrandError
from flowstrand.jsonvalue import JsonObject, JsonValue


@contextmanager
def told_on_one_line(*, as_json: bool = False) -> Iterator[None]:
    """Whatever the block raises on purpose ends the command with one line; a bug keeps its traceback.

    Args:
        as_json: the line is the error as the API tells it, `{"error", "code", "details"?}`.

    Raises:
        typer.Exit: the block failed.
    """
    try:
        yield
    except FlowstrandError as error:
        tell(error.message, error.code, error.details if isinstance(error, CallerError) else (), as_json=as_json)
        raise typer.Exit(exit_of(error)) from error
    except BrokenPipeError:
        _discard_output()
        raise typer.Exit(Exit.BROKEN_PIPE) from None
    except TimeoutError as error:
        tell(str(error), "TIMEOUT", as_json=as_json)
        raise typer.Exit(exit_of(error)) from error
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None


def _discard_output() -> None:
    """Whoever read our output has seen enough: Python must not try to write the rest of it at its end."""
    with suppress(OSError):  # a test's stdout is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(message: str, code: str, details: Sequence[JsonObject] = (), *, as_json: bool = False) -> None:
    """`error: <message> (CODE)`, on one line, and one more for each detail."""
    sentence = " ".join(message.split())
    if as_json:
        body: JsonObject = {"error": sentence, "code": code}
        listed: list[JsonValue] = list(details)
        typer.echo(json.dumps({**body, "details": listed} if listed else body, ensure_ascii=False), err=True)
        return
    typer.echo(f"error: {sentence} ({code})", err=True)
    for detail in details:
        typer.echo(f"  {_detail(detail)}", err=True)


def _detail(detail: JsonObject) -> str:
    if "message" not in detail:
        return json.dumps(detail, ensure_ascii=False)
    return f"{detail.get('pointer') or '/'}: {detail['message']}"
