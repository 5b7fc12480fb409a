"""The log in DynamoDB: one table, one item per commit, `PutItem` and `Query` and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.errors import LogCorrupted
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.rows import RowLog

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

_FREE = "attribute_not_exists(execution)"
_OF_LOG = "execution = :execution"
_UP_TO = f"{_OF_LOG} AND #sequence <= :sequence"
_BEYOND = f"{_OF_LOG} AND #sequence > :sequence"


class DynamoLog(RowLog):
    """An `EventLog` in a DynamoDB table. `client` may be shared between threads."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        super().__init__(DynamoRows(client, table_name))


class DynamoRows:
    """`CommitRows` as items: partition key `execution`, sort key `sequence`."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def put(self, commit: Commit) -> str | None:
        """See `CommitRows.put`. The only write to the table: commit point, ordering and fence in one."""
        with unavailable_on_faults("append to the log"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_item(commit),
                    ConditionExpression=_FREE,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return self._standing(commit, error.response)
        return None

    def newest(self, key: LogKey, *, up_to: int | None, consistent: bool) -> Commit | None:
        """See `CommitRows.newest`."""
        query = self._query(key, up_to, _UP_TO, consistent=consistent)
        query["ScanIndexForward"] = False
        query["Limit"] = 1
        with unavailable_on_faults("read the log"):
            items = self._client.query(**query)["Items"]
        return commit_of(key, items[0]) if items else None

    def following(self, key: LogKey, sequence: int, *, page: int | None, consistent: bool) -> Iterator[Commit]:
        """See `CommitRows.following`. A page ends at `page` items or at 1 MB, whichever comes first."""
        query = self._query(key, sequence, _BEYOND, consistent=consistent)
        if page is not None:
            query["Limit"] = page
        while True:
            with unavailable_on_faults("read the log"):
                answer = self._client.query(**query)
            for item in answer["Items"]:
                yield commit_of(key, item)
            if not answer.get("LastEvaluatedKey"):
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _query(self, key: LogKey, sequence: int | None, condition: str, *, consistent: bool) -> QueryInputTypeDef:
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "ConsistentRead": consistent,
            "KeyConditionExpression": _OF_LOG,
            "ExpressionAttributeValues": {":execution": {"S": str(key)}},
        }
        if sequence is not None:
            query["KeyConditionExpression"] = condition
            query["ExpressionAttributeNames"] = {"#sequence": "sequence"}
            query["ExpressionAttributeValues"] = {
                ":execution": {"S": str(key)},
                ":sequence": {"N": str(sequence)},
            }
        return query

    def _standing(self, commit: Commit, response: Any) -> str:
        """The commit id of the item in the way; endpoints older than `ALL_OLD` on a failed put are asked again."""
        item = response.get("Item")
        if item:
            return str(item["commit_id"]["S"])
        standing = self.newest(commit.key, up_to=commit.sequence, consistent=True)
        if standing is None or standing.sequence != commit.sequence:
            raise LogCorrupted(f"the commit at {commit.sequence} of {commit.key} is there and is not")
        return standing.commit_id


def create_log_table(client: DynamoDBClient, name: str) -> None:
    """Create the table as the stack does, for endpoints without one; an existing table is left as it is."""
    with suppress(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": "execution", "KeyType": "HASH"},
                {"AttributeName": "sequence", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "execution", "AttributeType": "S"},
                {"AttributeName": "sequence", "AttributeType": "N"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    with suppress(ClientError):  # it has been enabled before
        client.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
        )


def _item(commit: Commit) -> dict[str, AttributeValueTypeDef]:
    item: dict[str, AttributeValueTypeDef] = {
        "execution": {"S": str(commit.key)},
        "sequence": {"N": str(commit.sequence)},
        "count": {"N": str(commit.count)},
        "events": {"B": commit.events},
        "written_at": {"N": str(commit.written_at_ms)},
        "commit_id": {"S": commit.commit_id},
    }
    if commit.checkpoint is not None:
        item["checkpoint"] = {"B": commit.checkpoint}
    if commit.checkpoint_at is not None:
        item["checkpoint_at"] = {"N": str(commit.checkpoint_at)}
    return item


def commit_of(key: LogKey, item: dict[str, Any]) -> Commit:
    """What an item of the table holds."""
    checkpoint, checkpoint_at = item.get("checkpoint"), item.get("checkpoint_at")
    expires_at = item.get("expires_at")
    return Commit(
        key=key,
        sequence=int(item["sequence"]["N"]),
        count=int(item["count"]["N"]),
        events=bytes(item["events"]["B"]),
        written_at_ms=int(item["written_at"]["N"]),
        commit_id=item["commit_id"]["S"],
        checkpoint=None if checkpoint is None else bytes(checkpoint["B"]),
        checkpoint_at=None if checkpoint_at is None else int(checkpoint_at["N"]),
        expires_at_ms=None if expires_at is None else int(expires_at["N"]) * 1_000,
    )
