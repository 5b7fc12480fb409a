"""Dynoxide, a DynamoDB API on SQLite that counts consumed capacity as DynamoDB does: fetched from npm's registry, checked, run.

https://www.npmjs.com/package/@dynoxide/linux-x64 (MIT or Apache-2.0). The package is an archive with one program in it, so
nothing of npm's is needed. Linux on x86-64 only; elsewhere, name another endpoint: `FLOWSTRAND_DYNAMODB_ENDPOINT`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import platform
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.support.processes import LOOPBACK, clean_environment, free_port, process

VERSION = "1.2.1"
NAME = f"Dynoxide {VERSION}"
_URL = f"https://registry.npmjs.org/@dynoxide/linux-x64/-/linux-x64-{VERSION}.tgz"
_SHA512 = "sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg=="
_MEMBER = "package/dynoxide"


class DynoxideUnavailableError(RuntimeError):
    """It cannot be had here; the message says why, and what to do instead."""


@contextmanager
def dynamodb_endpoint(folder: Path) -> Iterator[str]:
    """The URL of an empty DynamoDB: the one that the environment names, else Dynoxide's.

    Raises:
        DynoxideUnavailableError: it cannot be had.
        RuntimeError: it does not start.
    """
    named = os.environ.get("FLOWSTRAND_DYNAMODB_ENDPOINT")
    if named:
        yield named
        return
    with dynoxide(folder) as url:
        yield url


@contextmanager
def dynoxide(folder: Path) -> Iterator[str]:
    """The URL of a Dynoxide of one's own, on a free port, with an empty database in memory; its log goes to `folder`.

    Raises:
        DynoxideUnavailableError: it cannot be had.
        RuntimeError: it does not start.
    """
    port = free_port()
    arguments = [str(_binary()), "serve", "--host", LOOPBACK, "--port", str(port)]
    url = f"http://{LOOPBACK}:{port}"
    with process(arguments, clean_environment(), folder / "dynoxide.log", url):
        yield url


def _binary() -> Path:
    """The program, fetched once for each virtual environment."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise DynoxideUnavailableError(
            "Dynoxide's program is for Linux on x86-64; name an endpoint: FLOWSTRAND_DYNAMODB_ENDPOINT"
        )
    path = Path(sys.prefix) / f"dynoxide-{VERSION}"
    if not path.exists():
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(_fetched())
        partial.chmod(0o755)
        partial.rename(path)
    return path


def _fetched() -> bytes:
    """The program out of the package, whose digest is checked first."""
    try:
        package = httpx2.get(_URL, follow_redirects=True, timeout=60.0).raise_for_status().content
    except httpx2.HTTPError as error:
        raise DynoxideUnavailableError(f"{_URL} cannot be fetched: {error!r}") from error
    if base64.b64encode(hashlib.sha512(package).digest()).decode() != _SHA512:
        raise DynoxideUnavailableError(f"{_URL} is not what it was")
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        member = archive.extractfile(_MEMBER)
        if member is None:
            raise DynoxideUnavailableError(f"{_URL} has no {_MEMBER}")
        return member.read()
