"""Moto's server, one request at a time: `python -m flowstrand.cli.demo.emulator PORT`.

Its own command answers on many threads, on which its conditional put checks first and writes later: two writers can both
be told that they won, and one of their commits is gone. A store that does that is no store to show an ordered log on.
"""

from __future__ import annotations

import sys
from typing import Any

_HOST = "127.0.0.1"


def main(port: int) -> None:
    """Serve until killed."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import run_simple

    application: Any = DomainDispatcherApplication(create_backend_app)
    run_simple(_HOST, port, application, threaded=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
