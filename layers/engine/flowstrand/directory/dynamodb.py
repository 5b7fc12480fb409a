"""The directory in DynamoDB: one table, keys `partition` and `key`, TTL on `expires_at`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.directory.item_data import dump, load
from flowstrand.directory.port import Item, PreconditionFailed
from flowstrand.jsonvalue import JsonObject

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

# `data`, `key`, `partition` and `version` are, or may become, reserved words of the expression language.
_ITEM_NAMES = {"#data": "data", "#version": "version"}
_WRITE = "SET #data = :data, write_id = :write_id"
_ABSENT = "attribute_not_exists(#version)"
_AT_VERSION = "#version = :expect"


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
            answer = self._client.get_item(TableName=self._table, Key=_key(partition, key), ConsistentRead=True)
        return _item(answer["Item"]) if "Item" in answer else None

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
        update = _update(dump(partition, key, data), write_id, expires_at_ms)
        if expect is not None:
            update["ConditionExpression"] = _AT_VERSION if expect else _ABSENT
        if expect:
            update["ExpressionAttributeValues"] |= {":expect": {"N": str(expect)}}
        update |= {"TableName": self._table, "Key": _key(partition, key)}
        with unavailable_on_faults("write to the directory"):
            try:
                return _item(self._client.update_item(**update)["Attributes"])
            except ClientError as error:
                standing = _standing(error)
                if standing.get("write_id") != {"S": write_id}:
                    raise PreconditionFailed(f"{partition}/{key} is not at version {expect}") from error
                return _item(standing)

    def delete(self, partition: str, key: str, *, expect: int | None = None) -> None:
        """See `Directory.delete`."""
        with unavailable_on_faults("delete from the directory"):
            try:
                self._client.delete_item(
                    TableName=self._table, Key=_key(partition, key), **_delete_condition(expect)
                )
            except ClientError as error:
                _standing(error)
                raise PreconditionFailed(f"{partition}/{key} is not at version {expect}") from error

    def scan(self, partition: str, *, after: str = "", limit: int = 100) -> Sequence[Item]:
        """See `Directory.scan`. Goes on over pages of 1 MB until `limit` or the end."""
        query = self._query(partition, after)
        found: list[Item] = []
        while len(found) < limit:
            query["Limit"] = limit - len(found)
            with unavailable_on_faults("read the directory"):
                answer = self._client.query(**query)
            found.extend(_item(item) for item in answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                break
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return found

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


def _key(partition: str, key: str) -> dict[str, AttributeValueTypeDef]:
    return {"partition": {"S": partition}, "key": {"S": key}}


def _item(attributes: Mapping[str, Any]) -> Item:
    return Item(
        partition=attributes["partition"]["S"],
        key=attributes["key"]["S"],
        data=load(attributes["data"]["S"]),
        version=int(attributes["version"]["N"]),
    )


def _update(text: str, write_id: str, expires_at_ms: int | None) -> dict[str, Any]:
    """The change that a put makes, whatever its condition."""
    values = {":data": {"S": text}, ":write_id": {"S": write_id}, ":one": {"N": "1"}}
    if expires_at_ms is None:
        change = f"{_WRITE} REMOVE expires_at ADD #version :one"
    else:
        change = f"{_WRITE}, expires_at = :expires_at ADD #version :one"
        values[":expires_at"] = {"N": str(-(-expires_at_ms // 1_000))}  # in whole seconds, rounded up: never early
    return {
        "UpdateExpression": change,
        "ExpressionAttributeNames": _ITEM_NAMES,
        "ExpressionAttributeValues": values,
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _delete_condition(expect: int | None) -> dict[str, Any]:
    if expect is None:
        return {}
    names: dict[str, Any] = {"ExpressionAttributeNames": {"#version": "version"}}
    if expect == 0:
        return {"ConditionExpression": _ABSENT, **names}
    values = {":expect": {"N": str(expect)}}
    return {"ConditionExpression": _AT_VERSION, "ExpressionAttributeValues": values, **names}


def _standing(error: ClientError) -> Mapping[str, Any]:
    """The item that failed a condition, empty if there is none; any other error is raised again."""
    if error_code(error) != "ConditionalCheckFailedException":
        raise error
    response: Mapping[str, Any] = error.response
    item: Mapping[str, Any] = response.get("Item", {})
    return item
