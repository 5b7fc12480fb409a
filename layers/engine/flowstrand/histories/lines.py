"""The lines of an export: JSON, one object each, told apart by `type`. docs/export.md describes them.

    header, { execution, { payload }, { commit }, { taskLog }, end | channel, { payload }, { append }, end }, trailer

Every version is read for ever; version 1 has no channels. A line is ASCII: half of a surrogate pair in a user's string survives as its escape.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.names import is_name
from flowstrand.engine.schema import epoch_ms, from_json, rfc3339, to_json
from flowstrand.engine.task_log import LogRecord
from flowstrand.histories.history import TaskLogBatch
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.log.packing import pack_json, unpack_json
from flowstrand.log.port import Commit, LogKey

FORMAT = "flowstrand-histories"
VERSION = 2


class Line(StrEnum):
    """What a line is."""

    HEADER = "header"
    EXECUTION = "execution"
    PAYLOAD = "payload"
    COMMIT = "commit"
    TASK_LOG = "taskLog"
    CHANNEL = "channel"
    APPEND = "append"
    END = "end"
    TRAILER = "trailer"


def dump(line: Line, body: Mapping[str, JsonValue]) -> str:
    """A line, with its newline."""
    return json.dumps({"type": line.value, **body}, separators=(",", ":"), allow_nan=False) + "\n"


def commit_body(commit: Commit) -> JsonObject:
    """A commit: its events are as they are stored, so that the version they were written in stays theirs."""
    return {
        "sequence": commit.sequence,
        "writtenAt": rfc3339(commit.written_at_ms),
        "id": commit.commit_id,
        "events": unpack_json(commit.events),
    }


def commit_of(key: LogKey, body: Mapping[str, Any]) -> Commit:
    """The inverse of `commit_body`.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    events, sequence = body["events"], body["sequence"]
    if not isinstance(events, list) or not events or not isinstance(sequence, int) or sequence < 1:
        raise ValueError("a commit has a sequence and events")
    return Commit(
        key=key,
        sequence=sequence,
        count=len(events),
        events=pack_json(events),
        written_at_ms=epoch_ms(body["writtenAt"]),
        commit_id=str(body["id"]),
    )


def task_log_body(batch: TaskLogBatch) -> JsonObject:
    """What an attempt has logged at once."""
    records: list[JsonValue] = [to_json(record) for record in batch.records]
    return {"position": batch.position, "attempt": batch.attempt, "batch": batch.number, "records": records}


def task_log_of(body: Mapping[str, Any]) -> TaskLogBatch:
    """The inverse of `task_log_body`.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    position, attempt, number = (body[name] for name in ("position", "attempt", "batch"))
    if (
        not all(isinstance(each, int) for each in (position, attempt, number))
        or min(position, attempt - 1, number - 1) < 0
    ):
        raise ValueError("a task log has a position, and an attempt and a batch from 1")
    records = tuple(from_json(LogRecord, record) for record in body["records"])
    return TaskLogBatch(position=position, attempt=attempt, number=number, records=records)


def payload_body(sha256: str, body: bytes) -> JsonObject:
    """A payload in the file: as text where it is text, so that people can read it."""
    try:
        return {"sha256": sha256, "size": len(body), "json": body.decode()}
    except UnicodeDecodeError:
        return {"sha256": sha256, "size": len(body), "base64": base64.b64encode(body).decode()}


def payload_of(body: Mapping[str, Any]) -> bytes | None:
    """The inverse of `payload_body`; None where the payload is in a file of its own.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    if "json" in body:
        return str(body["json"]).encode()
    return base64.b64decode(body["base64"], validate=True) if "base64" in body else None


def key_of(body: Mapping[str, Any]) -> LogKey:
    """Whose log begins here.

    Raises:
        KeyError, ValueError: it names none.
    """
    org, id = body["org"], body["id"]
    if not (isinstance(org, str) and is_name(org) and isinstance(id, str) and id and "#" not in id):
        raise ValueError("an execution has an org and an id")
    return LogKey(OrgId(org), ExecutionId(id))


def digest(lines: Iterable[str]) -> str:
    """The SHA-256 of lines as they stand in the file, in hex."""
    sha256 = hashlib.sha256()
    for line in lines:
        sha256.update(line.encode())
    return sha256.hexdigest()
