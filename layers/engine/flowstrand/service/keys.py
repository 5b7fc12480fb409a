"""API keys: who a bearer token speaks for. Kept in the directory as SHA-256, so that no store holds a key.

Law 10: an unknown key is nobody. A key has 256 random bits, so its digest needs no salt and no slow hash, and looking
a digest up tells nothing about the keys near it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from flowstrand.directory.port import Directory
from flowstrand.engine.ids import OrgId
from flowstrand.engine.names import is_name
from flowstrand.errors import InvalidInput
from flowstrand.jsonvalue import JsonValue

PREFIX = "fsk_"
"""What generated keys begin with, so that secret scanners can recognise them."""

_PARTITION = "api-keys"
_RANDOM_BYTES = 32


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
        key_id: names the key without giving it away; for logs.
    """

    org: OrgId
    principals: frozenset[Principal]
    key_id: str


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
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Store a key for `org` and return it; this is the only time it can be seen.

    Args:
        key: the key itself, if it is not to be made from `random_bytes`. Storing it again replaces what it stood for.

    Raises:
        InvalidInput: `org` is not a name, a principal is unknown, or there is none.
    """
    if not is_name(org):
        raise InvalidInput(f"{org!r} cannot be the name of an org")
    known = _principals(principals)
    if not known or len(known) < len(set(principals)):
        raise InvalidInput(f"principals must be among {[p.value for p in Principal]}, and at least one")
    chosen = key if key is not None else generate(random_bytes(_RANDOM_BYTES))
    names: list[JsonValue] = [principal.value for principal in sorted(known)]
    directory.put(_PARTITION, _digest(chosen), {"org": org, "principals": names, "createdAtMs": now_ms})
    return chosen


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
    return identity(org, [name for name in names if isinstance(name, str)], key_id=f"key_{digest[:12]}")


def identity(org: str, principals: Collection[str], *, key_id: str) -> Identity | None:
    """An identity from plain words; None unless `org` is a name and some principal is known."""
    known = _principals(principals)
    if not is_name(org) or not known:
        return None
    return Identity(org=OrgId(org), principals=known, key_id=key_id)


def _principals(names: Collection[str]) -> frozenset[Principal]:
    known = {principal.value for principal in Principal}
    return frozenset(Principal(name) for name in names if name in known)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
