"""Letting commits go in DynamoDB: `UpdateItem` sets `expires_at` and nothing else; the table's time to live deletes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.log.port import LogKey
from flowstrand.log.retention import RowRetention

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

_PAGE = 1_000


class DynamoRetention(RowRetention):
    """A `LogRetention` for the table of a `DynamoLog`."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        super().__init__(DynamoRetentionRows(client, table_name))


class DynamoRetentionRows:
    """`RetentionRows` as items."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def last(self, key: LogKey) -> int | None:
        """See `RetentionRows.last`."""
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "execution = :execution",
            "ExpressionAttributeValues": {":execution": {"S": str(key)}},
            "ProjectionExpression": "execution, #sequence",
            "ExpressionAttributeNames": {"#sequence": "sequence"},
            "ScanIndexForward": False,
            "Limit": 1,
        }
        with unavailable_on_faults("read the log"):
            items = self._client.query(**query)["Items"]
        return int(items[0]["sequence"]["N"]) if items else None

    def unmarked_between(self, key: LogKey, last: int, limit: int) -> Sequence[int]:
        """See `RetentionRows.unmarked_between`. Reads over what has been marked, a page at a time."""
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "execution = :execution AND #sequence BETWEEN :second AND :before_last",
            "FilterExpression": "attribute_not_exists(expires_at)",
            "ExpressionAttributeValues": {
                ":execution": {"S": str(key)},
                ":second": {"N": "2"},
                ":before_last": {"N": str(max(2, last - 1))},
            },
            "ProjectionExpression": "execution, #sequence",
            "ExpressionAttributeNames": {"#sequence": "sequence"},
            "Limit": _PAGE,
        }
        found: list[int] = []
        while last > 2 and len(found) < limit:
            with unavailable_on_faults("read the log"):
                answer = self._client.query(**query)
            found += [int(item["sequence"]["N"]) for item in answer["Items"]]
            if not answer.get("LastEvaluatedKey"):
                break
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return found[:limit]

    def mark(self, key: LogKey, sequence: int, expires_at_ms: int) -> None:
        """See `RetentionRows.mark`."""
        with unavailable_on_faults("let a commit expire"):
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key={"execution": {"S": str(key)}, "sequence": {"N": str(sequence)}},
                    UpdateExpression="SET expires_at = :expires_at",
                    ConditionExpression="attribute_exists(execution) AND attribute_not_exists(expires_at)",
                    ExpressionAttributeValues={":expires_at": {"N": str(-(-expires_at_ms // 1_000))}},
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise

    def let_go(self, key: LogKey, sequence: int, now_ms: int) -> None:
        """See `RetentionRows.let_go`."""
        self.mark(key, sequence, now_ms)

    def purge(self, now_ms: int) -> None:
        """Nothing: DynamoDB deletes within a few days what has expired."""
