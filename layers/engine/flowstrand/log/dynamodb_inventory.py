"""Every commit of a DynamoDB table, by scanning it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flowstrand.aws_faults import unavailable_on_faults
from flowstrand.engine.ids import OrgId
from flowstrand.log.dynamodb import commit_of
from flowstrand.log.port import Commit, LogKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_NAMES = {"#sequence": "sequence", "#count": "count"}
_FIELDS = "execution, #sequence, #count, events, written_at, commit_id"


class DynamoInventory:
    """A `LogInventory`. Needs `dynamodb:Scan`."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def commits(self) -> Iterator[Commit]:
        """See `LogInventory.commits`."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            ProjectionExpression=_FIELDS,
            ExpressionAttributeNames=_NAMES,
        )
        with unavailable_on_faults("read the logs"):
            for page in pages:
                for item in page["Items"]:
                    yield commit_of(LogKey.parse(item["execution"]["S"]), item)

    def keys(self, org: OrgId) -> Iterator[LogKey]:
        """See `LogInventory.keys`."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            ProjectionExpression="execution",
            FilterExpression="#sequence = :first AND begins_with(execution, :org)",
            ExpressionAttributeNames={"#sequence": "sequence"},
            ExpressionAttributeValues={":first": {"N": "1"}, ":org": {"S": f"{org}#"}},
        )
        with unavailable_on_faults("read the logs"):
            for page in pages:
                yield from (LogKey.parse(item["execution"]["S"]) for item in page["Items"])
