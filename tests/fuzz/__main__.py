"""Asks the local server everything that its OpenAPI document allows, and much that it does not: `python -m tests.fuzz`."""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz import config, seed
from tests.fuzz.server import Server, ServerDied, running

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


def main(arguments: Sequence[str]) -> int:
    """Exits 0 if nothing is found; 1 if something is, or the server died."""
    parser = argparse.ArgumentParser(
        prog="fuzz-api", description="Fuzz the local server by the API's description."
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long, in all (default: 10)")
    parser.add_argument("--examples", type=int, default=100, help="requests an operation and phase, at most")
    parser.add_argument("options", nargs="*", help="after --: options of `schemathesis run`")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="flowstrand-fuzz-") as folder:
        try:
            with running(Path(folder), secrets.token_urlsafe(24)) as server:
                return _fuzz(server, Path(folder), options.minutes, options.examples, options.options)
        except ServerDied as error:
            sys.stderr.write(f"the server died: {error}\n")
            return 1


def _fuzz(server: Server, folder: Path, minutes: float, examples: int, more: Sequence[str]) -> int:
    seeds, file = seed.sow(server), folder / "seeds.json"
    seeds.write(file)
    configured = config.write(folder, seeds, server.api_key, examples=examples)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configured), "run", str(DOCUMENT)),
            *("--url", server.url, "--max-time", str(max(1, round(minutes * 60)))),
            *more,
        ],
        env={**os.environ, "FUZZ_SEEDS": str(file)},
        cwd=folder,
        check=False,
    )
    server.require_alive()
    return 0 if ended.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
