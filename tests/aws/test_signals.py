"""S8: a hundred callers signal-with-start at once: one execution that hears every one of them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from flowstrand.jsonvalue import JsonObject
from tests.aws.stack import Answer, Stack

CALLERS = 100
END = -1


def test_s8_a_hundred_callers_make_one_execution_and_a_hundred_signals(stack: Stack) -> None:
    name = uuid4().hex

    def signal(number: int) -> Answer:
        body: JsonObject = {"workflowId": name, "kind": "conversation", "signalName": "say", "signalValue": number}
        return stack.ask("POST", "/workflow-executions/signal-with-start", {**body, "requestId": f"say-{number}"})

    stack.ask("GET", "/workflow-executions")  # from here on API Gateway knows the key
    with ThreadPoolExecutor(CALLERS) as callers:
        answers = list(callers.map(signal, range(CALLERS)))
    [execution] = {str(answer.body["workflowExecutionId"]) for answer in answers}
    told = {answer.body["signalEventSequence"] for answer in answers}
    signal(END)

    log = stack.await_end(execution)
    assert [event["sequence"] for event in log] == list(range(1, len(log) + 1))
    heard = {event["sequence"]: event["data"] for event in log if event["type"] == "SIGNAL_RECEIVED"}
    assert len(heard) == CALLERS + 1, Counter(event["type"] for event in log)
    assert told < set(heard)
    assert sorted(stack.get(execution)["output"]) == list(range(CALLERS))
