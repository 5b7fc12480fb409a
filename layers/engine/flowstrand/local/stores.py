"""`Stores`: the durable adapters of the local server, in a SQLite file or in DynamoDB and S3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory
from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.local.aws_endpoint import AwsEndpoint
from flowstrand.log.inventory import LogInventory
from flowstrand.log.port import EventLog
from flowstrand.log.retention import LogRetention
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.log.sqlite_inventory import SqliteInventory
from flowstrand.log.sqlite_retention import SqliteRetention
from flowstrand.payloads.inventory import PayloadInventory
from flowstrand.payloads.port import PayloadStore
from flowstrand.payloads.sqlite import SqlitePayloads
from flowstrand.payloads.sqlite_inventory import SqlitePayloadInventory
from flowstrand.payloads.transfers import PayloadTransfers

DATABASE = "flowstrand.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """One log, what lets it expire, directory and payload store, and how to close them.

    Attributes:
        log_inventory, payload_inventory: all that is in them, for operators' tools.
        transfers: where the payload store takes uploads itself; elsewhere the server does.
    """

    log: EventLog
    retention: LogRetention
    directory: Directory
    payloads: PayloadStore
    log_inventory: LogInventory
    payload_inventory: PayloadInventory
    transfers: PayloadTransfers | None = None
    close: Callable[[], None]


def sqlite_stores(data: Path) -> Stores:
    """All in one file in `data`, which must exist."""
    return stores_in(SqliteDatabase(data / DATABASE))


def stores_in(database: SqliteDatabase) -> Stores:
    """All in one database."""
    directory = SqliteDirectory(database)
    return Stores(
        log=SqliteLog(database),
        retention=SqliteRetention(database, also_purge=directory.purge),
        directory=directory,
        payloads=SqlitePayloads(database),
        log_inventory=SqliteInventory(database),
        payload_inventory=SqlitePayloadInventory(database),
        close=database.close,
    )


def dynamodb_stores(endpoint: AwsEndpoint) -> Stores:
    """Two tables and a bucket; made first where `endpoint` is not AWS itself."""
    from flowstrand.directory.dynamodb import DynamoDirectory, create_directory_table
    from flowstrand.log.dynamodb import DynamoLog, create_log_table
    from flowstrand.log.dynamodb_inventory import DynamoInventory
    from flowstrand.log.dynamodb_retention import DynamoRetention
    from flowstrand.payloads.s3 import S3Payloads
    from flowstrand.payloads.s3_inventory import S3Inventory

    dynamodb, s3 = endpoint.dynamodb(), endpoint.s3()
    if endpoint.is_emulated:
        create_log_table(dynamodb, endpoint.log_table)
        create_directory_table(dynamodb, endpoint.directory_table)
        endpoint.ensure_bucket(s3)
    payloads = S3Payloads(s3, endpoint.payload_bucket)
    return Stores(
        log=DynamoLog(dynamodb, endpoint.log_table),
        retention=DynamoRetention(dynamodb, endpoint.log_table),
        directory=DynamoDirectory(dynamodb, endpoint.directory_table),
        payloads=payloads,
        log_inventory=DynamoInventory(dynamodb, endpoint.log_table),
        payload_inventory=S3Inventory(s3, endpoint.payload_bucket),
        transfers=payloads,
        close=lambda: None,
    )
