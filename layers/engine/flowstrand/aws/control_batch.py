"""Control messages from SQS: each handled on its own, those that fail reported, so that only they come again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from flowstrand.errors import InvalidInput
from flowstrand.observability import correlation, meter, metrics
from flowstrand.queues.messages import TaskMessage, ids_of, load
from flowstrand.service import wakes
from flowstrand.service.container import Services

_logger = logging.getLogger("flowstrand.resumer")


def handle_batch(services: Services, event: Mapping[str, Any]) -> dict[str, Any]:
    """Handle every message of an SQS event.

    Returns:
        `{"batchItemFailures": [{"itemIdentifier": message id}]}` for those to be delivered again. One that can never
        be read is among them: the queue's redrive policy takes it out of the way and keeps it for people to see.
    """

    def handle(record: SQSRecord) -> None:
        with correlation.about(messageId=record.message_id):
            try:
                _handle(services, record)
            except Exception:
                _logger.exception("a control message failed")
                raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(process_partial_response(dict(event), handle, processor))


def _handle(services: Services, record: SQSRecord) -> None:
    message = load(record.body)
    if isinstance(message, TaskMessage):
        raise InvalidInput("a task message in the control queue", code="INVALID_MESSAGE")
    correlation.note(**ids_of(message))
    if int(record.attributes.approximate_receive_count or 1) > 1:
        meter.count(metrics.WAKES_REDELIVERED)
    wakes.handle(services, message)
    meter.count(metrics.WAKES_HANDLED)
