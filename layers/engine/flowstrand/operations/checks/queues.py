"""The queues: that they are there, what becomes of what cannot be handled, how long a message is hidden, and what lies in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code
from flowstrand.dataclass import dataclass
from flowstrand.operations.checks.finding import Finding, Probe, error, warning
from flowstrand.operations.place import Stack

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

_MISSING = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_MOST_QUEUES = 1_000
_DEPLOY = "deploy the stack again with its own template, or set it by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """A queue and its dead letters.

    Attributes:
        visibility_s: the least that a message must be hidden while it is handled: the timeout of the function that does so.
    """

    title: str
    url: str | None
    dead_letters_url: str | None
    visibility_s: int


def probes(stack: Stack, *, backlog: int) -> Iterator[Probe]:
    """Two looks at each queue that is known: at how it is set, and at its dead letters.

    Args:
        backlog: how many messages may wait in a queue before that is told.
    """
    names = stack.names
    for expected in (
        _Expected(
            title="the control queue",
            url=names.control_queue_url,
            dead_letters_url=names.control_dead_letters_url,
            visibility_s=60,
        ),
        _Expected(
            title="the queue of hosted tasks",
            url=names.hosted_task_queue_url,
            dead_letters_url=names.hosted_task_dead_letters_url,
            visibility_s=900,
        ),
    ):
        yield from _of(stack.clients.sqs, expected, backlog)
    if names.task_queue_prefix is not None:
        look = partial(_task_queues, stack.clients.sqs, names.task_queue_prefix, backlog)
        yield Probe(subject="the queues that workers poll", look=look)
    if names.projector_dead_letters_url is not None:
        yield _dead_letters(
            stack.clients.sqs,
            names.projector_dead_letters_url,
            "the projector's dead letters",
            "the sweep projects what they are about; `flowstrand redrive projector` sees to that, and removes them",
        )


def _of(sqs: SQSClient, expected: _Expected, backlog: int) -> Iterator[Probe]:
    if expected.url is not None:
        url = expected.url
        yield Probe(subject=expected.title, look=lambda: _settings(sqs, url, expected, backlog))
    if expected.dead_letters_url is not None:
        yield _dead_letters(
            sqs,
            expected.dead_letters_url,
            f"dead letters of {expected.title}",
            "see the functions' logs for why they could not be handled; then `flowstrand redrive`",
        )


def _settings(sqs: SQSClient, url: str, expected: _Expected, backlog: int) -> Iterator[Finding]:
    found = _attributes(sqs, url)
    if found is None:
        yield _missing(expected.title, url)
        return
    policy = json.loads(found.get("RedrivePolicy", "{}"))
    wanted = None if expected.dead_letters_url is None else _attributes(sqs, expected.dead_letters_url)
    if not policy or (wanted is not None and policy.get("deadLetterTargetArn") != wanted["QueueArn"]):
        message = "what cannot be handled does not go to the stack's dead letters"
        yield error("REDRIVE_POLICY", expected.title, message, _DEPLOY)
    if wanted is not None and int(wanted["MessageRetentionPeriod"]) < int(found["MessageRetentionPeriod"]):
        message = (
            "its dead letters are kept for less time than its messages: SQS counts from when a message was sent"
        )
        yield warning("DEAD_LETTERS_SHORT", expected.title, message, _DEPLOY)
    if int(found["VisibilityTimeout"]) < expected.visibility_s:
        message = f"messages are hidden for {found['VisibilityTimeout']} s, less than the {expected.visibility_s} s that handling may take"
        yield error("VISIBILITY_SHORT", expected.title, message, _DEPLOY)
    waiting = int(found["ApproximateNumberOfMessages"])
    if waiting > backlog:
        message = f"about {waiting} messages wait, more than {backlog}"
        yield warning(
            "QUEUE_BACKLOG", expected.title, message, "see whether the function that receives them is throttled"
        )


def _dead_letters(sqs: SQSClient, url: str, subject: str, remedy: str) -> Probe:
    def look() -> Iterator[Finding]:
        found = _attributes(sqs, url)
        if found is None:
            yield _missing(subject, url)
            return
        count = int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])
        if count:
            yield error("DEAD_LETTERS", subject, f"there are about {count} messages", remedy)

    return Probe(subject=subject, look=look)


def _task_queues(sqs: SQSClient, prefix: str, backlog: int) -> Iterator[Finding]:
    """Of at most a thousand queues: how many messages wait in each."""
    for url in sqs.list_queues(QueueNamePrefix=prefix, MaxResults=_MOST_QUEUES).get("QueueUrls", []):
        found = _attributes(sqs, url)
        waiting = 0 if found is None else int(found["ApproximateNumberOfMessages"])
        if waiting > backlog:
            message = f"about {waiting} attempts wait, more than {backlog}"
            yield warning(
                "QUEUE_BACKLOG",
                url.rpartition("/")[2],
                message,
                "see `flowstrand workers`: more of them are needed",
            )


def _attributes(sqs: SQSClient, url: str) -> Mapping[str, str] | None:
    try:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {str(name): value for name, value in found.items()}
    except ClientError as refused:
        if error_code(refused) not in _MISSING:
            raise
        return None


def _missing(subject: str, url: str) -> Finding:
    return error("QUEUE_MISSING", subject, f"there is no queue {url}", "see whether the stack is whole")
