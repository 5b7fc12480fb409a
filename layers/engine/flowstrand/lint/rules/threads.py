"""FS204: threads and processes, which end with the process and answer in no order."""

from __future__ import annotations

from typing import ClassVar

from flowstrand.lint.rules.named_calls import Advice, NamedCalls

_USE = "use tasks: ctx.schedule_async(...) or ctx.map(...)"


class Threads(NamedCalls):
    id = "FS204"
    name = "threads"
    summary = "Starts or uses threads or processes, which no log records."
    use = "tasks: `ctx.schedule_async(…)`, `ctx.map(…)`"
    packages: ClassVar[Advice] = {
        "threading.": _USE,
        "_thread.": _USE,
        "concurrent.futures.": _USE,
        "multiprocessing.": _USE,
        "os.fork": _USE,
        "queue.": "use signals: ctx.wait_for_signal(name)",
    }
