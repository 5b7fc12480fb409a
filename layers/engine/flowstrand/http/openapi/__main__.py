"""Writes what is made from the routes, or compares it: `python -m flowstrand.http.openapi [--check] FOLDER`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from flowstrand.http.openapi import codes_page, document


def main(arguments: Sequence[str]) -> int:
    """Exits 0, or with `--check` 1 if a file is not what would be written."""
    parser = argparse.ArgumentParser(prog="openapi", description="Write the API's description.")
    parser.add_argument("folder", type=Path, help="holds openapi.json and http-api.md")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    options = parser.parse_args(arguments)
    stale = [(file, text) for file, text in _made(options.folder).items() if _read(file) != text]
    for file, text in stale:
        if options.check:
            sys.stderr.write(f"{file} is out of date: run ./scripts/openapi\n")
        else:
            file.write_text(text, encoding="utf-8")
    return 1 if options.check and stale else 0


def _made(folder: Path) -> dict[Path, str]:
    page = folder / "http-api.md"
    return {folder / "openapi.json": document.text(), page: codes_page.with_table(_read(page))}


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
