"""What pydantic leaves open or hides when it writes JSON: the order of sets, secrets, and numbers that JSON lacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from pydantic import RootModel, SecretBytes, SecretStr

from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.serde.fault import Fault, Steps
from flowstrand.sdk.serde.structure import children


def arranged(value: object, written: JsonValue, steps: Steps = ()) -> JsonValue:
    """`written`, the JSON of `value`, with its sets in an order that does not differ from process to process.

    Raises:
        Fault: a secret was written as asterisks, or a number as null, and so would be lost.
    """
    match value, written:
        case RootModel(), _:
            return arranged(value.root, written, steps)
        case SecretStr() | SecretBytes(), str() if not written.strip("*"):
            raise Fault(
                "a secret is written as asterisks; pass a reference to it, or give its field a serializer",
                steps,
                culprit=value,
            )
        case float(), None:
            raise Fault(f"JSON has no {value}; use None, or a string", steps, culprit=value)
        case AbstractSet(), list() if len(value) == len(written):
            parts = zip(value, written, strict=True)
            return in_order([arranged(part, item, steps) for part, item in parts])
        case ((list() | tuple()), list()) if len(value) == len(written):
            return [arranged(part, written[n], (*steps, n)) for n, part in enumerate(value)]
        case Mapping(), dict() if value and len(value) == len(written):
            pairs = zip(value.values(), written.items(), strict=True)
            return {key: arranged(part, item, (*steps, key)) for part, (key, item) in pairs}
        case _, dict():
            known = {key: part for key, part in children(value) if key in written}
            return {
                key: arranged(known[key], item, (*steps, key)) if key in known else item
                for key, item in written.items()
            }
        case _:
            return written


def require_same_keys(value: object, back: object, steps: Steps = ()) -> None:
    """Refuse keys that read back as text because nothing declares what they are.

    Args:
        back: what was read from the JSON of `value`.

    Raises:
        Fault: a key of `value` is no string, and `back` does not have it.
    """
    if isinstance(value, Mapping) and isinstance(back, Mapping):
        lost = [key for key in value if not isinstance(key, str) and key not in back]
        if lost:
            raise key_fault(lost[0], steps)
    if isinstance(value, str | int | float | AbstractSet) or value is None:
        return
    others = dict(children(back))
    for step, part in children(value):
        require_same_keys(part, others.get(step), (*steps, step))


def key_fault(key: object, steps: Steps) -> Fault:
    """What is wrong with a key that is no string where nothing says what it is."""
    advice = "declare a type such as dict[int, str]"
    return Fault(f"the key {key!r} is no string, and would come back as one; {advice}", steps, culprit=key)


def in_order(items: list[JsonValue]) -> list[JsonValue]:
    """The members of a set, sorted by their JSON text."""
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
