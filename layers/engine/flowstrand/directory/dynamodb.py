"""The directory in DynamoDB: one table, keys `partition` and `key`, TTL on `expires_at`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.directory.dynamodb_items import delete_of, item_of, key_of, update_of
from flowstrand.directory.dynamodb_transaction import transact
from flowstrand.directory.item_data import dump
from flowstrand.directory.port import Item, PreconditionFailed, Write
from flowstrand.directory.together import require_sound
from flowstrand.errors import StoreUnavailable
from flowstrand.jsonvalue import JsonObject

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        KeysAndAttributesOutputTypeDef,
        KeysAndAttributesTypeDef,
        QueryInputTypeDef,
    )

_GET_AT_ONCE = 100
"""Items that DynamoDB gives in one batch."""
_DELETE_AT_ONCE = 25
"""Items that it deletes in one batch."""
_ROUNDS = 4
"""How often a batch is sent; each time, what it has left out."""


class DynamoDirectory:
    """A `Directory` in a DynamoDB table. `client` may be shared between threads.

    Each write leaves its own `write_id`, by which a conditional write that the client library repeats after a lost
    reply recognises itself, as a commit does by its commit id.
    """

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def get(self, partition: str, key: str) -> Item | None:
        """See `Directory.get`."""
        with unavailable_on_faults("read the directory"):
            answer = self._client.get_item(TableName=self._table, Key=key_of(partition, key), ConsistentRead=True)
        return item_of(answer["Item"]) if "Item" in answer else None

    def put(
        self,
        partition: str,
        key: str,
        data: JsonObject,
        *,
        expect: int | None = None,
        expires_at_ms: int | None = None,
    ) -> Item:
        """See `Directory.put`.

        Raises:
            PreconditionFailed: it is not at version `expect`.
            PayloadTooLarge: `data` is larger than an item may be.
        """
        write_id = uuid4().hex
        update = update_of(dump(partition, key, data), write_id, expect, expires_at_ms)
        with unavailable_on_faults("write to the directory"):
            try:
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=key_of(partition, key),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **update,
                )
                return item_of(answer["Attributes"])
            except ClientError as error:
                standing = _standing(error)
                if standing.get("write_id") != {"S": write_id}:
                    raise PreconditionFailed(f"{partition}/{key} is not at version {expect}") from error
                return item_of(standing)

    def delete(self, partition: str, key: str, *, expect: int | None = None) -> None:
        """See `Directory.delete`."""
        with unavailable_on_faults("delete from the directory"):
            try:
                self._client.delete_item(TableName=self._table, Key=key_of(partition, key), **delete_of(expect))
            except ClientError as error:
                _standing(error)
                raise PreconditionFailed(f"{partition}/{key} is not at version {expect}") from error

    def get_many(self, names: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Item]:
        """See `Directory.get_many`."""
        wanted = list(dict.fromkeys(names))
        found: dict[tuple[str, str], Item] = {}
        for start in range(0, len(wanted), _GET_AT_ONCE):
            for item in self._get_batch(wanted[start : start + _GET_AT_ONCE]):
                found[item.partition, item.key] = item
        return found

    def delete_many(self, names: Collection[tuple[str, str]]) -> None:
        """See `Directory.delete_many`."""
        wanted = list(dict.fromkeys(names))
        for start in range(0, len(wanted), _DELETE_AT_ONCE):
            self._delete_batch(wanted[start : start + _DELETE_AT_ONCE])

    def write_together(self, writes: Sequence[Write]) -> None:
        """See `Directory.write_together`.

        Raises:
            PreconditionFailed: an item is not at the version that its write expects.
            PayloadTooLarge: an item is larger than one may be.
        """
        require_sound(writes)
        if writes:
            transact(self._client, self._table, writes)

    def scan(self, partition: str, *, after: str = "", limit: int = 100) -> Sequence[Item]:
        """See `Directory.scan`. Goes on over pages of 1 MB until `limit` or the end."""
        query = self._query(partition, after)
        found: list[Item] = []
        while len(found) < limit:
            query["Limit"] = limit - len(found)
            with unavailable_on_faults("read the directory"):
                answer = self._client.query(**query)
            found.extend(item_of(item) for item in answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                break
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return found

    def _get_batch(self, names: Sequence[tuple[str, str]]) -> list[Item]:
        keys: KeysAndAttributesTypeDef = {"Keys": [key_of(*name) for name in names], "ConsistentRead": True}
        asked: Mapping[str, KeysAndAttributesTypeDef | KeysAndAttributesOutputTypeDef] = {self._table: keys}
        found: list[Item] = []
        for _ in range(_ROUNDS):
            with unavailable_on_faults("read the directory"):
                answer = self._client.batch_get_item(RequestItems=asked)
            found += [item_of(item) for item in answer["Responses"].get(self._table, ())]
            asked = answer.get("UnprocessedKeys") or {}
            if not asked:
                return found
        raise StoreUnavailable("could not read the directory: it left out items again and again")

    def _delete_batch(self, names: Sequence[tuple[str, str]]) -> None:
        asked: Any = {self._table: [{"DeleteRequest": {"Key": key_of(*name)}} for name in names]}
        for _ in range(_ROUNDS):
            with unavailable_on_faults("delete from the directory"):
                asked = self._client.batch_write_item(RequestItems=asked).get("UnprocessedItems")
            if not asked:
                return
        raise StoreUnavailable("could not delete from the directory: it left out items again and again")

    def _query(self, partition: str, after: str) -> QueryInputTypeDef:
        names, values = {"#partition": "partition"}, {":partition": {"S": partition}}
        condition = "#partition = :partition"
        if after:  # an empty string is no valid key to compare with
            names["#key"], values[":after"] = "key", {"S": after}
            condition += " AND #key > :after"
        return {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }


def create_directory_table(client: DynamoDBClient, name: str) -> None:
    """Create the table as the stack does, for endpoints without one; an existing table is left as it is."""
    try:
        client.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": "partition", "KeyType": "HASH"},
                {"AttributeName": "key", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "partition", "AttributeType": "S"},
                {"AttributeName": "key", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    except client.exceptions.ResourceInUseException:
        return
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    client.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )


def _standing(error: ClientError) -> Mapping[str, Any]:
    """The item that failed a condition, empty if there is none; any other error is raised again."""
    if error_code(error) != "ConditionalCheckFailedException":
        raise error
    response: Mapping[str, Any] = error.response
    item: Mapping[str, Any] = response.get("Item", {})
    return item
