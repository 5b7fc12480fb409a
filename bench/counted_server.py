"""The local server, counting what DynamoDB says that each write consumed: `python -m bench.counted_server dev …`.

At SIGUSR1 it writes the counts so far to the file that `BENCH_COUNTS` names, as JSON:
`{"<who>/<table>/<operation>": {"units": …, "calls": …, "refused": …}}`. `who` is `projector` for what the table's stream sets off,
else `service`.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import boto3

from flowstrand.cli import main

_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
_PROJECTOR_THREAD = "table-stream"


class Counts:
    """Write units by writer, table and operation. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, dict[str, float]] = defaultdict(lambda: {"units": 0.0, "calls": 0, "refused": 0})

    def count(self, operation: str, parsed: dict[str, Any]) -> None:
        """One answer of DynamoDB. A refused write says nothing of what it consumed, and is counted apart."""
        consumed = parsed.get("ConsumedCapacity", [])
        for one in consumed if isinstance(consumed, list) else [consumed]:
            self._add(one["TableName"], operation, units=float(one["CapacityUnits"]), calls=1)
        if "Error" in parsed:
            self._add("any", operation, refused=1)

    def write(self, path: Path) -> None:
        """Leave them where the bench looks, whole or not at all."""
        with self._lock:
            text = json.dumps(self._counts)
        partial = path.with_suffix(".partial")
        partial.write_text(text)
        partial.rename(path)

    def _add(self, table: str, operation: str, **amounts: float) -> None:
        who = "projector" if threading.current_thread().name == _PROJECTOR_THREAD else "service"
        with self._lock:
            row = self._counts[f"{who}/{table}/{operation}"]
            for name, amount in amounts.items():
                row[name] += amount


def _ask(params: dict[str, Any], **_: Any) -> None:
    params["ReturnConsumedCapacity"] = "TOTAL"


def _observe(counts: Counts) -> None:
    boto3.setup_default_session()
    session = boto3.DEFAULT_SESSION
    assert session is not None
    for operation in _WRITES:
        session.events.register(f"provide-client-params.dynamodb.{operation}", _ask)
        session.events.register(
            f"after-call.dynamodb.{operation}",
            lambda parsed, operation=operation, **_: counts.count(operation, parsed),
        )


def _run() -> None:
    counts, path = Counts(), Path(os.environ["BENCH_COUNTS"])
    _observe(counts)
    signal.signal(signal.SIGUSR1, lambda *_: counts.write(path))
    main()


if __name__ == "__main__":
    _run()
