"""Dynoxide, a DynamoDB API on SQLite that counts consumed capacity as DynamoDB does: fetched from npm's registry, checked, run.

https://www.npmjs.com/package/@dynoxide/linux-x64 (MIT or Apache-2.0). Linux on x86-64 only; elsewhere, name another endpoint that
counts: `FLOWSTRAND_DYNAMODB_ENDPOINT`.
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

from bench.serving import clean_environment, free_port, process

_VERSION = "1.2.1"
_URL = f"https://registry.npmjs.org/@dynoxide/linux-x64/-/linux-x64-{_VERSION}.tgz"
_SHA512 = "sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg=="
_MEMBER = "package/dynoxide"


@contextmanager
def dynamodb_endpoint(folder: Path) -> Iterator[str]:
    """The URL of an empty DynamoDB: the one that the environment names, else Dynoxide's on a free port.

    Raises:
        RuntimeError: it cannot be had.
    """
    named = os.environ.get("FLOWSTRAND_DYNAMODB_ENDPOINT")
    if named:
        yield named
        return
    port = free_port()
    arguments = [str(_binary()), "serve", "--host", "127.0.0.1", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with process(arguments, clean_environment(), folder / "dynoxide.log", url):
        yield url


def _binary() -> Path:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise RuntimeError(
            "Dynoxide's binary is for Linux on x86-64; name an endpoint: FLOWSTRAND_DYNAMODB_ENDPOINT"
        )
    path = Path(sys.prefix) / f"dynoxide-{_VERSION}"
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.write_bytes(_fetched())
        partial.chmod(0o755)
        partial.rename(path)
    return path


def _fetched() -> bytes:
    """The binary out of the package, whose digest is checked first."""
    package = httpx2.get(_URL, follow_redirects=True, timeout=60.0).raise_for_status().content
    if base64.b64encode(hashlib.sha512(package).digest()).decode() != _SHA512:
        raise RuntimeError(f"{_URL} is not what it was")
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        member = archive.extractfile(_MEMBER)
        if member is None:
            raise RuntimeError(f"{_URL} has no {_MEMBER}")
        return member.read()
