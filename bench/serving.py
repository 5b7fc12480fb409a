"""The local server as a process of its own, for benches; it does not outlive its `with`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.processes import LOOPBACK, clean_environment, free_port, process

KEY = "bench-key"
ORG = "dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A local server that answers.

    Attributes:
        data: its data folder.
        pid: its process.
    """

    url: str
    data: Path
    pid: int


@contextmanager
def local_server(
    app: str,
    *,
    runs_tasks: bool = False,
    module: str = "flowstrand.cli",
    variables: Mapping[str, str] | None = None,
    store: str = "sqlite",
    data: Path | None = None,
) -> Iterator[Serving]:
    """`flowstrand dev` on a free port.

    Args:
        app: what `App.load` takes.
        module: what to run instead of the command line, with the same arguments.
        data: its data folder, a new one by default.
    """
    with TemporaryDirectory(prefix="flowstrand-bench-", ignore_cleanup_errors=True) as folder:
        data, port = data or Path(folder) / "data", free_port()
        url = f"http://{LOOPBACK}:{port}"
        options = ["--port", str(port), "--data", str(data), "--app", app, "--api-key", KEY, "--store", store]
        arguments = [sys.executable, "-m", module, "dev", *options, *([] if runs_tasks else ["--no-tasks"])]
        environment = {**clean_environment(), **(variables or {})}
        with process(arguments, environment, Path(folder) / "server.log", f"{url}/_/health") as pid:
            yield Serving(url=url, data=data, pid=pid)
