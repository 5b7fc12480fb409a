"""Secrets of the local server, kept in its data folder, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from flowstrand.errors import ConfigurationError

_OWNER_ONLY = 0o600
_LEASE_SECRET, _TICKET_SECRET = "lease-secret", "ticket-secret"
_SECRET_BYTES = 48


def lease_secrets(data: Path) -> list[str]:
    """The secret that lease tokens are signed with, and behind it the one before, if it was rotated.

    They are the same after a restart, so that workers keep their leases.
    """
    return kept(data / _LEASE_SECRET, _made).split()


def ticket_secrets(data: Path) -> list[str]:
    """The same of stream tickets."""
    return kept(data / _TICKET_SECRET, _made).split()


def rotate_lease_secret(data: Path) -> None:
    """Make another secret, for a server that starts from now on. The present one becomes the one before.

    Raises:
        ConfigurationError: the file is empty or cannot be read.
    """
    _rotate(data / _LEASE_SECRET, lease_secrets(data)[0])


def rotate_ticket_secret(data: Path) -> None:
    """The same of stream tickets."""
    _rotate(data / _TICKET_SECRET, ticket_secrets(data)[0])


def _rotate(path: Path, present: str) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    kept(draft, lambda: f"{_made()}\n{present}")
    draft.replace(path)


def kept(path: Path, make: Callable[[], str]) -> str:
    """The secret in `path`, made and written there first if there is none.

    Raises:
        ConfigurationError: the file is empty or cannot be read.
    """
    try:
        # Created with its mode, not given it afterwards: nobody else can read it at any moment.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        return _read(path)
    secret = make()
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
    return secret


def _read(path: Path) -> str:
    try:
        secret = path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    if not secret:
        raise ConfigurationError(f"{path} is empty; remove it to have a new secret made")
    return secret


def _made() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)
