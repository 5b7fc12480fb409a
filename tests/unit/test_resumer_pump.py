"""The local SQS: what the resumer takes is gone, what it refuses comes again later, and slow work is not done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.local import resumer_pump
from flowstrand.local.functions import Functions
from flowstrand.local.resumer_pump import ResumerPump, backoff_ms, failed_items, sqs_record
from flowstrand.queues.in_process import InProcessControlQueue, Received
from flowstrand.queues.messages import Wake, load
from flowstrand.service.clock import SystemClock

WAKE = Wake(org=OrgId("acme"), execution_id=ExecutionId("01JDX"), sequence=3)
VISIBILITY_MS = 300


class Resumer:
    """A handler that does what it is told with each delivery, in turn."""

    def __init__(self, *outcomes: Callable[[dict[str, Any]], Any]) -> None:
        self._outcomes = list(outcomes)
        self.records: list[dict[str, Any]] = []
        self.is_done = threading.Event()

    def __call__(self, event: dict[str, Any], context: object) -> Any:
        (record,) = event["Records"]
        self.records.append(record)
        try:
            return self._outcomes.pop(0)(record)
        finally:
            if not self._outcomes:
                self.is_done.set()


def take(record: dict[str, Any]) -> Any:
    return {"batchItemFailures": []}


def refuse(record: dict[str, Any]) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


def crash(record: dict[str, Any]) -> Any:
    raise RuntimeError("out of luck")


@contextmanager
def pumping(resumer: Resumer) -> Iterator[InProcessControlQueue]:
    queue = InProcessControlQueue(SystemClock(), VISIBILITY_MS)
    pump = ResumerPump(queue, Functions({"resumer": resumer}), visibility_ms=VISIBILITY_MS)
    pump.start()
    try:
        yield queue
    finally:
        pump.stop(5)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumer_pump, "_FIRST_RETRY_MS", 1)


@pytest.mark.parametrize("failure", [refuse, crash])
def test_what_fails_comes_again_and_what_is_taken_does_not(failure: Callable[[dict[str, Any]], Any]) -> None:
    resumer = Resumer(failure, failure, take)
    with pumping(resumer) as queue:
        queue.send([WAKE])
        assert resumer.is_done.wait(10)
    assert len(queue) == 0
    assert [load(record["body"]) for record in resumer.records] == [WAKE] * 3
    assert [record["attributes"]["ApproximateReceiveCount"] for record in resumer.records] == ["1", "2", "3"]


def test_slow_work_is_not_delivered_a_second_time_meanwhile() -> None:
    waited = threading.Event()

    def slowly(record: dict[str, Any]) -> Any:
        waited.wait(VISIBILITY_MS * 3 / 1_000)  # nothing sets it: this is work that outlives the visibility
        return take(record)

    resumer = Resumer(slowly)
    with pumping(resumer) as queue:
        queue.send([WAKE])
        assert resumer.is_done.wait(10)
    assert len(resumer.records) == 1
    assert len(queue) == 0


def test_a_record_is_what_the_resumer_reads() -> None:
    record = sqs_record(Received(message=WAKE, receipt="r", receive_count=2))
    assert load(str(record["body"])) == WAKE
    assert failed_items(None) == frozenset()
    assert failed_items({"batchItemFailures": [{"itemIdentifier": "a"}]}) == frozenset({"a"})


def test_the_backoff_doubles_up_to_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumer_pump, "_FIRST_RETRY_MS", 200)
    assert [backoff_ms(count) for count in (1, 2, 3, 8, 9, 1_000)] == [200, 400, 800, 25_600, 30_000, 30_000]
