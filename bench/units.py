"""What a step, a task and a whole execution consume on DynamoDB, as the store counts it, and what `flowstrand price` says of the same log.

One process does everything, one thing after the other, so nothing conflicts and nothing is sent twice: the least that it takes.
Commits are projected one by one, which is the most that the projector takes.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.config import Config

from bench.engine import ORG, Engine
from bench.steps import steps
from flowstrand import RetryPolicy, WorkflowContext, workflow
from flowstrand.directory.dynamodb import DynamoDirectory, create_directory_table
from flowstrand.jsonvalue import JsonValue
from flowstrand.local.notifying_log import NotifyingLog
from flowstrand.log.dynamodb import DynamoLog, create_log_table
from flowstrand.log.port import LogKey
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.operations.exporting import export_one
from flowstrand.operations.pricing.usage import usage_of
from flowstrand.sdk.app import App
from tests.support.dynoxide import dynamodb_endpoint

_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_READS = frozenset({"GetItem", "Query", "BatchGetItem"})
_TABLES = {"log": "the log", "directory": "the directory"}


@workflow(name="chain")
async def chain(ctx: WorkflowContext, count: int) -> JsonValue:
    """One task after another."""
    given: JsonValue = 0
    for _ in range(count):
        given = await ctx.schedule("work", given, retry=RetryPolicy(max_attempts=1))
    return given


class Units:
    """Units by table, and whether they were written or read."""

    def __init__(self) -> None:
        self.counted: defaultdict[tuple[str, str], float] = defaultdict(float)

    def count(self, operation: str, parsed: dict[str, Any]) -> None:
        """One answer."""
        consumed = parsed.get("ConsumedCapacity", [])
        for one in consumed if isinstance(consumed, list) else [consumed]:
            self.counted[one["TableName"], "written" if operation in _WRITES else "read"] += one["CapacityUnits"]

    def taken(self) -> dict[tuple[str, str], float]:
        """What was counted since this was asked last."""
        counted, self.counted = dict(self.counted), defaultdict(float)
        return counted


@contextmanager
def on_dynamodb() -> Iterator[tuple[Engine, Units]]:
    """An engine whose log and directory are on a DynamoDB that counts."""
    units = Units()
    with TemporaryDirectory(prefix="flowstrand-bench-") as name, dynamodb_endpoint(Path(name)) as url:
        client = boto3.client(
            "dynamodb",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="bench",
            aws_secret_access_key="bench",
            config=Config(retries={"total_max_attempts": 4}),
        )
        create_log_table(client, "log")
        create_directory_table(client, "directory")
        _observe(client, units)
        database = SqliteDatabase.in_memory()
        engine = Engine(database, App(workflows=[steps, chain]), projected_together=1)
        log = NotifyingLog(DynamoLog(client, "log"), [engine.note])
        directory = DynamoDirectory(client, "directory")
        engine.services = replace(engine.services, log=log, directory=directory)
        yield engine, units
        database.close()


def _observe(client: Any, units: Units) -> None:
    for operation in _WRITES | _READS:
        client.meta.events.register(f"provide-client-params.dynamodb.{operation}", _ask)
        client.meta.events.register(
            f"after-call.dynamodb.{operation}",
            lambda parsed, operation=operation, **_: units.count(operation, parsed),
        )


def _ask(params: dict[str, Any], **_: Any) -> None:
    params["ReturnConsumedCapacity"] = "TOTAL"


def main() -> int:
    """Measure and print."""
    with on_dynamodb() as (engine, units):
        for kind in ("steps", "chain"):
            few, many = _measured(engine, units, kind, 5), _measured(engine, units, kind, 25)
            print(f"{kind}:")
            for name in sorted({*few, *many}):
                each = (many.get(name, 0) - few.get(name, 0)) / 20
                print(
                    f"  {name:34} {few.get(name, 0):7.1f} for 5   {many.get(name, 0):7.1f} for 25   {each:6.2f} each"
                )
    return 0


def _measured(engine: Engine, units: Units, kind: str, count: int) -> dict[str, float]:
    units.taken()
    [id] = engine.run_all(kind, count, 1)
    found = {f"{_TABLES[table]}, {what}": amount for (table, what), amount in units.taken().items()}
    usage = usage_of([export_one(engine.services, LogKey(ORG, id))])
    units.taken()
    return found | {
        "commits": usage.commits,
        "reckoned: the log, written": usage.log_write_units,
        "reckoned: requests": usage.requests,
        "reckoned: messages": usage.messages,
    }


if __name__ == "__main__":
    sys.exit(main())
