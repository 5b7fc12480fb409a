"""The contracts of `PayloadInventory` and `LogInventory`, which every store passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import ConfigurationError
from flowstrand.log.dynamodb import DynamoLog, create_log_table
from flowstrand.log.dynamodb_inventory import DynamoInventory
from flowstrand.log.inventory import LogInventory
from flowstrand.log.port import EventLog, LogKey
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.log.sqlite_inventory import SqliteInventory
from flowstrand.payloads.inventory import PayloadInventory
from flowstrand.payloads.port import PayloadStore
from flowstrand.payloads.s3 import S3Payloads
from flowstrand.payloads.s3_inventory import S3Inventory
from flowstrand.payloads.sqlite import SqlitePayloads
from flowstrand.payloads.sqlite_inventory import SqlitePayloadInventory
from tests.contract.commits import commit
from tests.contract.endpoints import dynamodb, s3

ACME, OTHER = OrgId("acme"), OrgId("other")
BODIES = [f'"{number}"'.encode() for number in range(3)]
DIGESTS = [sha256(body).hexdigest() for body in BODIES]


@pytest.fixture(params=["sqlite", "s3"])
def payloads(request: pytest.FixtureRequest) -> Iterator[tuple[PayloadStore, PayloadInventory]]:
    if request.param == "sqlite":
        database = SqliteDatabase.in_memory()
        yield SqlitePayloads(database), SqlitePayloadInventory(database)
        database.close()
        return
    with s3() as client:
        client.create_bucket(Bucket="payloads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        client.put_bucket_versioning(Bucket="payloads", VersioningConfiguration={"Status": "Enabled"})
        client.put_object(Bucket="payloads", Key="elsewhere", Body=b"")
        yield S3Payloads(client, "payloads"), S3Inventory(client, "payloads")


@pytest.fixture(params=["sqlite", "dynamodb"])
def logs(request: pytest.FixtureRequest) -> Iterator[tuple[EventLog, LogInventory]]:
    if request.param == "sqlite":
        database = SqliteDatabase.in_memory()
        yield SqliteLog(database), SqliteInventory(database)
        database.close()
        return
    with dynamodb() as client:
        create_log_table(client, "inventory")
        yield DynamoLog(client, "inventory"), DynamoInventory(client, "inventory")


def test_every_stored_value_is_listed_once(payloads: tuple[PayloadStore, PayloadInventory]) -> None:
    store, inventory = payloads
    assert list(inventory.stored()) == []
    for org in (ACME, OTHER):
        for digest, body in zip(DIGESTS, BODIES, strict=True):
            store.put(org, digest, body)
    store.put(ACME, DIGESTS[0], BODIES[0])
    found = [(payload.org, payload.sha256, payload.size) for payload in inventory.stored()]
    assert sorted(found) == sorted((org, digest, 3) for org in (ACME, OTHER) for digest in DIGESTS)


def test_what_is_removed_is_gone_and_nothing_else(payloads: tuple[PayloadStore, PayloadInventory]) -> None:
    store, inventory = payloads
    for org in (ACME, OTHER):
        store.put(org, DIGESTS[0], BODIES[0])
    [payload] = [found for found in inventory.stored() if found.org == ACME]
    inventory.remove(payload)
    inventory.remove(payload)
    assert [found.org for found in inventory.stored()] == [OTHER]
    assert store.size_of(ACME, DIGESTS[0]) is None


def test_a_value_that_was_stored_again_meanwhile_stays(payloads: tuple[PayloadStore, PayloadInventory]) -> None:
    store, inventory = payloads
    store.put(ACME, DIGESTS[0], BODIES[0])
    [before] = inventory.stored()
    store.put(ACME, DIGESTS[0], BODIES[0])
    inventory.remove(before)
    assert store.get(ACME, DIGESTS[0]) == BODIES[0]
    [after] = inventory.stored()
    assert after == replace(before, version=after.version) != before


def test_a_bucket_that_keeps_no_versions_is_refused() -> None:
    with s3() as client:
        client.create_bucket(Bucket="payloads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        S3Payloads(client, "payloads").put(ACME, DIGESTS[0], BODIES[0])
        with pytest.raises(ConfigurationError, match="keeps no versions"):
            list(S3Inventory(client, "payloads").stored())


def test_a_file_of_an_earlier_version_counts_its_puts_from_now_on() -> None:
    database = SqliteDatabase.in_memory()
    database.execute("CREATE TABLE payloads (org TEXT, sha256 TEXT, body BLOB, PRIMARY KEY (org, sha256))")
    database.execute("INSERT INTO payloads VALUES (?, ?, ?)", (ACME, DIGESTS[0], BODIES[0]))
    store = SqlitePayloads(database)
    SqlitePayloads(database)
    assert [payload.version for payload in SqlitePayloadInventory(database).stored()] == ["1"]
    store.put(ACME, DIGESTS[0], BODIES[0])
    assert [payload.version for payload in SqlitePayloadInventory(database).stored()] == ["2"]
    database.close()


def test_every_commit_of_every_log_is_there_without_its_checkpoint(logs: tuple[EventLog, LogInventory]) -> None:
    log, inventory = logs
    assert list(inventory.commits()) == []
    written = [
        commit(LogKey(org, ExecutionId(f"e{number}")), sequence)
        for org in (ACME, OTHER)
        for number in range(3)
        for sequence in (1, 2, 3)
    ]
    for each in written:
        log.append(each)
    found = sorted(inventory.commits(), key=lambda each: (str(each.key), each.sequence))
    assert found == [replace(each, checkpoint=None, checkpoint_at=None) for each in written]
    assert sorted(map(str, inventory.keys(ACME))) == ["acme#e0", "acme#e1", "acme#e2"]
    assert list(inventory.keys(OrgId("acm"))) == []
