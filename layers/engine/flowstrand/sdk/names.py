"""Names that authors choose: of workflows, tasks and queues, and the labels of children and operations."""

from __future__ import annotations

from flowstrand.engine.names import is_kind, is_label, is_name
from flowstrand.errors import InvalidDefinition

MAX_LABEL = 128


def kind(name: object, what: str) -> str:
    """`name`, if it can be the kind of `what` (a phrase for the error, such as `"a task"`).

    Raises:
        InvalidDefinition: it cannot.
    """
    if not isinstance(name, str) or not is_kind(name):
        raise _refused(name, what, "_ . / : -")
    return name


def queue(name: object) -> str:
    """`name`, if it can name a queue; unlike a kind it stands in URLs, so without `/`. Raises `InvalidDefinition`."""
    if not isinstance(name, str) or not is_name(name):
        raise _refused(name, "a queue", "_ . : -")
    return name


def label(name: object, what: str) -> str:
    """`name`, if people can read it in the log: on one line, spaces allowed. Raises `InvalidDefinition`."""
    if not isinstance(name, str) or not 0 < len(name) <= MAX_LABEL or not is_label(name):
        raise InvalidDefinition(f"{name!r} cannot name {what}: use 1 to {MAX_LABEL} printable characters")
    return name


def execution_id(name: object) -> str:
    """`name`, if an author may choose it as an execution's id: without the `.` of ids that are made. Raises `InvalidDefinition`."""
    if not isinstance(name, str) or not is_name(name) or "." in name:
        raise _refused(name, "an execution", "_ : -")
    return name


def _refused(name: object, what: str, punctuation: str) -> InvalidDefinition:
    return InvalidDefinition(
        f"{name!r} cannot name {what}: use at most 128 letters, digits and any of {punctuation} "
        "with a letter, digit or _ first",
    )
