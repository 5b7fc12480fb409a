"""Secrets of the local server, kept in its data folder, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from flowstrand.errors import ConfigurationError
from flowstrand.service.signing import FixedSecrets, Signed, SigningSecrets

_OWNER_ONLY = 0o600
_SECRET_BYTES = 48


def signing_secrets(data: Path, signed: Signed) -> SigningSecrets:
    """The secret that leases or tickets are signed with, and the one before, if it was rotated.

    They are the same after a restart, so that workers keep their leases.

    Raises:
        ConfigurationError: the file is empty or cannot be read.
    """
    secret, *earlier = kept(_path(data, signed), _made).split()
    return FixedSecrets(secret, earlier)


def rotate(data: Path, signed: Signed) -> None:
    """Make another secret, for a server that starts from now on. The present one becomes the one before.

    Raises:
        ConfigurationError: the file is empty or cannot be read.
    """
    path, present = _path(data, signed), signing_secrets(data, signed).to_sign()
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    kept(draft, lambda: f"{_made()}\n{present}")
    draft.replace(path)


def _path(data: Path, signed: Signed) -> Path:
    return data / f"{signed}-secret"


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
