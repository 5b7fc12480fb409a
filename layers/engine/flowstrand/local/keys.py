"""The local server's API keys: one for people and workers, and one for its embedded worker."""

from __future__ import annotations

import secrets
from pathlib import Path

from flowstrand.directory.port import Directory
from flowstrand.local.options import ORG
from flowstrand.local.secrets_file import kept
from flowstrand.service import keys
from flowstrand.service.keys import Principal

DEV_KEY = "dev-key"
_WORKER_KEY = "worker-key"
_KEY_BYTES = 32


def ensure_dev_key(directory: Directory, data: Path, given: str | None, *, now_ms: int) -> str:
    """The key of org `dev`: `given`, or the one kept in `data`, made at the first start. It may do everything."""
    key = given if given is not None else kept(data / DEV_KEY, _generate)
    return keys.create(directory, ORG, [Principal.USER, Principal.WORKER], now_ms=now_ms, key=key)


def ensure_worker_key(directory: Directory, data: Path, *, now_ms: int) -> str:
    """The embedded worker's key: it may work, and nothing else."""
    key = kept(data / _WORKER_KEY, _generate)
    return keys.create(directory, ORG, [Principal.WORKER], now_ms=now_ms, key=key)


def _generate() -> str:
    return keys.generate(secrets.token_bytes(_KEY_BYTES))
