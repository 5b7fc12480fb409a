"""Several directory items written at once in DynamoDB: `TransactWriteItems`, and what its cancellations mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.directory.dynamodb_items import delete_of, key_of, update_of
from flowstrand.directory.item_data import dump
from flowstrand.directory.port import PreconditionFailed, Put, Write
from flowstrand.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import DeleteTypeDef, TransactWriteItemTypeDef, UpdateTypeDef

_CONDITION = "ConditionalCheckFailed"
_FOR_NOW = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons that say "not now": somebody else is writing one of the items, or the table is too busy."""
_CANCELLED, _IN_PROGRESS = "TransactionCanceledException", "TransactionInProgressException"


def transact(client: DynamoDBClient, table: str, writes: Sequence[Write]) -> None:
    """Do all of `writes` or none; see `Directory.write_together`.

    Each call has a token of its own, by which DynamoDB recognises it when the client library repeats it after a lost
    reply: then it is done once, and succeeds.

    Raises:
        PreconditionFailed, PayloadTooLarge, StoreUnavailable: as `Directory.write_together`.
    """
    token = uuid4().hex
    items = [_action(table, write, token) for write in writes]
    with unavailable_on_faults("write to the directory"):
        try:
            client.transact_write_items(TransactItems=items, ClientRequestToken=token)
        except ClientError as error:
            raise _meaning(error, writes) from error


def _action(table: str, write: Write, write_id: str) -> TransactWriteItemTypeDef:
    where: dict[str, Any] = {"TableName": table, "Key": key_of(write.partition, write.key)}
    if isinstance(write, Put):
        text = dump(write.partition, write.key, write.data)
        change = update_of(text, write_id, write.expect, write.expires_at_ms)
        return {"Update": cast("UpdateTypeDef", where | change)}
    return {"Delete": cast("DeleteTypeDef", where | delete_of(write.expect))}


def _meaning(error: ClientError, writes: Sequence[Write]) -> Exception:
    """What a refused transaction is to its caller; what is no cancellation passes unchanged."""
    code = error_code(error)
    if code == _IN_PROGRESS:
        return StoreUnavailable("the same transaction is still being carried out")
    if code != _CANCELLED:
        return error
    reasons = _reasons(error)
    if _CONDITION in reasons:
        at = writes[reasons.index(_CONDITION)]
        return PreconditionFailed(f"{at.partition}/{at.key} is not at version {at.expect}")
    if _FOR_NOW.issuperset(reason for reason in reasons if reason != "None"):
        return StoreUnavailable(f"a transaction was cancelled for now: {', '.join(sorted(set(reasons)))}")
    return error


def _reasons(error: ClientError) -> list[str]:
    """One code for each write, `None` where it was not to blame."""
    response: Any = error.response
    return [str(reason.get("Code") or "None") for reason in response.get("CancellationReasons", ())]
