"""What has come to rest is set going again: dead letters go back to their queues, stalled executions are woken.

A message is sent before it is deleted: dying in between leaves it in both queues, and whoever receives it twice does no harm
(law 7). Nothing is ever in neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError, InvalidInput
from flowstrand.operations.place import Place, Stack
from flowstrand.operations.queue_names import DeadLetters
from flowstrand.operations.stalled import survey
from flowstrand.queues.messages import Wake, load
from flowstrand.service import mending
from flowstrand.service.stalls import Patience, Stall

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_BATCH = 10
_HIDDEN_S = 120
"""How long a message that is being moved is hidden from others who move them."""
_WAIT_S = 1
_EMPTY = 2
"""Receives in a row without a message after which a queue is taken to be empty: SQS does not ask all of its servers each time."""
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """What became of one queue's messages.

    Attributes:
        found: how many there were, about, before anything was done.
        moved: to the queue that they came from; of the projector, done and removed.
        left: that stay where they are: none of ours, or of the projector, if not all could be done.
        under_way: whether SQS moves them now, by itself.
    """

    queue: DeadLetters
    found: int
    moved: int = 0
    left: int = 0
    under_way: bool = False


def redrive(place: Place, queue: DeadLetters, *, limit: int | None = None, dry_run: bool = False) -> Redriven:
    """Move the dead letters of one queue back.

    The projector's are not messages of ours: they name records of a stream. What those were about is projected from the logs,
    all of it, and then they are deleted. If anything cannot be projected, they stay.

    Args:
        limit: how many at most.
        dry_run: only count.

    Raises:
        ConfigurationError: the place has no such queue.
    """
    stack = _stack(place)
    source, target = _urls(stack, queue)
    found = Redriven(queue=queue, found=_count(stack.clients.sqs, source))
    if dry_run or (queue is DeadLetters.PROJECTOR and not found.found):
        return found
    if queue is DeadLetters.PROJECTOR:
        mended = mending.run(place.services, longest_ms=_DAY_MS)
        if mended.failed or not mended.is_done:
            return replace(found, left=found.found)
    moved, left = _Mover(stack.clients.sqs, source, target).run(limit)
    return replace(found, moved=moved, left=left)


def hand_over(place: Place, queue: DeadLetters) -> Redriven:
    """Have SQS move the dead letters of one queue back by itself: all of them, those that are none of ours, too.

    It goes on when this has returned; `aws sqs list-message-move-tasks` says how far it is.

    Raises:
        ConfigurationError: the place has no such queue, or it is one that SQS cannot do that for.
    """
    if queue is DeadLetters.PROJECTOR:
        raise ConfigurationError(
            "SQS moves what has come from a queue, and the projector's letters come from Lambda"
        )
    stack = _stack(place)
    sqs = stack.clients.sqs
    source, target = _urls(stack, queue)
    found = _count(sqs, source)
    if found and target is not None:
        sqs.start_message_move_task(SourceArn=_arn(sqs, source), DestinationArn=_arn(sqs, target))
    return Redriven(queue=queue, found=found, under_way=found > 0)


def wake_stalled(place: Place, patience: Patience, *, most: int, dry_run: bool = False) -> Sequence[Stall]:
    """Wake those executions that a wake may help; returns them.

    Raises:
        ConfigurationError: the place has no queue to wake them by.
    """
    if place.stack is None or place.stack.names.control_queue_url is None:
        raise ConfigurationError(
            "there is no queue to send a wake to; a local server wakes every open execution when it starts"
        )
    found = [stall for stall in survey(place.services, patience, most=most).stalls if stall.is_helped_by_wake]
    wakes = [Wake(org=s.key.org, execution_id=s.key.execution_id, sequence=1) for s in found]
    if wakes and not dry_run:
        place.services.control.send(wakes)
    return found


def _stack(place: Place) -> Stack:
    if place.stack is None:
        raise ConfigurationError("a local server's queues are in its memory: it has no dead letters")
    return place.stack


def _urls(stack: Stack, queue: DeadLetters) -> tuple[str, str | None]:
    names = stack.names
    pairs: Mapping[DeadLetters, tuple[str | None, str | None]] = {
        DeadLetters.CONTROL: (names.control_dead_letters_url, names.control_queue_url),
        DeadLetters.TASKS: (names.hosted_task_dead_letters_url, names.hosted_task_queue_url),
        DeadLetters.PROJECTOR: (names.projector_dead_letters_url, None),
    }
    source, target = pairs[queue]
    if source is None or (target is None and queue is not DeadLetters.PROJECTOR):
        raise ConfigurationError(f"it is not known here where the dead letters of {queue} are, or go")
    return source, target


def _count(sqs: SQSClient, url: str) -> int:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])


def _arn(sqs: SQSClient, url: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


class _Mover:
    """Moves from `source` to `target`; without one, deletes."""

    def __init__(self, sqs: SQSClient, source: str, target: str | None) -> None:
        self._sqs = sqs
        self._source = source
        self._target = target

    def run(self, limit: int | None) -> tuple[int, int]:
        """How many were moved, and how many are none of ours and were left."""
        moved, empty = 0, 0
        left: set[str] = set()
        while empty < _EMPTY and (limit is None or moved < limit):
            received = self._receive(_BATCH if limit is None else min(_BATCH, limit - moved))
            fresh = [message for message in received if message["MessageId"] not in left]
            empty = 0 if fresh else empty + 1
            ours = [message for message in fresh if self._target is None or _is_ours(message)]
            left |= {message["MessageId"] for message in fresh if message not in ours}
            moved += self._move(ours) if ours else 0
        return moved, len(left)

    def _receive(self, count: int) -> list[MessageTypeDef]:
        answer = self._sqs.receive_message(
            QueueUrl=self._source,
            MaxNumberOfMessages=count,
            VisibilityTimeout=_HIDDEN_S,
            WaitTimeSeconds=_WAIT_S,
        )
        return answer.get("Messages", [])

    def _move(self, messages: Sequence[MessageTypeDef]) -> int:
        """Send, and delete what was sent; what SQS does not take is left to be received again."""
        by_place = {str(place): message for place, message in enumerate(messages)}
        if self._target is not None:
            answer = self._sqs.send_message_batch(
                QueueUrl=self._target,
                Entries=[{"Id": id, "MessageBody": message["Body"]} for id, message in by_place.items()],
            )
            by_place = {each["Id"]: by_place[each["Id"]] for each in answer.get("Successful", [])}
        if by_place:
            self._sqs.delete_message_batch(
                QueueUrl=self._source,
                Entries=[{"Id": id, "ReceiptHandle": m["ReceiptHandle"]} for id, m in by_place.items()],
            )
        return len(by_place)


def _is_ours(message: MessageTypeDef) -> bool:
    try:
        load(message["Body"])
    except InvalidInput:
        return False
    return True
