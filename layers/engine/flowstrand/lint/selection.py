"""Which rules are on: by id, or by the beginning of ids (`FS1`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flowstrand.errors import ConfigurationError
from flowstrand.lint.rules import ALWAYS, RULES
from flowstrand.lint.rules.rule import Rule

KNOWN = frozenset({rule.id for rule in RULES})


def selected(select: Sequence[str] = (), ignore: Iterable[str] = ()) -> tuple[Rule, ...]:
    """The rules that `select` names (those on by default if it names none), without those that `ignore` names.

    Raises:
        ConfigurationError: a name fits no rule.
    """
    refused = tuple(_checked(ignore))
    wanted = tuple(_checked(select))
    return tuple(
        rule
        for rule in RULES
        if (rule.id.startswith(wanted) if wanted else rule.is_default)
        and not rule.id.startswith(refused or ("-",))
    )


def _checked(ids: Iterable[str]) -> Iterable[str]:
    for id in ids:
        known = id == "ALL" or any(rule.startswith(id) for rule in KNOWN | ALWAYS.keys())
        if not id or not known:
            raise ConfigurationError(f"{id!r} is no rule, and no rule's id begins so")
        yield "FS" if id == "ALL" else id
