"""Where the DynamoDB store of the local server is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.local.aws_endpoint import AwsEndpoint
from flowstrand.local.stores import Stores, dynamodb_stores, sqlite_stores
from flowstrand.log.port import Commit, LogKey


@pytest.mark.parametrize(
    ("environment", "dynamodb", "s3"),
    [
        ({}, None, None),
        ({"AWS_ENDPOINT_URL": "http://a"}, "http://a", "http://a"),
        ({"AWS_ENDPOINT_URL": "http://a", "FLOWSTRAND_DYNAMODB_ENDPOINT": "http://b"}, "http://b", "http://b"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://c"}, "http://a", "http://c"),
    ],
)
def test_the_environment_says_where(environment: Mapping[str, str], dynamodb: str | None, s3: str | None) -> None:
    endpoint = AwsEndpoint.of(environment)
    assert (endpoint.dynamodb_url, endpoint.s3_url) == (dynamodb, s3)
    assert endpoint.is_emulated is (dynamodb is not None)


def test_localstack_is_found_by_its_name() -> None:
    endpoint = AwsEndpoint.of({"FLOWSTRAND_DYNAMODB_ENDPOINT": "localstack"})
    assert endpoint.dynamodb_url is not None
    assert endpoint.dynamodb_url.endswith(":4566")
    assert endpoint.s3_url == endpoint.dynamodb_url


def test_an_emulator_needs_no_credentials_and_aws_gets_only_its_own() -> None:
    assert AwsEndpoint.of({"AWS_ENDPOINT_URL": "http://a"}).options["aws_access_key_id"] == "local"
    mine = {"AWS_ENDPOINT_URL": "http://a", "AWS_ACCESS_KEY_ID": "mine", "AWS_REGION": "eu-west-1"}
    assert AwsEndpoint.of(mine).options == {"region_name": "eu-west-1"}
    assert AwsEndpoint.of({}).options == {}


def test_tables_and_bucket_are_made_once_where_there_is_no_stack() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = AwsEndpoint.of({"FLOWSTRAND_DYNAMODB_ENDPOINT": f"http://{host}:{port}"})
        use(dynamodb_stores(endpoint))
        again = dynamodb_stores(endpoint)
        assert again.log.tail(KEY) == COMMIT
    finally:
        server.stop()


def test_sqlite_keeps_everything_in_one_folder(tmp_path: Path) -> None:
    stores = sqlite_stores(tmp_path)
    use(stores)
    stores.close()
    again = sqlite_stores(tmp_path)
    assert again.log.tail(KEY) == COMMIT
    again.close()


KEY = LogKey(OrgId("acme"), ExecutionId("01JDX"))
COMMIT = Commit(key=KEY, sequence=1, count=1, events=b"e", written_at_ms=1, commit_id="a")


def use(stores: Stores) -> None:
    """Write something to each."""
    stores.log.append(COMMIT)
    stores.directory.put("p", "k", {"x": 1})
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of b"x"
    stores.payloads.put(OrgId("acme"), digest, b"x")
    assert stores.payloads.get(OrgId("acme"), digest) == b"x"
