"""What lease tokens and stream tickets are signed with: a secret, and those before it, whose signatures are still taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

T = TypeVar("T")


class Signed(StrEnum):
    """What has a secret of its own; the name of that is made from it."""

    LEASE = "lease"
    TICKET = "ticket"


class SigningSecrets(Protocol):
    """Secrets that may be rotated while they are in use; safe to use from many threads.

    Attributes:
        known: those whose signatures are taken, the present one first.
    """

    @property
    def known(self) -> tuple[str, ...]: ...

    def to_sign(self) -> str:
        """The one to sign with now."""
        ...

    def looked_again(self) -> bool:
        """See whether there are others by now, because something was signed with none that is known; whether that was done."""
        ...


class FixedSecrets:
    """`SigningSecrets` that stay what they are."""

    def __init__(self, secret: str, earlier: Sequence[str] = ()) -> None:
        self.known = (secret, *earlier)

    def to_sign(self) -> str:
        """See `SigningSecrets.to_sign`."""
        return self.known[0]

    def looked_again(self) -> bool:
        """Never."""
        return False


def read_with(secrets: SigningSecrets, read: Callable[[str], T | None]) -> T | None:
    """What `read` makes of the first secret that it makes anything of: one that is known, or that turns out to be there."""
    found = _read_with_any(secrets.known, read)
    if found is None and secrets.looked_again():
        return _read_with_any(secrets.known, read)
    return found


def _read_with_any(secrets: Sequence[str], read: Callable[[str], T | None]) -> T | None:
    return next((found for secret in secrets if (found := read(secret)) is not None), None)
