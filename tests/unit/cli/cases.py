"""Every command that talks to a server: what the server answers, and what is printed, for programs and for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx2

from flowstrand.jsonvalue import JsonObject

E = "01JDX5K7Q2ZB4M8N0P3R6T9V1W"
MOMENT = "2026-11-23T09:00:00.000Z"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command.

    Attributes:
        command: its words; `--json` is added for programs.
        answers: of the server, in order.
        document: what is printed for programs; the last answer by default.
        lines: what is printed for people.
        sends: what the body of the first request has, among other things.
    """

    command: list[str]
    answers: list[Any]
    lines: list[str]
    document: Any = None
    sends: JsonObject = field(default_factory=dict)

    @property
    def expected(self) -> Any:
        return self.answers[-1] if self.document is None else self.document


OFFSET = "01KAY00000000000000000CHAN_0000000000000007"


def of_channel(status: int, content: bytes = b"", **headers: str) -> httpx2.Response:
    """An answer of the Durable Streams protocol."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, content=content, headers={"Stream-Next-Offset": OFFSET, **given})


STARTED: JsonObject = {
    "workflowExecutionId": E,
    "status": "PENDING",
    "kind": "order",
    "createdAt": MOMENT,
    "links": {"self": f"/api/orgs/dev/workflow-executions/{E}"},
    "idempotencyKeyUsed": False,
    "idempotencyKeyNew": False,
}
FAILED: JsonObject = {
    "workflowExecutionId": E,
    "kind": "order",
    "status": "FAILED",
    "createdAt": MOMENT,
    "currentSequence": 7,
    "queue": "default",
    "links": {"self": f"/api/orgs/dev/workflow-executions/{E}"},
    "metadata": {"customer": "ada"},
    "error": {"type": "SoldOut", "message": "no hats\nleft"},
    "failureType": "ERROR",
}
CANCELLING: JsonObject = {"workflowExecutionId": E, "kind": "order", "status": "CANCELLING", "currentSequence": 4}
RETRIED: JsonObject = {
    "workflowExecutionId": "e2",
    "status": "RUNNING",
    "kind": "order",
    "createdAt": MOMENT,
    "links": {"self": "/api/orgs/dev/workflow-executions/e2"},
    "retriedFrom": E,
}
EVENT: JsonObject = {
    "sequence": 1,
    "type": "TASK_FAILED",
    "timestamp": MOMENT,
    "data": {"kind": "pay", "attempt": 1, "status": "FAILED", "error": {"type": "Boom", "message": "no luck"}},
}
PAGE: JsonObject = {"events": [EVENT], "nextAfter": 1, "upToDate": True, "closed": True}
RUNNING_TASK: JsonObject = {
    "taskExecutionId": f"{E}.t3",
    "kind": "pay",
    "status": "RUNNING",
    "executionCount": 2,
    "maxRetries": 3,
    "sequence": 7,
    "queue": "default",
    "workerId": "w-1",
    "progress": 0.25,
    "lastHeartbeatAt": MOMENT,
}
FAILED_TASK: JsonObject = {
    "taskExecutionId": f"{E}.t1",
    "kind": "reserve",
    "status": "FAILED",
    "executionCount": 4,
    "maxRetries": 3,
    "sequence": 5,
    "error": {"type": "SoldOut", "message": "no hats left"},
    "failureType": "ERROR",
}
CHILD: JsonObject = {
    "childWorkflowId": f"{E}.c2",
    "kind": "ship",
    "name": "ship-1",
    "status": "RUNNING",
    "sequence": 4,
    "queue": "default",
}
WORKFLOW: JsonObject = {"kind": "order", "deployed": True}
TASK: JsonObject = {
    "kind": "pay",
    "deployed": False,
    "queue": "slow",
    "registeredAt": MOMENT,
    "description": "Charge a card.",
}
NIGHTLY: JsonObject = {
    "scheduleId": "nightly",
    "status": "ACTIVE",
    "timeZone": "UTC",
    "overlapPolicy": "SKIP",
    "missedRunPolicy": "RUN_ONCE",
    "kind": "report",
    "queue": "default",
    "cron": "0 2 * * *",
    "nextRunAt": "2026-11-24T02:00:00.000Z",
    "lastRun": {"workflowExecutionId": "e1", "scheduledAt": "2026-11-23T02:00:00.000Z"},
}
PAUSED: JsonObject = {**NIGHTLY, "status": "PAUSED"}
NIGHTLY_LINES = [
    "schedule id        nightly",
    "status             ACTIVE",
    "time zone          UTC",
    "overlap policy     SKIP",
    "missed run policy  RUN_ONCE",
    "kind               report",
    "queue              default",
    "cron               0 2 * * *",
    "next run at        2026-11-24 02:00:00Z",
    'last run           {"workflowExecutionId": "e1", "scheduledAt": "2026-11-23T02:00:00.000Z"}',
]
RUN: JsonObject = {
    "scheduledAt": "2026-11-23T02:00:00.000Z",
    "outcome": "STARTED",
    "triggered": False,
    "workflowExecutionId": "e1",
}
SKIPPED: JsonObject = {"scheduledAt": "2026-11-22T02:00:00.000Z", "outcome": "SKIPPED", "triggered": True}

LISTED: JsonObject = {
    "workflowExecutionId": E,
    "kind": "order",
    "status": "FAILED",
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
    "closedAt": "2026-11-23T09:05:00.000Z",
    "currentSequence": 7,
    "queue": "default",
    "metadata": {"customer": "ada"},
    "failureType": "ERROR",
}
OPEN: JsonObject = {
    "workflowExecutionId": "e2",
    "kind": "ship",
    "status": "WAITING",
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
    "currentSequence": 3,
    "queue": "default",
    "suspendType": "TIMER",
}
QUEUE: JsonObject = {"queue": "default", "state": "ACTIVE"}
LIMITED: JsonObject = {
    "queue": "payments",
    "state": "PAUSED",
    "maxTasksPerSecond": 20,
    "maxConcurrent": 5,
    "running": 2,
    "changedAt": MOMENT,
}
LIMITED_LINES = [
    "queue                 payments",
    "state                 PAUSED",
    "max tasks per second  20",
    "max concurrent        5",
    "running               2",
    "changed at            2026-11-23 09:00:00Z",
]
WORKER: JsonObject = {
    "workerId": "w-1",
    "name": "shop",
    "queues": ["default", "slow"],
    "taskKinds": ["pay", "reserve"],
    "workflowKinds": [],
    "state": "RUNNING",
    "registeredAt": MOMENT,
    "lastSeenAt": MOMENT,
}

EXECUTIONS = [
    Case(
        command=["list", "--status", "failed", "--kind", "order", "--metadata", "customer=ada", "--limit", "2"],
        answers=[{"executions": [LISTED], "nextCursor": "c"}, {"executions": [OPEN, OPEN], "nextCursor": "d"}],
        document={"executions": [LISTED, OPEN]},
        lines=[
            "EXECUTION                   KIND   STATUS   CREATED               CLOSED                METADATA",
            f'{E}  order  FAILED   2026-11-23 09:00:00Z  2026-11-23 09:05:00Z  {{"customer": "ada"}}',
            "e2                          ship   WAITING  2026-11-23 09:00:00Z  -                     -",
        ],
    ),
    Case(
        command=["start", "order", "--input", '{"item": "hat"}', "--queue", "fast", "--metadata", "customer=ada"],
        answers=[STARTED],
        lines=[E],
        sends={"kind": "order", "input": {"item": "hat"}, "queue": "fast", "metadata": {"customer": "ada"}},
    ),
    Case(
        command=["signal-with-start", "chat", "chat-7", "say", "--value", '"hello"', "--input", "[1]"],
        answers=[{**STARTED, "signalEventSequence": 2}],
        lines=[E],
        sends={"workflowId": "chat-7", "signalName": "say", "signalValue": "hello", "input": [1]},
    ),
    Case(
        command=["get", E],
        answers=[FAILED],
        lines=[
            f"workflow execution id  {E}",
            "kind                   order",
            "status                 FAILED",
            "created at             2026-11-23 09:00:00Z",
            "current sequence       7",
            "queue                  default",
            'metadata               {"customer": "ada"}',
            "error                  SoldOut: no hats left",
            "failure type           ERROR",
        ],
    ),
    Case(
        command=["wait", E],
        answers=[{**FAILED, "status": "COMPLETED", "error": None, "output": {"total": 7}}],
        lines=['{"total": 7}'],
    ),
    Case(
        command=["events", E, "--type", "TASK_FAILED"],
        answers=[PAGE],
        document=EVENT,
        lines=["   1  00:00:00.000  TASK_FAILED                 pay · attempt 1 · FAILED · Boom: no luck"],
    ),
    Case(
        command=["state", E],
        answers=[{"state": {"progress": 0.4, "step": "packing"}}],
        lines=["KEY       VALUE", "progress  0.4", "step      packing"],
    ),
    Case(
        command=["tasks", E, "--only", "open"],
        answers=[{"tasks": [RUNNING_TASK], "nextCursor": "ended.0"}, {"tasks": [FAILED_TASK]}],
        document={"tasks": [RUNNING_TASK, FAILED_TASK]},
        lines=[
            "TASK                           KIND     STATUS   ATTEMPT  QUEUE    WORKER  PROGRESS  ERROR",
            f"{E}.t3  pay      RUNNING  2        default  w-1     0.25      -",
            f"{E}.t1  reserve  FAILED   4        -        -       -         SoldOut: no hats left",
        ],
    ),
    Case(
        command=["children", E],
        answers=[{"children": [CHILD]}],
        lines=[
            "EXECUTION                      NAME    KIND  STATUS   ERROR",
            f"{E}.c2  ship-1  ship  RUNNING  -",
        ],
    ),
    Case(
        command=["signal", E, "go", "--value", "[1]", "--request-id", "r1"],
        answers=[{"signalEventSequence": 5}],
        lines=["5"],
        sends={"signalName": "go", "signalValue": [1], "requestId": "r1"},
    ),
    Case(
        command=["cancel", E, "--reason", "no", "--no-cascade", "--force"],
        answers=[{"sequence": 4}, CANCELLING],
        lines=["CANCELLING"],
        sends={"reason": "no", "cascadeToChildren": False, "force": True},
    ),
    Case(
        command=["retry", E, "--reason", "the bank is back", "--request-id", "r1"],
        answers=[RETRIED],
        lines=["e2"],
        sends={"reason": "the bank is back", "requestId": "r1"},
    ),
]
PROMISES = [
    Case(
        command=["promise", "resolve", "e.p1", "--value", "true"],
        answers=[{"sequence": 7, "alreadyResolved": False}],
        lines=["7"],
        sends={"value": True},
    ),
    Case(
        command=["promise", "reject", "key:k", "--message", "no", "--type", "TooExpensive"],
        answers=[{"sequence": 7, "alreadyResolved": True}],
        lines=["7 (settled before)"],
        sends={"error": {"type": "TooExpensive", "message": "no"}},
    ),
]
DEFINITIONS = [
    Case(
        command=["definitions", "workflows"],
        answers=[{"definitions": [WORKFLOW]}],
        lines=[
            "KIND   DEPLOYED  QUEUE  REGISTERED  DESCRIPTION",
            "order  true      -      -           -",
        ],
    ),
    Case(
        command=["definitions", "tasks"],
        answers=[{"definitions": [TASK]}],
        lines=[
            "KIND  DEPLOYED  QUEUE  REGISTERED            DESCRIPTION",
            "pay   false     slow   2026-11-23 09:00:00Z  Charge a card.",
        ],
    ),
]
STANDALONE = "01JDX5K7Q2ZB4M8N0P3R6T9V1X.t0"
TASK_STARTED: JsonObject = {
    "taskExecutionId": STANDALONE,
    "status": "PENDING",
    "kind": "resize",
    "createdAt": MOMENT,
    "links": {"self": f"/api/orgs/dev/task-executions/{STANDALONE}"},
    "idempotencyKeyUsed": True,
    "idempotencyKeyNew": True,
}
TASK_VIEW: JsonObject = {
    "taskExecutionId": STANDALONE,
    "kind": "resize",
    "status": "COMPLETED",
    "queue": "slow",
    "createdAt": MOMENT,
    "executionCount": 2,
    "maxRetries": 3,
    "currentSequence": 5,
    "links": {"self": f"/api/orgs/dev/task-executions/{STANDALONE}"},
    "endedAt": MOMENT,
    "output": {"width": 64},
}
FIRST: JsonObject = {
    "attempt": 1,
    "status": "FAILED",
    "sequence": 2,
    "startedAt": MOMENT,
    "workerId": "w-1",
    "endedAt": MOMENT,
    "error": {"type": "Boom", "message": "no luck"},
    "failureType": "ERROR",
    "retryAt": "2026-11-23T09:00:01.000Z",
}
SECOND: JsonObject = {"attempt": 2, "status": "RUNNING", "sequence": 4, "startedAt": MOMENT, "workerId": "w-2"}
LOGGED: JsonObject = {
    "attempt": 1,
    "timestamp": MOMENT,
    "level": "ERROR",
    "message": "the card was declined",
    "fields": {"orderId": "o-1"},
    "exception": {"type": "Boom", "message": "no luck", "stack": "Traceback …\nBoom: no luck\n"},
}

TASKS = [
    Case(
        command=[
            "task",
            "start",
            "resize",
            "--input",
            "[1]",
            "--queue",
            "slow",
            "--max-attempts",
            "1",
            "--deadline",
            "5m",
        ],
        answers=[TASK_STARTED],
        lines=[STANDALONE],
        sends={"kind": "resize", "input": [1], "queue": "slow", "timeoutMs": 300_000},
    ),
    Case(
        command=["task", "get", STANDALONE],
        answers=[TASK_VIEW],
        lines=[
            f"task execution id  {STANDALONE}",
            "kind               resize",
            "status             COMPLETED",
            "queue              slow",
            "created at         2026-11-23 09:00:00Z",
            "execution count    2",
            "max retries        3",
            "current sequence   5",
            "ended at           2026-11-23 09:00:00Z",
            'output             {"width": 64}',
        ],
    ),
    Case(command=["task", "wait", STANDALONE], answers=[TASK_VIEW], lines=['{"width": 64}']),
    Case(
        command=["task", "cancel", STANDALONE, "--reason", "enough"],
        answers=[{"sequence": 3}, {**TASK_VIEW, "status": "CANCELLED"}],
        lines=["CANCELLED"],
    ),
    Case(
        command=["task", "attempts", STANDALONE],
        answers=[{"attempts": [FIRST], "nextCursor": "4.0"}, {"attempts": [SECOND]}],
        document={"attempts": [FIRST, SECOND]},
        lines=[
            "ATTEMPT  STATUS   STARTED               ENDED                 WORKER  RETRY AT              ERROR",
            "1        FAILED   2026-11-23 09:00:00Z  2026-11-23 09:00:00Z  w-1     2026-11-23 09:00:01Z  Boom: no luck",
            "2        RUNNING  2026-11-23 09:00:00Z  -                     w-2     -                     -",
        ],
    ),
    Case(
        command=["task", "logs", STANDALONE, "--attempt", "1", "--level", "warning"],
        answers=[{"records": [], "nextCursor": "1.2.0"}, {"records": [LOGGED]}],
        document=LOGGED,
        lines=[
            '  1  00:00:00.000  ERROR     the card was declined  {"orderId": "o-1"}',
            "     Traceback …",
            "     Boom: no luck",
        ],
    ),
    Case(
        command=["task", "events", STANDALONE],
        answers=[PAGE],
        document=EVENT,
        lines=["   1  00:00:00.000  TASK_FAILED                 pay · attempt 1 · FAILED · Boom: no luck"],
    ),
]
QUEUES = [
    Case(
        command=["queue", "list"],
        answers=[{"queues": [QUEUE, LIMITED]}],
        lines=[
            "QUEUE     STATE   TASKS/S  CONCURRENT  CHANGED",
            "default   ACTIVE  -        -           -",
            "payments  PAUSED  20       5           2026-11-23 09:00:00Z",
        ],
    ),
    Case(command=["queue", "get", "payments"], answers=[LIMITED], lines=LIMITED_LINES),
    Case(command=["queue", "pause", "payments"], answers=[LIMITED], lines=LIMITED_LINES, sends={"paused": True}),
    Case(
        command=["queue", "resume", "default"],
        answers=[QUEUE],
        lines=["queue  default", "state  ACTIVE"],
        sends={"paused": False},
    ),
    Case(
        command=["queue", "limit", "payments", "--per-second", "20", "--concurrent", "none"],
        answers=[LIMITED],
        lines=LIMITED_LINES,
        sends={"maxTasksPerSecond": 20.0, "maxConcurrent": None},
    ),
    Case(
        command=["workers"],
        answers=[{"workers": [WORKER]}],
        lines=[
            "WORKER  NAME  STATE    QUEUES         LAST SEEN             VERSION  TASKS",
            "w-1     shop  RUNNING  default, slow  2026-11-23 09:00:00Z  -        pay, reserve",
        ],
    ),
]
SCHEDULES = [
    Case(
        command=["schedule", "create", "nightly", "report", "--cron", "0 2 * * *", "--overlap", "BUFFER_ONE"],
        answers=[NIGHTLY],
        lines=NIGHTLY_LINES,
        sends={"scheduleId": "nightly", "kind": "report", "cron": "0 2 * * *", "overlapPolicy": "BUFFER_ONE"},
    ),
    Case(
        command=["schedule", "list"],
        answers=[{"schedules": [NIGHTLY]}],
        lines=[
            "SCHEDULE  STATUS  KIND    CRON       AT  TIME ZONE  NEXT RUN",
            "nightly   ACTIVE  report  0 2 * * *  -   UTC        2026-11-24 02:00:00Z",
        ],
    ),
    Case(command=["schedule", "get", "nightly"], answers=[NIGHTLY], lines=NIGHTLY_LINES),
    Case(
        command=["schedule", "update", "nightly", "report", "--cron", "0 2 * * *", "--revision", "1"],
        answers=[NIGHTLY],
        lines=NIGHTLY_LINES,
        sends={"kind": "report", "cron": "0 2 * * *", "overlapPolicy": "SKIP", "expectedRevision": 1},
    ),
    Case(
        command=["schedule", "pause", "nightly"],
        answers=[PAUSED],
        lines=[line.replace("ACTIVE", "PAUSED") for line in NIGHTLY_LINES],
    ),
    Case(command=["schedule", "resume", "nightly"], answers=[NIGHTLY], lines=NIGHTLY_LINES),
    Case(
        command=["schedule", "trigger", "nightly", "--request-id", "r1"],
        answers=[{"outcome": "STARTED", "workflowExecutionId": "e2"}],
        lines=["outcome                STARTED", "workflow execution id  e2"],
        sends={"requestId": "r1"},
    ),
    Case(
        command=["schedule", "runs", "nightly"],
        answers=[{"runs": [RUN, SKIPPED]}],
        lines=[
            "SCHEDULED AT          OUTCOME  EXECUTION  TRIGGERED  REASON",
            "2026-11-23 02:00:00Z  STARTED  e1         false      -",
            "2026-11-22 02:00:00Z  SKIPPED  -          true       -",
        ],
    ),
    Case(command=["schedule", "delete", "nightly"], answers=[{}], lines=["nightly is deleted"]),
]
_REFERENCE: JsonObject = {"$flowstrand": "payload", "id": "a" * 64, "sizeBytes": 6}
PAYLOADS = [
    Case(
        command=["payload", "upload", '{"n":1}'],
        answers=[{"payload": _REFERENCE, "payloadId": "a" * 64, "stored": True}],
        lines=['{"$flowstrand": "payload", "id": "' + "a" * 64 + '", "sizeBytes": 6}'],
        document=_REFERENCE,
        sends={"sizeBytes": 7},
    ),
    Case(
        command=["payload", "download", "a" * 64],
        answers=[{"downloadUrl": "/_/payloads/token"}, {"n": 1}],
        lines=['{"n": 1}'],
        document={"n": 1},
    ),
]
CHANNELS = [
    Case(
        command=["channel", "create", "chat", "--ttl", "2h"],
        answers=[of_channel(201, Content_Type="application/json", Stream_TTL="7200")],
        document={
            "channel": "chat",
            "contentType": "application/json",
            "offset": OFFSET,
            "closed": False,
            "ttlSeconds": 7200,
        },
        lines=[
            "channel       chat",
            "content type  application/json",
            f"offset        {OFFSET}",
            "closed        false",
            "ttl seconds   7200",
        ],
    ),
    Case(
        command=["channel", "append", "chat", '{"said": "hello"}'],
        answers=[of_channel(204)],
        document={"offset": OFFSET},
        lines=[OFFSET],
        sends={"said": "hello"},
    ),
    Case(
        command=["channel", "close", "chat"],
        answers=[of_channel(204, Stream_Closed="true")],
        document={"offset": OFFSET},
        lines=[OFFSET],
    ),
    Case(
        command=["channel", "get", "chat"],
        answers=[of_channel(200, Content_Type="application/json", Stream_Closed="true")],
        document={"channel": "chat", "contentType": "application/json", "offset": OFFSET, "closed": True},
        lines=[
            "channel       chat",
            "content type  application/json",
            f"offset        {OFFSET}",
            "closed        true",
        ],
    ),
    Case(
        command=["channel", "read", "chat"],
        answers=[
            of_channel(200, b'[{"said":"hello"}]', Content_Type="application/json", Stream_Up_To_Date="true")
        ],
        document={"message": {"said": "hello"}, "nextOffset": OFFSET},
        lines=['{"said": "hello"}'],
    ),
    Case(
        command=["channel", "tail", "chat", "--offset", "now"],
        answers=[
            of_channel(204, Stream_Up_To_Date="true", Stream_Cursor="1"),
            of_channel(200, b'[{"said":"hello"}]', Content_Type="application/json", Stream_Cursor="2"),
            of_channel(204, Stream_Closed="true"),
        ],
        document={"message": {"said": "hello"}, "nextOffset": OFFSET},
        lines=['{"said": "hello"}'],
    ),
    Case(
        command=["channel", "delete", "chat"],
        answers=[httpx2.Response(204)],
        document={"deleted": "chat"},
        lines=["deleted chat"],
    ),
]
_TICKET: JsonObject = {"ticket": "h.c.s", "scope": "execution", "id": E, "expiresAt": MOMENT}
TICKETS = [
    Case(
        command=["ticket", E, "--ttl", "10m"],
        answers=[_TICKET],
        lines=["h.c.s"],
        sends={"scope": "execution", "id": E, "ttlSeconds": 600},
    ),
]
CASES = [*EXECUTIONS, *PROMISES, *PAYLOADS, *TICKETS, *DEFINITIONS, *TASKS, *QUEUES, *SCHEDULES, *CHANNELS]
GROUPS = frozenset({"channel", "definitions", "payload", "promise", "queue", "schedule", "task"})
