"""Large values in the clients and in workers: past the API, without its credential, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import stamina

from flowstrand import App, Compression, TaskContext, task
from flowstrand.client import Client, SyncClient
from flowstrand.errors import InvalidInput, NotFound, Unavailable
from flowstrand.jsonvalue import JsonObject
from tests.unit.fake_server import FakeServer
from tests.unit.test_worker import serving, worker_of

VALUE = {"text": "é" * 10}
STORED = json.dumps(VALUE, ensure_ascii=False, separators=(",", ":")).encode()
ID = hashlib.sha256(STORED).hexdigest()
REFERENCE: JsonObject = {"$flowstrand": "payload", "id": ID, "sizeBytes": len(STORED)}
KEY = "Bearer secret"


class FakeStore:
    """An API that begins uploads, and a store that takes and gives values at another address."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.requests: list[httpx2.Request] = []
        self.status = 200

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self.handle)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if request.url.host == "store":
            return self._transfer(request)
        if request.method == "POST":
            asked: Any = json.loads(request.content)
            begun = {
                "payloadId": asked["sha256"],
                "payload": {"$flowstrand": "payload", "id": asked["sha256"], "sizeBytes": asked["sizeBytes"]},
                "stored": asked["sha256"] in self.bodies,
                "uploadUrl": f"https://store/{asked['sha256']}",
                "method": "PUT",
                "headers": {"content-type": "application/json", "x-amz-checksum-sha256": "digest"},
            }
            return httpx2.Response(201, json=begun)
        id = request.url.path.rpartition("/")[2]
        if id not in self.bodies:
            return httpx2.Response(404, json={"error": "no", "code": "PAYLOAD_NOT_FOUND"})
        return httpx2.Response(200, json={"payloadId": id, "downloadUrl": f"https://store/{id}"})

    def _transfer(self, request: httpx2.Request) -> httpx2.Response:
        id = request.url.path.removeprefix("/")
        if self.status != 200:
            return httpx2.Response(self.status)
        if request.method == "PUT":
            self.bodies[id] = request.content
            return httpx2.Response(200)
        return httpx2.Response(200, content=self.bodies[id])


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def client(store: FakeStore) -> Iterator[SyncClient]:
    with SyncClient("http://server", "secret", "acme", transport=store.transport) as client:
        yield client


def test_an_upload_goes_to_the_store_and_its_credential_does_not(store: FakeStore, client: SyncClient) -> None:
    assert client.upload(VALUE) == REFERENCE
    assert store.bodies == {ID: STORED}
    begin, put = store.requests
    assert json.loads(begin.content) == {"sizeBytes": len(STORED), "sha256": ID}
    assert begin.headers["authorization"] == KEY
    assert "authorization" not in put.headers
    assert put.headers["x-amz-checksum-sha256"] == "digest"
    assert client.upload(VALUE) == REFERENCE
    assert len(store.requests) == 3  # it is there, and is not sent again


def test_a_download_is_what_was_uploaded_and_anything_else_is_itself(store: FakeStore, client: SyncClient) -> None:
    assert client.download(client.upload(VALUE)) == VALUE
    assert client.download({"n": 1}) == {"n": 1}
    assert "authorization" not in store.requests[-1].headers
    with pytest.raises(NotFound):
        client.download({"$flowstrand": "payload", "id": "0" * 64})
    with pytest.raises(NotFound):
        client.download({"$flowstrand": "payload"})


async def test_the_same_asynchronously_and_encoded(store: FakeStore) -> None:
    async with Client("http://server", "secret", "acme", codec=Compression(), transport=store.transport) as client:
        reference = await client.upload({"text": "x" * 5_000})
        assert await client.download(reference) == {"text": "x" * 5_000}
    [body] = store.bodies.values()
    assert b"xxxx" not in body


@pytest.mark.parametrize(("status", "expected"), [(403, InvalidInput), (503, Unavailable)])
def test_a_store_that_refuses_is_told_of(
    store: FakeStore, client: SyncClient, status: int, expected: type[Exception]
) -> None:
    store.status = status
    with pytest.raises(expected, match=str(status)):
        client.upload(VALUE)


def test_what_is_no_json_is_said_to_be_none(store: FakeStore, client: SyncClient) -> None:
    store.bodies[ID] = b"no json"
    with pytest.raises(InvalidInput, match="no JSON"):
        client.download(REFERENCE)


async def test_a_worker_fetches_an_input_and_uploads_an_output_that_are_too_large() -> None:
    store = FakeStore()
    store.bodies["large"] = json.dumps("i" * 2_000_000).encode()

    @task
    async def doubles(_ctx: TaskContext, text: str) -> str:
        return text * 2

    server = FakeServer(beside=store.handle)
    task_id = server.add("doubles", {"$flowstrand": "payload", "id": "a" * 64}, input_url="https://store/large")
    async with serving(worker_of(server, App(tasks=[doubles]))):
        verb, body = await server.report_of(task_id)
    assert verb == "complete"
    output: Any = body["output"]
    assert json.loads(store.bodies[output["id"]]) == "i" * 4_000_000
