"""Every finding of the doctor: brought about, and found; and nothing is found where nothing is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flowstrand.log.dynamodb import create_log_table
from flowstrand.operations import import_claims
from flowstrand.operations.checks.finding import Severity
from flowstrand.operations.checks.permissions import NEEDED, ON_LOG
from flowstrand.operations.doctor import Diagnosis, examine
from flowstrand.operations.place import Place, Stack
from flowstrand.service.stalls import Patience
from tests.unit.every_event import KEY
from tests.unit.operations.deployed import Functions
from tests.unit.template import allowed, functions

Spoil = Callable[[Stack, Functions], object]


def look(place: Place) -> Diagnosis:
    return examine(place, Patience(), most=10, backlog=2)


def test_the_templates_own_stack_is_healthy(deployed: tuple[Place, Functions]) -> None:
    found = look(deployed[0])
    assert found.findings == ()
    assert found.looks == 2 * 3 + 6 + 2 * 2 + 2 + 3 + 2
    assert (found.is_healthy, found.is_complete) == (True, True)


def _without_stream(stack: Stack, _: Functions) -> None:
    stack.clients.dynamodb.update_table(
        TableName=stack.names.log_table, StreamSpecification={"StreamEnabled": False}
    )


def _with_half_a_stream(stack: Stack, functions: Functions) -> None:
    _without_table(stack, functions)
    create_log_table(stack.clients.dynamodb, stack.names.log_table)
    stack.clients.dynamodb.update_table(
        TableName=stack.names.log_table,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )


def _without_ttl(stack: Stack, _: Functions) -> None:
    stack.clients.dynamodb.update_time_to_live(
        TableName=stack.names.log_table, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
    )


def _without_backups(stack: Stack, _: Functions) -> None:
    stack.clients.dynamodb.update_continuous_backups(
        TableName=stack.names.directory_table,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
    )


def _without_table(stack: Stack, _: Functions) -> None:
    stack.clients.dynamodb.delete_table(TableName=stack.names.log_table)


def _with_anothers_table(stack: Stack, functions: Functions) -> None:
    _without_table(stack, functions)
    stack.clients.dynamodb.create_table(
        TableName=stack.names.log_table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _without_queue(stack: Stack, _: Functions) -> None:
    stack.clients.sqs.delete_queue(QueueUrl=_url(stack))


def _url(stack: Stack) -> str:
    assert stack.names.control_queue_url is not None
    return stack.names.control_queue_url


def _set(stack: Stack, **attributes: str) -> None:
    given: Any = attributes
    stack.clients.sqs.set_queue_attributes(QueueUrl=_url(stack), Attributes=given)


def _without_redrive(stack: Stack, _: Functions) -> None:
    _set(stack, RedrivePolicy="")


def _hidden_too_shortly(stack: Stack, _: Functions) -> None:
    _set(stack, VisibilityTimeout="30")


def _with_lasting_messages(stack: Stack, _: Functions) -> None:
    assert stack.names.control_dead_letters_url is not None
    stack.clients.sqs.set_queue_attributes(
        QueueUrl=stack.names.control_dead_letters_url, Attributes={"MessageRetentionPeriod": "3600"}
    )


def _with_a_backlog(stack: Stack, _: Functions) -> None:
    for _n in range(3):
        stack.clients.sqs.send_message(QueueUrl=_url(stack), MessageBody="x")


def _with_waiting_attempts(stack: Stack, _: Functions) -> None:
    url = stack.clients.sqs.create_queue(QueueName=f"{stack.names.task_queue_prefix}-acme-default-1")["QueueUrl"]
    for _n in range(3):
        stack.clients.sqs.send_message(QueueUrl=url, MessageBody="x")


def _with_dead_letters(stack: Stack, _: Functions) -> None:
    assert stack.names.projector_dead_letters_url is not None
    stack.clients.sqs.send_message(QueueUrl=stack.names.projector_dead_letters_url, MessageBody="x")


def _without_a_right(_: Stack, functions: Functions) -> None:
    functions.rights["flowstrand-tasks", "dynamodb:PutItem"] = False


def _without_its_queue(_: Stack, functions: Functions) -> None:
    functions.rights["flowstrand-tasks", "sqs:SendMessage"] = False


def _with_too_many_rights(_: Stack, functions: Functions) -> None:
    functions.rights["flowstrand-resumer", "dynamodb:DeleteItem"] = True


def _without_versions(stack: Stack, _: Functions) -> None:
    stack.clients.s3.put_bucket_versioning(
        Bucket=stack.names.payload_bucket, VersioningConfiguration={"Status": "Suspended"}
    )


def _with_a_wrong_setting(_: Stack, functions: Functions) -> None:
    functions.environments["flowstrand-tasks"]["FLOWSTRAND_LEASE_MS"] = "a minute"


def _with_different_settings(_: Stack, functions: Functions) -> None:
    functions.environments["flowstrand-tasks"]["FLOWSTRAND_LEASE_MS"] = "90000"


def _with_unwise_settings(_: Stack, functions: Functions) -> None:
    for environment in functions.environments.values():
        environment["FLOWSTRAND_LEASE_MS"] = "30000"


def _on_another_table(_: Stack, functions: Functions) -> None:
    functions.environments["flowstrand-resumer"]["FLOWSTRAND_LOG_TABLE"] = "another"


def _switched_off(_: Stack, functions: Functions) -> None:
    functions.states["flowstrand-resumer"] = "Disabled"


def _with_a_problem(_: Stack, functions: Functions) -> None:
    functions.results["flowstrand-resumer"] = "PROBLEM: Function call failed"


def _without_bucket(stack: Stack, _: Functions) -> None:
    stack.clients.s3.delete_bucket(Bucket=stack.names.payload_bucket)


def _open_to_all(stack: Stack, _: Functions) -> None:
    stack.clients.s3.delete_public_access_block(Bucket=stack.names.payload_bucket)


SPOILT: list[tuple[Spoil, str, Severity]] = [
    (_without_stream, "STREAM_OFF", Severity.ERROR),
    (_with_half_a_stream, "STREAM_VIEW", Severity.ERROR),
    (_without_ttl, "TTL_OFF", Severity.ERROR),
    (_without_backups, "BACKUPS_OFF", Severity.WARNING),
    (_without_table, "TABLE_MISSING", Severity.ERROR),
    (_with_anothers_table, "TABLE_KEYS", Severity.ERROR),
    (_without_queue, "QUEUE_MISSING", Severity.ERROR),
    (_without_redrive, "REDRIVE_POLICY", Severity.ERROR),
    (_hidden_too_shortly, "VISIBILITY_SHORT", Severity.ERROR),
    (_with_lasting_messages, "DEAD_LETTERS_SHORT", Severity.WARNING),
    (_with_a_backlog, "QUEUE_BACKLOG", Severity.WARNING),
    (_with_waiting_attempts, "QUEUE_BACKLOG", Severity.WARNING),
    (_with_dead_letters, "DEAD_LETTERS", Severity.ERROR),
    (_with_a_wrong_setting, "SETTINGS_INVALID", Severity.ERROR),
    (_with_different_settings, "SETTINGS_DIFFER", Severity.ERROR),
    (_with_unwise_settings, "SETTINGS_UNWISE", Severity.WARNING),
    (_on_another_table, "SETTINGS_OTHER_STORE", Severity.ERROR),
    (_switched_off, "MAPPING_OFF", Severity.ERROR),
    (_with_a_problem, "MAPPING_PROBLEM", Severity.WARNING),
    (_without_a_right, "PERMISSION_MISSING", Severity.ERROR),
    (_without_its_queue, "PERMISSION_MISSING", Severity.ERROR),
    (_with_too_many_rights, "PERMISSION_TOO_WIDE", Severity.ERROR),
    (_without_bucket, "BUCKET_MISSING", Severity.ERROR),
    (_open_to_all, "BUCKET_PUBLIC", Severity.ERROR),
    (_without_versions, "BUCKET_UNVERSIONED", Severity.WARNING),
]


@pytest.mark.parametrize(("spoil", "code", "severity"), SPOILT, ids=[spoil.__name__ for spoil, _, _ in SPOILT])
def test_what_is_wrong_is_found(
    deployed: tuple[Place, Functions], spoil: Spoil, code: str, severity: Severity
) -> None:
    place, functions = deployed
    assert place.stack is not None
    spoil(place.stack, functions)
    found = look(place)
    assert code in {finding.code for finding in found.findings if finding.severity is severity}
    assert not found.is_healthy
    assert all(finding.remedy and finding.subject for finding in found.findings)


def test_what_the_caller_may_not_do_is_said_and_everything_else_is_looked_at(
    deployed: tuple[Place, Functions],
) -> None:
    place, _ = deployed
    assert place.stack is not None

    def refuse(**_: object) -> None:
        error: Any = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
        raise ClientError(error, "DescribeTimeToLive")

    meta = place.stack.clients.dynamodb.meta.events
    meta.register("before-call.dynamodb.DescribeTimeToLive", refuse)
    try:
        found = look(place)
    finally:
        meta.unregister("before-call.dynamodb.DescribeTimeToLive", refuse)
    assert [(finding.code, finding.severity) for finding in found.findings] == [
        ("NOT_ALLOWED", Severity.UNCHECKED),
        ("NOT_ALLOWED", Severity.UNCHECKED),
    ]
    assert "DescribeTimeToLive" in found.findings[0].message
    assert (found.is_healthy, found.is_complete) == (True, False)


def test_the_rights_that_are_asked_for_are_those_that_the_template_gives() -> None:
    stores = {"LogTable": ON_LOG, "DirectoryTable": NEEDED["directory"], "ControlQueue": NEEDED["control queue"]}
    for name in functions():
        title = f"{name.capitalize()}Function"
        for store, rights in stores.items():
            wanted = {action for action, holders in rights.items() if title in holders}
            given = allowed(name, on=store) & rights.keys()
            assert given == wanted if store == "LogTable" else given >= wanted, name


def test_an_import_that_was_broken_off_is_found(deployed: tuple[Place, Functions]) -> None:
    place, _ = deployed
    import_claims.claim(place.services.directory, KEY, "0" * 64, 0)
    assert [(finding.code, finding.subject) for finding in look(place).findings] == [
        ("IMPORT_UNFINISHED", "acme#01X")
    ]


def test_the_worst_comes_first(deployed: tuple[Place, Functions]) -> None:
    place, functions = deployed
    assert place.stack is not None
    _with_a_backlog(place.stack, functions)
    _with_dead_letters(place.stack, functions)
    assert [finding.severity for finding in look(place).findings] == [Severity.ERROR, Severity.WARNING]


def test_the_page_has_every_code_and_no_other() -> None:
    root = Path(__file__).resolve().parents[3]
    package = root / "layers" / "engine" / "flowstrand" / "operations"
    sources = [*(package / "checks").glob("*.py"), package.parent / "service" / "stalls.py", package / "doctor.py"]
    calls = re.compile(r'(?:\b(?:error|warning)\(\s*|code=)"([A-Z_]+)"')
    told = {code for source in sources for code in calls.findall(source.read_text(encoding="utf-8"))}
    page = (root / "docs" / "doctor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`) \| (?:error|warning|info|unchecked) \|", page, re.MULTILINE)
    assert {code for row in rows for code in re.findall(r"`(.*?)`", row)} == told
