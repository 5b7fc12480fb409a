"""`flowstrand promise`: resolve or reject what a workflow waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from flowstrand.cli.json_option import parsed
from flowstrand.cli.on_server import Session, on_server
from flowstrand.cli.options import Value

if TYPE_CHECKING:
    from flowstrand.client import Settled

PromiseName: TypeAlias = Annotated[
    str, typer.Argument(metavar="ID", help="Of the promise; or key:KEY, the key its author gave it.")
]


@on_server
def resolve(session: Session, promise_id: PromiseName, value: Value = "null") -> None:
    """Give a promise its value and print the sequence of the event that settled it.

    Examples:
        flowstrand promise resolve key:expense-1042 --value '"ada"'
    """
    _tell(session, session.client.resolve_promise(promise_id, parsed(value, "--value")))


@on_server
def reject(
    session: Session,
    promise_id: PromiseName,
    message: Annotated[str, typer.Option(help="Why, for people.")] = "rejected",
    type: Annotated[str, typer.Option(help="Why, for programs.")] = "Rejected",
) -> None:
    """Fail a promise and print the sequence of the event that settled it.

    Examples:
        flowstrand promise reject key:expense-1042 --type TooExpensive --message "over budget"
    """
    _tell(session, session.client.reject_promise(promise_id, message, type=type))


def _tell(session: Session, settled: Settled) -> None:
    text = f"{settled.sequence} (settled before)" if settled.already_settled else str(settled.sequence)
    session.out.said({"sequence": settled.sequence, "alreadyResolved": settled.already_settled}, text)
