"""FS103: identifiers that differ on every replay."""

from __future__ import annotations

from typing import ClassVar

from flowstrand.lint.rules.named_calls import Advice, NamedCalls

_USE = "use ctx.random_uuid()"


class UniqueIds(NamedCalls):
    id = "FS103"
    name = "unique-id"
    summary = "Makes a unique id: every replay would make another."
    use = "`ctx.random_uuid()`"
    functions: ClassVar[Advice] = {
        **{f"uuid.{function}": _USE for function in ("uuid1", "uuid4", "uuid6", "uuid7", "uuid8", "getnode")},
        **{
            f"{package}.{function}": _USE
            for package in ("ulid", "nanoid", "ksuid")
            for function in ("new", "generate")
        },
        "ulid.ULID": _USE,
        "uuid_utils.uuid4": _USE,
        "uuid_utils.uuid7": _USE,
    }
