"""`python -m docsite build`, `python -m docsite serve [PORT]`: the site, from the repository as it is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from docsite.assembly import CONFIGURATION, PAGES, ROOT, SITE, write
from docsite.built import check
from docsite.page import SiteError
from docsite.sources import sources

_GENERATOR = [sys.executable, "-m", "zensical"]
_COMPLAINTS = ("griffe:", "mkdocstrings:", "Warning:")


def main(words: Sequence[str]) -> int:
    try:
        match words:
            case ["build"]:
                return _build()
            case ["serve"]:
                return _serve(8000)
            case ["serve", port]:
                return _serve(int(port))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except SiteError as faults:
        print(faults, file=sys.stderr)
        return 1


def _build() -> int:
    write(ROOT, PAGES)
    _generate()
    pages = check(SITE)
    print(f"{pages} pages: {SITE / 'index.html'}")
    return 0


def _generate() -> None:
    """Raises SiteError where the generator fails, or complains of a docstring, which it does not count as a failure."""
    command = [*_GENERATOR, "build", "--strict", "--clean", "-f", str(CONFIGURATION)]
    complaints = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as generator:
        for line in generator.stdout or ():
            print(line, end="", flush=True)
            if line.startswith(_COMPLAINTS):
                complaints.append(line.rstrip())
    if generator.returncode or complaints:
        raise SiteError("\n".join(["the site was not built", *complaints]))


def _serve(port: int) -> int:
    """Until interrupted. Pages that people write are followed; what is read from the code is as it was at the start."""
    write(ROOT, PAGES)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server ends with this process
    server = subprocess.Popen([*_GENERATOR, "serve", "-f", str(CONFIGURATION), "-a", f"127.0.0.1:{port}"])
    seen = _newest()
    try:
        while server.poll() is None:
            time.sleep(1)
            if (newest := _newest()) != seen:
                seen = newest
                _rewrite()
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
    return server.returncode


def _rewrite() -> None:
    try:
        write(ROOT, PAGES)
    except SiteError as faults:
        print(faults, file=sys.stderr)


def _newest() -> float:
    return max(Path(ROOT, source).stat().st_mtime for source in sources(ROOT))


sys.exit(main(sys.argv[1:]))
