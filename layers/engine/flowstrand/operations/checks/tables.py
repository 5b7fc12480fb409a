"""The two tables: keys, streams, time to live, backups, as `template.yaml` makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from flowstrand.aws_faults import error_code
from flowstrand.dataclass import dataclass
from flowstrand.operations.checks.finding import Finding, Probe, Severity, error
from flowstrand.operations.place import Stack

_TTL = "expires_at"
_DEPLOY = "deploy the stack again with its own template, or set it by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    name: str
    title: str
    keys: Mapping[str, tuple[str, str]]
    views: frozenset[str]


def probes(stack: Stack) -> Iterator[Probe]:
    """Three looks at each table."""
    for expected in (
        _Expected(
            name=stack.names.log_table,
            title="the log's table",
            keys={"execution": ("HASH", "S"), "sequence": ("RANGE", "N")},
            views=frozenset({"NEW_AND_OLD_IMAGES"}),
        ),
        _Expected(
            name=stack.names.directory_table,
            title="the directory's table",
            keys={"partition": ("HASH", "S"), "key": ("RANGE", "S")},
            views=frozenset({"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}),
        ),
    ):
        yield from _of(stack, expected)


def _of(stack: Stack, expected: _Expected) -> Iterator[Probe]:
    subject = f"{expected.title} {expected.name}"
    yield Probe(subject=subject, look=lambda: _described(stack, expected, subject))
    yield Probe(subject=f"{subject}: time to live", look=lambda: _time_to_live(stack, expected.name, subject))
    yield Probe(subject=f"{subject}: backups", look=lambda: _backups(stack, expected.name, subject))


def _described(stack: Stack, expected: _Expected, subject: str) -> Iterator[Finding]:
    try:
        table: Mapping[str, Any] = stack.clients.dynamodb.describe_table(TableName=expected.name)["Table"]
    except ClientError as refused:
        if error_code(refused) != "ResourceNotFoundException":
            raise
        yield error(
            "TABLE_MISSING", subject, "there is no such table in this region", "see whether the stack is whole"
        )
        return
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    keys = {each["AttributeName"]: (each["KeyType"], types[each["AttributeName"]]) for each in table["KeySchema"]}
    if keys != expected.keys:
        yield error(
            "TABLE_KEYS", subject, f"its key is {keys}, not {dict(expected.keys)}", "it is another's table"
        )
    if table["TableStatus"] not in {"ACTIVE", "UPDATING"}:
        message = f"it is {table['TableStatus']}"
        yield error("TABLE_NOT_ACTIVE", subject, message, "see the DynamoDB console for the reason")
    stream = table.get("StreamSpecification") or {}
    if not stream.get("StreamEnabled"):
        message = "it has no stream: feeds, the listing and safety wakes stand still"
        yield error("STREAM_OFF", subject, message, _DEPLOY)
    elif stream.get("StreamViewType") not in expected.views:
        message = f"its stream has {stream.get('StreamViewType')}, not {' or '.join(sorted(expected.views))}"
        yield error("STREAM_VIEW", subject, message, _DEPLOY)


def _time_to_live(stack: Stack, name: str, subject: str) -> Iterator[Finding]:
    found = stack.clients.dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    status, attribute = found.get("TimeToLiveStatus"), found.get("AttributeName")
    if status not in {"ENABLED", "ENABLING"} or attribute != _TTL:
        message = f"time to live is {status}, by {attribute}: what has expired is never deleted"
        yield error("TTL_OFF", subject, message, _DEPLOY)


def _backups(stack: Stack, name: str, subject: str) -> Iterator[Finding]:
    found = stack.clients.dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    status = found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if status != "ENABLED":
        yield Finding(
            code="BACKUPS_OFF",
            severity=Severity.WARNING,
            subject=subject,
            message="point-in-time recovery is off: what is deleted by mistake is gone",
            remedy=_DEPLOY,
        )
