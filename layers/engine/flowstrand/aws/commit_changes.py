"""Changes to commits that are there already. Law 1: commits are written once, so anything but their expiry raises an alarm."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from flowstrand.engine.ids import is_channel_log
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.observability import meter, metrics
from flowstrand.service.channels.abandoned import is_abandoned
from flowstrand.service.container import Services

_EXPIRES_AT = "expires_at"
_EXPIRY = "dynamodb.amazonaws.com"
_logger = logging.getLogger("flowstrand.projector")


def examine(services: Services, record: Mapping[str, Any]) -> None:
    """Raise an alarm unless a record of a changed or removed commit is of the janitor's doing.

    Raises:
        StoreUnavailable: it cannot be known now whether the log has ended.
    """
    if _has_expired(record) or (_only_sets_an_expiry(record) and _has_ended(services, record)):
        return
    keys = record["dynamodb"]["Keys"]
    _logger.critical(
        "a commit was changed",
        extra={
            "change": record["eventName"],
            "execution": keys["execution"]["S"],
            "sequence": keys["sequence"]["N"],
        },
    )
    meter.count(metrics.CHANGED_COMMITS)


def _has_expired(record: Mapping[str, Any]) -> bool:
    """Whether DynamoDB itself removed the commit, at the time that the janitor had set."""
    identity = record.get("userIdentity") or {}
    return record["eventName"] == "REMOVE" and identity.get("principalId") == _EXPIRY


def _only_sets_an_expiry(record: Mapping[str, Any]) -> bool:
    """Whether the commit is what it was, but for an expiry that it did not have."""
    if record["eventName"] != "MODIFY":
        return False
    old, new = dict(record["dynamodb"].get("OldImage", {})), dict(record["dynamodb"].get("NewImage", {}))
    return _EXPIRES_AT not in old and new.pop(_EXPIRES_AT, None) is not None and bool(old) and old == new


def _has_ended(services: Services, record: Mapping[str, Any]) -> bool:
    """Whether nothing can follow in the log; one that has expired altogether had ended. A channel's has when no channel has it."""
    key = LogKey.parse(record["dynamodb"]["Keys"]["execution"]["S"])
    if is_channel_log(key.execution_id):
        return is_abandoned(services, key)
    tail = services.log.tail(key)
    return tail is None or unpack_events(tail)[-1].is_terminal
