"""The contract of `PayloadStore`, which every store passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TypeAlias

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber

from flowstrand.engine.ids import OrgId
from flowstrand.errors import LogCorrupted, StoreUnavailable
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.payloads.port import PayloadStore
from flowstrand.payloads.s3 import S3Payloads
from flowstrand.payloads.sqlite import SqlitePayloads
from tests.contract.endpoints import s3

ACME, OTHER = OrgId("acme"), OrgId("other")
BODY = b'{"answer":42}'
DIGEST = sha256(BODY).hexdigest()
Damage: TypeAlias = Callable[[OrgId, str, bytes], None]


@pytest.fixture(params=["sqlite", "s3"])
def store_and_damage(request: pytest.FixtureRequest) -> Iterator[tuple[PayloadStore, Damage]]:
    if request.param == "sqlite":
        database = SqliteDatabase.temporary()
        change = "UPDATE payloads SET body = ? WHERE org = ? AND sha256 = ?"
        yield (
            SqlitePayloads(database),
            lambda org, digest, body: _ignore(database.execute(change, (body, org, digest))),
        )
        database.close()
        return
    with s3() as client:
        client.create_bucket(Bucket="payloads", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield (
            S3Payloads(client, "payloads"),
            lambda org, digest, body: _ignore(
                client.put_object(Bucket="payloads", Key=f"payloads/{org}/{digest}", Body=body)
            ),
        )


def _ignore(_: object) -> None:
    """Damage returns nothing."""


@pytest.fixture
def store(store_and_damage: tuple[PayloadStore, Damage]) -> PayloadStore:
    return store_and_damage[0]


@pytest.fixture
def damage(store_and_damage: tuple[PayloadStore, Damage]) -> Damage:
    return store_and_damage[1]


@pytest.mark.parametrize("body", [b"", BODY, bytes(range(256)) * 4_096], ids=["empty", "small", "1 MB"])
def test_a_payload_reads_back_as_it_was_put(store: PayloadStore, body: bytes) -> None:
    digest = sha256(body).hexdigest()
    store.put(ACME, digest, body)
    assert store.get(ACME, digest) == body


def test_putting_a_payload_twice_is_putting_it_once(store: PayloadStore) -> None:
    store.put(ACME, DIGEST, BODY)
    store.put(ACME, DIGEST, BODY)
    assert store.get(ACME, DIGEST) == BODY


def test_another_orgs_payload_does_not_exist(store: PayloadStore) -> None:
    store.put(ACME, DIGEST, BODY)
    with pytest.raises(LogCorrupted):
        store.get(OTHER, DIGEST)


def test_a_missing_payload_is_damage_and_never_an_empty_value(store: PayloadStore) -> None:
    with pytest.raises(LogCorrupted, match="missing"):
        store.get(ACME, DIGEST)


def test_a_changed_payload_is_refused(store: PayloadStore, damage: Damage) -> None:
    store.put(ACME, DIGEST, BODY)
    damage(ACME, DIGEST, BODY + b" ")
    with pytest.raises(LogCorrupted, match="does not match"):
        store.get(ACME, DIGEST)


def test_a_payload_is_not_stored_under_another_values_hash(store: PayloadStore) -> None:
    with pytest.raises(ValueError, match="is not the SHA-256"):
        store.put(ACME, DIGEST, b"something else")
    with pytest.raises(LogCorrupted):
        store.get(ACME, DIGEST)


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("InternalError", 500), ("RequestTimeout", 400)])
def test_throttling_and_server_errors_are_unavailable(code: str, status: int) -> None:
    with s3() as client, Stubber(client) as stubber:
        payloads = S3Payloads(client, "payloads")
        stubber.add_client_error("put_object", code, http_status_code=status)
        stubber.add_client_error("get_object", code, http_status_code=status)
        with pytest.raises(StoreUnavailable):
            payloads.put(ACME, DIGEST, BODY)
        with pytest.raises(StoreUnavailable):
            payloads.get(ACME, DIGEST)


def test_a_refused_permission_passes_as_it_is() -> None:
    with s3() as client, Stubber(client) as stubber:
        stubber.add_client_error("get_object", "AccessDenied", http_status_code=403)
        with pytest.raises(ClientError, match="AccessDenied"):
            S3Payloads(client, "payloads").get(ACME, DIGEST)


def test_a_body_that_breaks_off_is_unavailable() -> None:
    class Broken:
        def read(self) -> bytes:
            raise ReadTimeoutError(endpoint_url="http://127.0.0.1:9")

    with s3() as client, Stubber(client) as stubber:
        stubber.add_response("get_object", {"Body": Broken()})
        with pytest.raises(StoreUnavailable):
            S3Payloads(client, "payloads").get(ACME, DIGEST)


def test_the_size_of_what_is_stored_is_known_and_that_nothing_is(store: PayloadStore) -> None:
    store.put(ACME, DIGEST, BODY)
    assert store.size_of(ACME, DIGEST) == len(BODY)
    assert store.size_of(OTHER, DIGEST) is None
    assert store.size_of(ACME, "0" * 64) is None


def test_who_may_not_list_the_bucket_is_told_of_nothing_where_s3_refuses() -> None:
    with s3() as client, Stubber(client) as stub:
        stub.add_client_error("head_object", service_error_code="403", http_status_code=403)
        assert S3Payloads(client, "payloads").size_of(ACME, DIGEST) is None
