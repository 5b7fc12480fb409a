"""Writes the OpenAPI document, or compares it: `python -m flowstrand.http.openapi [--check] FILE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from flowstrand.http.openapi import document


def main(arguments: Sequence[str]) -> int:
    """Exits 0, or with `--check` 1 if the file is not what would be written."""
    parser = argparse.ArgumentParser(prog="openapi", description="Write the OpenAPI document of the API.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file is out of date")
    options = parser.parse_args(arguments)
    text = document.text()
    if not options.check:
        options.file.write_text(text, encoding="utf-8")
        return 0
    if options.file.is_file() and options.file.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{options.file} is out of date: run ./scripts/openapi\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
