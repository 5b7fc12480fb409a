"""API keys: who a bearer token speaks for. Kept in the directory as SHA-256, so that no store holds a key.

Law 10: an unknown key is nobody. A key has 256 random bits, so its digest needs no salt and no slow hash, and looking
a digest up tells nothing about the keys near it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item
from flowstrand.directory.scanning import every_item
from flowstrand.engine.ids import OrgId
from flowstrand.engine.names import is_name
from flowstrand.errors import InvalidInput
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service.callers.bearers import Credential, credential_of, is_too_long

PREFIX = "fsk_"
"""What generated keys begin with, so that secret scanners can recognise them."""

_PARTITION = "api-keys"
_RANDOM_BYTES = 32
_ID_DIGITS = 12
_KEY_ID = re.compile(rf"key_(?P<digest>[0-9a-f]{{{_ID_DIGITS}}})")


class Principal(StrEnum):
    """What a caller may be."""

    USER = "user"
    """Starts and reads executions."""
    WORKER = "worker"
    """Claims and reports tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who is calling.

    Attributes:
        key_id: names the key, or what stands for one, without giving it away; for logs.
    """

    org: OrgId
    principals: frozenset[Principal]
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """What is known of a key: not the key itself.

    Attributes:
        digest: what it is looked up by.
        note: of whoever made it.
    """

    key_id: str
    org: str
    principals: tuple[str, ...]
    created_at_ms: int
    note: str | None
    digest: str


def generate(random: bytes) -> str:
    """A key from 32 random bytes."""
    if len(random) != _RANDOM_BYTES:
        raise ValueError(f"a key takes {_RANDOM_BYTES} random bytes, not {len(random)}")
    return PREFIX + base64.urlsafe_b64encode(random).decode().rstrip("=")


def create(
    directory: Directory,
    org: str,
    principals: Collection[str],
    *,
    now_ms: int,
    key: str | None = None,
    note: str | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Store a key for `org` and return it; this is the only time it can be seen.

    Args:
        key: the key itself, if it is not to be made from `random_bytes`. Storing it again replaces what it stood for.
        note: for people, to know it by.

    Raises:
        InvalidInput: `org` is not a name, a principal is unknown, or there is none; or `key` looks like another kind of credential, or
            is too long for one.
    """
    owner, known = org_and_principals(org, principals)
    chosen = key if key is not None else generate(random_bytes(_RANDOM_BYTES))
    if credential_of(chosen) is not Credential.API_KEY or is_too_long(chosen):
        raise InvalidInput(f"an API key must not look like a {credential_of(chosen).value}, nor be very long")
    names: list[JsonValue] = [principal.value for principal in known]
    data: JsonObject = {"org": owner, "principals": names, "createdAtMs": now_ms}
    directory.put(_PARTITION, _digest(chosen), data if note is None else {**data, "note": note})
    return chosen


def every(directory: Directory, org: OrgId | None = None) -> Iterator[KnownKey]:
    """The keys there are, of one org or of all, in no order that means anything."""
    return (known for known in map(_known, every_item(directory, _PARTITION)) if org in {None, known.org})


def revoke(directory: Directory, org: OrgId, key_id: str) -> KnownKey | None:
    """Make a key nobody's; None where the org has no such key.

    Whoever has been let in by it may stay for as long as API Gateway remembers: a minute.
    """
    for known in every(directory, org):
        if known.key_id == key_id:
            directory.delete(_PARTITION, known.digest)
            return known
    return None


def is_revoked(directory: Directory, org: str, key_id: str) -> bool:
    """Whether the id is that of an API key which this org does not have any more. Ids of other callers are nothing that keys can tell of.

    Raises:
        StoreUnavailable: the directory cannot say.
    """
    named = _KEY_ID.fullmatch(key_id)
    if named is None:
        return False
    beginning = named["digest"]
    return not any(
        item.key.startswith(beginning) and item.data.get("org") == org
        for item in directory.scan(_PARTITION, after=beginning, limit=1)
    )


def identify(directory: Directory, bearer: str) -> Identity | None:
    """Who holds this key, or None. Takes the same path, one read by digest, whatever it is given.

    Raises:
        StoreUnavailable: the directory cannot say.
    """
    digest = _digest(bearer)
    item = directory.get(_PARTITION, digest)
    if item is None:
        return None
    org, names = item.data.get("org"), item.data.get("principals")
    if not isinstance(org, str) or not isinstance(names, list):
        return None
    return identity(org, [name for name in names if isinstance(name, str)], key_id=_id_of(digest))


def identity(org: str, principals: Collection[str], *, key_id: str) -> Identity | None:
    """An identity from plain words; None unless `org` is a name and some principal is known."""
    known = _principals(principals)
    if not is_name(org) or not known:
        return None
    return Identity(org=OrgId(org), principals=known, key_id=key_id)


def org_and_principals(org: str, principals: Collection[str]) -> tuple[OrgId, list[Principal]]:
    """What somebody is to be: of this org, and these, in order.

    Raises:
        InvalidInput: `org` is not a name, a principal is unknown, or there is none.
    """
    if not is_name(org):
        raise InvalidInput(f"{org!r} cannot be the name of an org")
    known = _principals(principals)
    if not known or len(known) < len(set(principals)):
        raise InvalidInput(f"principals must be among {[p.value for p in Principal]}, and at least one")
    return OrgId(org), sorted(known)


def _principals(names: Collection[str]) -> frozenset[Principal]:
    known = {principal.value for principal in Principal}
    return frozenset(Principal(name) for name in names if name in known)


def _known(item: Item) -> KnownKey:
    data: Any = item.data
    return KnownKey(
        key_id=_id_of(item.key),
        org=str(data.get("org")),
        principals=tuple(map(str, data.get("principals") or ())),
        created_at_ms=int(data.get("createdAtMs") or 0),
        note=data.get("note"),
        digest=item.key,
    )


def _id_of(digest: str) -> str:
    return f"key_{digest[:_ID_DIGITS]}"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
