"""`Fault`: where in a value, and why, it cannot be written as JSON or read from it."""

from __future__ import annotations

from typing import TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flowstrand.sdk.serde.structure import children

Steps: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the root of a value to a part of it, as its JSON has them."""

_MOST_REASONS = 5


class Fault(Exception):
    """Becomes a `NotSerializable` once it is known whose value it is about.

    Attributes:
        path: an RFC 6901 JSON pointer; empty for the value itself.
        reason: what is wrong there, as a clause.
        culprit: the Python type of what is there.
    """

    def __init__(self, reason: str, steps: Steps = (), *, culprit: object = None) -> None:
        super().__init__(reason)
        self.path = pointer(steps)
        self.reason = f"at {self.path}: {reason}" if steps else reason
        self.culprit = type_name(culprit)

    @classmethod
    def of_validation(cls, error: ValidationError, value: object) -> Fault:
        """What pydantic found wrong with `value`, or with its JSON; the path is that of the first fault below the root."""
        found = [
            (detail, _steps(detail, value)) for detail in error.errors(include_url=False, include_context=False)
        ]
        reasons = [_reason(detail, steps) for detail, steps in found[:_MOST_REASONS]]
        if len(found) > _MOST_REASONS:
            reasons.append(f"and {len(found) - _MOST_REASONS} more")
        # Of a union, the member that got further than the value itself is the one that was meant.
        detail, steps = next(((detail, steps) for detail, steps in found if steps), found[0])
        fault = cls("; ".join(dict.fromkeys(reasons)), culprit=detail["input"])
        fault.path = pointer(steps)
        return fault


def pointer(steps: Steps) -> str:
    """`steps` as a JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def type_name(value: object) -> str:
    """The type of `value` as its author would write it, e.g. `datetime.datetime` or `Order`."""
    cls = type(value)
    is_plain = cls.__module__ in {"builtins", "__main__"}
    return cls.__qualname__ if is_plain else f"{cls.__module__}.{cls.__qualname__}"


def _reason(detail: ErrorDetails, steps: Steps) -> str:
    return f"{pointer(steps)}: {detail['msg']}" if steps else detail["msg"]


def _steps(detail: ErrorDetails, value: object) -> Steps:
    """The part of pydantic's location that leads through `value`: it also names members of unions and validators."""
    steps: list[str | int] = []
    location = detail["loc"]
    for number, step in enumerate(location, start=1):
        parts = {str(key): part for key, part in children(value)}
        if str(step) in parts:
            steps.append(step)
            value = parts[str(step)]
        elif number == len(location) and detail["type"] == "missing":
            steps.append(step)
    return tuple(steps)
