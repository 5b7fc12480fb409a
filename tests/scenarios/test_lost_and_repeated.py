"""S10, S11: workers that are gone, and requests whose answers are lost, on both stores, warm and with forced cold replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import stamina

from flowstrand.client import SyncClient
from flowstrand.errors import WorkflowFailed
from flowstrand.jsonvalue import JsonObject
from tests.scenarios.transports import TRANSPORTS, history
from tests.scenarios.world import World

LEASE_S = 60
BEGUN = "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED"
REPORTS: dict[str, JsonObject] = {
    "complete": {"output": "late"},
    "fail": {"error": {"type": "E", "message": "late"}},
    "heartbeat": {},
    "stream": {"chunks": [{"type": "token", "payload": "late"}], "requestId": "late"},
}


def begin(world: World, kind: str, input: Any = None) -> str:
    execution = world.start(kind, input)
    world.settle()
    return execution


def report(world: World, task: Any, verb: str) -> tuple[int, str]:
    body = {"leaseToken": task["leaseToken"], **REPORTS[verb]}
    answer = world.request("POST", f"/task-executions/{task['taskExecutionId']}/{verb}", body)
    return answer.status, str(answer.body.get("code"))


# --- S10: a worker that is killed ----------------------------------------------------------------


def test_s10_a_killed_workers_task_is_done_by_another_and_its_late_result_is_refused(world: World) -> None:
    execution = begin(world, "retries")
    lost = world.claim("fails")["fails"]
    world.jump(LEASE_S - 1)
    assert history(world, execution)[-1] == (4, "TASK_STARTED")
    world.jump(1)
    world.jump(2)  # until the next attempt may begin
    taken_over = world.claim("fails")["fails"]
    assert (lost["attempt"], taken_over["attempt"]) == (1, 2)
    assert lost["taskExecutionId"] == taken_over["taskExecutionId"]
    refused = {verb: report(world, lost, verb) for verb in REPORTS}
    assert refused == dict.fromkeys(REPORTS, (409, "STALE_ATTEMPT"))
    world.complete(taken_over, "done")
    world.settle()
    again = {verb: report(world, lost, verb)[0] for verb in REPORTS}
    assert again == dict.fromkeys(REPORTS, 409)
    expected = f"{BEGUN} TASK_STARTED TASK_FAILED TASK_STARTED TASK_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED"
    for transport in TRANSPORTS:
        assert transport(world, execution) == list(enumerate(expected.split(), start=1)), transport.__name__


def test_s10_a_worker_that_is_heard_of_keeps_its_task(world: World) -> None:
    execution = begin(world, "retries")
    task = world.claim("fails")["fails"]
    for _ in range(3):
        world.jump(LEASE_S - 20)
        assert report(world, task, "heartbeat")[0] == 200
    assert report(world, task, "complete")[0] == 200
    world.settle()
    assert world.get(execution)["status"] == "COMPLETED"


def test_s10_workers_that_die_again_and_again_use_up_all_attempts(world: World) -> None:
    execution = begin(world, "retries")
    for attempt in (1, 2, 3):
        task = world.claim("fails")["fails"]
        assert task["attempt"] == attempt
        world.jump(LEASE_S)
        world.jump(10)
    assert world.get(execution)["output"] == "caught"
    assert report(world, task, "complete") == (409, "EXECUTION_CLOSED")


# --- S11: answers that are lost ------------------------------------------------------------------


class Network:
    """Carries requests to the handlers, and loses what it is told to lose.

    Attributes:
        lost: what becomes of the next requests: None where all goes well, else what is lost of them.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.lost: list[str | None] = []
        self.carried = 0

    def carry(self, request: httpx2.Request) -> httpx2.Response:
        lost = self.lost.pop(0) if self.lost else None
        if lost == "request":
            raise httpx2.ConnectError("the connection was refused")
        path = request.url.path.removeprefix("/api/orgs/acme")
        body = json.loads(request.content) if request.content else None
        answer = self._world.request(request.method, path, body, **dict(request.url.params))
        self.carried += 1
        if lost == "answer":
            raise httpx2.ReadError("the connection broke")
        return httpx2.Response(
            answer.status, json=answer.body, headers={"Location": answer.headers.get("Location", "")}
        )


@pytest.fixture
def network(world: World) -> Network:
    return Network(world)


@pytest.fixture
def client(network: Network) -> Iterator[SyncClient]:
    transport = httpx2.MockTransport(network.carry)
    with (
        stamina.set_testing(True, attempts=4, cap=True),
        SyncClient("http://server", "key", "acme", transport=transport) as client,
    ):
        yield client


LOST = [["answer"], ["request", "answer"]]


@pytest.mark.parametrize("lost", LOST, ids="-".join)
def test_s11_a_start_under_a_key_that_is_repeated_makes_one_execution(
    world: World, network: Network, client: SyncClient, lost: list[str | None]
) -> None:
    network.lost = list(lost)
    handle = client.start("catches", idempotency_key="order-7")
    assert network.carried == len(lost) + 1 - lost.count("request")
    assert client.start("catches", idempotency_key="order-7").id == handle.id
    world.settle()
    assert len(world.claim_all("fails")) == 1


@pytest.mark.parametrize("lost", LOST, ids="-".join)
def test_s11_a_signal_that_is_repeated_is_one(
    world: World, network: Network, client: SyncClient, lost: list[str | None]
) -> None:
    handle = client.handle(begin(world, "conversation"))
    network.lost = list(lost)
    first = handle.signal("say", "a")
    network.lost = list(lost)
    assert handle.signal("say", "b") == first + 1
    handle.signal("say", "end")
    world.settle()
    assert handle.result() == ["a", "b"]


@pytest.mark.parametrize("lost", LOST, ids="-".join)
def test_s11_a_signal_with_start_that_is_repeated_starts_once_and_signals_once(
    world: World, network: Network, client: SyncClient, lost: list[str | None]
) -> None:
    for word in ("a", "b", "end"):
        network.lost = list(lost)
        handle = client.signal_with_start("conversation", "chat-7", "say", word)
        world.settle()
    assert handle.result() == ["a", "b"]


@pytest.mark.parametrize("lost", LOST, ids="-".join)
def test_s11_cancels_settlements_and_retries_that_are_repeated_happen_once(
    world: World, network: Network, client: SyncClient, lost: list[str | None]
) -> None:
    approval = client.handle(begin(world, "approval", "order-7"))
    network.lost = list(lost)
    assert client.resolve_promise(key="order-7", value="yes").sequence == 4
    world.settle()
    assert approval.result() == "yes"
    conversation = client.handle(begin(world, "conversation"))
    network.lost = list(lost)
    conversation.cancel()
    world.settle()
    assert [name for _, name in history(world, conversation.id)].count("CANCELLATION_REQUESTED") == 1
    charge = client.handle(begin(world, "charges"))
    world.fail(world.claim("first")["first"])
    world.settle()
    with pytest.raises(WorkflowFailed):
        charge.result()
    network.lost = list(lost)
    retried = charge.retry()
    world.settle()
    assert world.claim("first")["first"]["workflowExecutionId"] == retried.id
    assert world.claim_all("first") == []


@pytest.mark.parametrize("verb", ["complete", "fail"])
def test_s11_a_report_that_is_repeated_gets_the_same_answer(world: World, verb: str) -> None:
    execution = begin(world, "catches")
    task = world.claim("fails")["fails"]
    body = {"leaseToken": task["leaseToken"], **REPORTS[verb]}
    path = f"/task-executions/{task['taskExecutionId']}/{verb}"
    first = world.request("POST", path, body)
    second = world.request("POST", path, body)
    world.settle()
    third = world.request("POST", path, body)
    assert (first.status, first.body["sequence"]) == (200, 5)
    assert first.body == second.body == third.body
    assert len(history(world, execution)) == 7


def test_s11_chunks_that_are_repeated_are_there_once(world: World) -> None:
    execution = begin(world, "catches")
    task = world.claim("fails")["fails"]
    first, second = (
        world.emit(task, {"type": "token", "payload": "a"}, {"type": "token", "payload": "b"}, request_id="c1")
        for _ in range(2)
    )
    assert (first.status, first.body) == (200, second.body)
    assert [name for _, name in history(world, execution)].count("STREAM_TOKEN") == 2
