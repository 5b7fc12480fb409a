"""Dead letters go back to their queue, none is lost on the way, and what is not ours stays where it is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import ConfigurationError
from flowstrand.log.port import LogKey
from flowstrand.operations.place import Place, Stack, local_place
from flowstrand.operations.queue_names import DeadLetters
from flowstrand.operations.redriving import Redriven, hand_over, redrive, wake_stalled
from flowstrand.queues.messages import Wake, dump, load
from flowstrand.service import open_executions
from flowstrand.service.stalls import Patience
from tests.functions.stack import ACME, first_commit
from tests.unit.operations.deployed import Functions


@pytest.fixture
def place(deployed: tuple[Place, Functions], monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr("flowstrand.operations.redriving._WAIT_S", 0)
    return deployed[0]


def stack_of(place: Place) -> Stack:
    assert place.stack is not None
    return place.stack


def wake(number: int) -> Wake:
    return Wake(org=OrgId("acme"), execution_id=ExecutionId(f"e{number}"), sequence=number)


def die(place: Place, *bodies: str, queue: str = "control_dead_letters_url") -> None:
    """These could not be handled."""
    stack = stack_of(place)
    for body in bodies:
        stack.clients.sqs.send_message(QueueUrl=getattr(stack.names, queue), MessageBody=body)


def bodies(place: Place, queue: str) -> list[str]:
    stack = stack_of(place)
    url = getattr(stack.names, queue)
    found: list[str] = []
    while messages := stack.clients.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600
    ).get("Messages", []):
        found += [message["Body"] for message in messages]
    return sorted(found)


def test_they_go_back_to_their_queue(place: Place) -> None:
    letters = sorted(dump(wake(number)) for number in range(23))
    die(place, *letters)
    assert redrive(place, DeadLetters.CONTROL) == Redriven(queue=DeadLetters.CONTROL, found=23, moved=23)
    assert bodies(place, "control_queue_url") == letters
    assert bodies(place, "control_dead_letters_url") == []


def test_no_more_than_asked_for(place: Place) -> None:
    die(place, *(dump(wake(number)) for number in range(15)))
    assert redrive(place, DeadLetters.CONTROL, limit=12).moved == 12
    assert len(bodies(place, "control_queue_url")) == 12
    assert len(bodies(place, "control_dead_letters_url")) == 3


def test_a_dry_run_counts(place: Place) -> None:
    die(place, dump(wake(1)))
    assert redrive(place, DeadLetters.CONTROL, dry_run=True) == Redriven(queue=DeadLetters.CONTROL, found=1)
    assert len(bodies(place, "control_dead_letters_url")) == 1


def test_what_is_none_of_ours_stays(place: Place) -> None:
    die(place, "what is this", dump(wake(1)))
    assert redrive(place, DeadLetters.CONTROL) == Redriven(queue=DeadLetters.CONTROL, found=2, moved=1, left=1)
    assert [load(body) for body in bodies(place, "control_queue_url")] == [wake(1)]


@pytest.mark.parametrize("operation", ["SendMessageBatch", "DeleteMessageBatch"])
def test_dying_on_the_way_loses_nothing(place: Place, operation: str) -> None:
    letters = sorted(dump(wake(number)) for number in range(3))
    die(place, *letters)

    def fail(**_: object) -> None:
        error: Any = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        raise ClientError(error, operation)

    events = stack_of(place).clients.sqs.meta.events
    events.register(f"before-call.sqs.{operation}", fail)
    try:
        with pytest.raises(ClientError):
            redrive(place, DeadLetters.CONTROL)
    finally:
        events.unregister(f"before-call.sqs.{operation}", fail)
    sent = bodies(place, "control_queue_url")
    assert sent == ([] if operation == "SendMessageBatch" else letters)
    attributes = stack_of(place).clients.sqs.get_queue_attributes(
        QueueUrl=str(stack_of(place).names.control_dead_letters_url), AttributeNames=["All"]
    )["Attributes"]
    assert int(attributes["ApproximateNumberOfMessagesNotVisible"]) == 3, "they come again in a while"


def test_what_the_projector_gave_up_is_projected_and_its_letters_go(place: Place) -> None:
    execution = ExecutionId("01X")
    open_executions.add(place.services.directory, LogKey(ACME, execution), 0)
    place.services.log.append(first_commit(execution))
    die(place, "{}", queue="projector_dead_letters_url")
    assert redrive(place, DeadLetters.PROJECTOR).moved == 1
    from flowstrand.service.projection import is_projected

    assert is_projected(place.services, LogKey(ACME, execution), 1)
    assert bodies(place, "projector_dead_letters_url") == []


def test_where_something_cannot_be_projected_the_letters_stay(place: Place) -> None:
    execution = ExecutionId("01X")
    open_executions.add(place.services.directory, LogKey(ACME, execution), 0)
    place.services.log.append(replace(first_commit(execution), events=b"damaged"))
    die(place, "{}", queue="projector_dead_letters_url")
    found = redrive(place, DeadLetters.PROJECTOR)
    assert found == Redriven(queue=DeadLetters.PROJECTOR, found=1, left=1)
    assert bodies(place, "projector_dead_letters_url") == ["{}"]


def test_sqs_may_do_it_by_itself(place: Place) -> None:
    stack = stack_of(place)
    assert not hand_over(place, DeadLetters.TASKS).under_way, "there is nothing to move"
    die(place, dump(wake(1)), "what is this")
    asked: list[dict[str, str]] = []

    def started(params: dict[str, str], **_: object) -> Any:  # moto knows no such call
        asked.append(params)
        return Answer(), {"TaskHandle": "t"}

    class Answer:
        status_code = 200

    stack.clients.sqs.meta.events.register(
        "before-call.sqs.StartMessageMoveTask", lambda params, **_: started(json.loads(params["body"]))
    )
    assert hand_over(place, DeadLetters.CONTROL) == Redriven(queue=DeadLetters.CONTROL, found=2, under_way=True)
    [request] = asked
    assert request["SourceArn"].endswith("-ControlDeadLetters")
    assert request["DestinationArn"].endswith("-ControlQueue")
    with pytest.raises(ConfigurationError, match="Lambda"):
        hand_over(place, DeadLetters.PROJECTOR)


def test_a_stalled_execution_is_woken(place: Place) -> None:
    execution = ExecutionId("01X")
    open_executions.add(place.services.directory, LogKey(ACME, execution), 0)
    place.services.log.append(first_commit(execution))
    patience = Patience(stalled_ms=-1_000_000_000_000)
    assert [s.key.execution_id for s in wake_stalled(place, patience, most=10, dry_run=True)] == [execution]
    assert bodies(place, "control_queue_url") == []
    wake_stalled(place, patience, most=10)
    assert [load(body) for body in bodies(place, "control_queue_url")] == [
        Wake(org=ACME, execution_id=execution, sequence=1)
    ]


def test_a_data_folder_has_no_queues(tmp_path: Any) -> None:
    (tmp_path / "flowstrand.db").touch()
    local = local_place(tmp_path)
    for use in (
        lambda: redrive(local, DeadLetters.CONTROL),
        lambda: wake_stalled(local, Patience(), most=1),
    ):
        with pytest.raises(ConfigurationError):
            use()
    local.close()
