"""Tasks from SQS: each run on its own; a message that fails comes again, alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from flowstrand.errors import InvalidInput
from flowstrand.hosting.host import Host
from flowstrand.observability import correlation
from flowstrand.queues.messages import TaskMessage, ids_of, load

_logger = logging.getLogger("flowstrand.worker")


def run_batch(host: Host, event: Mapping[str, Any], remaining_ms: Callable[[], int]) -> dict[str, Any]:
    """Run every task of an SQS event.

    Returns:
        `{"batchItemFailures": [{"itemIdentifier": message id}]}` for messages to be delivered again: what could not be
        claimed or sent on, and what can never be read, which the queue's redrive policy keeps for people to see. A task that
        fails is not among them: its failure is recorded, and its next attempt is another message.
    """

    def run(record: SQSRecord) -> None:
        with correlation.about(messageId=record.message_id):
            try:
                host.handle(_task(record.body), remaining_ms)
            except Exception:
                _logger.exception("a task message failed")
                raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(dict(event), run, processor))


def _task(body: str) -> TaskMessage:
    message = load(body)
    if not isinstance(message, TaskMessage):
        raise InvalidInput("a control message in a task queue", code="INVALID_MESSAGE")
    correlation.note(**ids_of(message))
    return message
