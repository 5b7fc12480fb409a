"""What a client is known by: a key, what gives a token, or the AWS identity of its process."""

from __future__ import annotations

import threading

import httpx2
import pytest

from flowstrand.client.bearer import Bearer
from flowstrand.client.connection import Connection
from flowstrand.client.iam_credential import IamCredential
from flowstrand.errors import ConfigurationError
from flowstrand.iam_proof import parse_proof

URL = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/live"


def echo(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, text=request.headers["Authorization"])


def test_a_key_is_on_every_request() -> None:
    with httpx2.Client(auth=Bearer("k"), transport=httpx2.MockTransport(echo)) as client:
        assert [client.get("http://x").text for _ in range(2)] == ["Bearer k", "Bearer k"]


async def test_a_source_is_asked_for_each_request_and_beside_the_loop() -> None:
    tokens, threads = iter("ab"), []

    def source() -> str:
        threads.append(threading.current_thread())
        return next(tokens)

    async with httpx2.AsyncClient(auth=Bearer(source), transport=httpx2.MockTransport(echo)) as client:
        assert [(await client.get("http://x")).text for _ in range(2)] == ["Bearer a", "Bearer b"]
    assert threading.main_thread() not in threads


def test_the_synchronous_client_asks_it_too() -> None:
    tokens = iter("ab")
    with httpx2.Client(auth=Bearer(lambda: next(tokens)), transport=httpx2.MockTransport(echo)) as client:
        assert [client.get("http://x").text for _ in range(2)] == ["Bearer a", "Bearer b"]


def test_the_environment_says_that_a_process_is_known_by_its_aws_identity() -> None:
    connection = Connection.resolve(environment={"FLOWSTRAND_URL": f"{URL}/", "FLOWSTRAND_AUTH": "iam"})
    assert isinstance(connection.api_key, IamCredential)


@pytest.mark.parametrize("way", ["iam", "key"])
def test_a_key_comes_first(way: str) -> None:
    environment = {"FLOWSTRAND_AUTH": way, "FLOWSTRAND_API_KEY": "k"}
    assert Connection.resolve(environment=environment).api_key == "k"
    assert Connection.resolve(api_key="given", environment=environment).api_key == "given"


@pytest.mark.parametrize(
    "environment", [{}, {"FLOWSTRAND_AUTH": "key"}, {"FLOWSTRAND_AUTH": ""}, {"FLOWSTRAND_AUTH": "IAM"}]
)
def test_without_either_there_is_nobody_to_be(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Connection.resolve(environment=environment)


def test_no_credential_is_shown() -> None:
    assert "secret" not in repr(Connection.resolve(URL, "secret", environment={}))


def test_where_there_are_no_aws_credentials_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(ConfigurationError, match="no AWS credentials"):
        IamCredential(URL)()


def test_the_region_is_that_of_the_api_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000002")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    assert parse_proof(IamCredential(URL)()).region == "eu-central-1"
    assert parse_proof(IamCredential("https://flow.example.com")()).region == "eu-west-3"
    monkeypatch.setenv("FLOWSTRAND_STS_REGION", "us-east-1")
    assert parse_proof(IamCredential(URL)()).region == "us-east-1"
    assert parse_proof(IamCredential(URL, region="ap-south-1")()).region == "ap-south-1"
