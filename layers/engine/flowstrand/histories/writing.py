"""`HistoryWriter`: writes an export, an execution or a channel at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from flowstrand.engine.evolve import fold
from flowstrand.engine.schema import rfc3339
from flowstrand.histories.channel import ChannelHistory
from flowstrand.histories.channel_lines import append_body, channel_body
from flowstrand.histories.history import History, TaskLogBatch
from flowstrand.histories.lines import (
    FORMAT,
    VERSION,
    Line,
    commit_body,
    digest,
    dump,
    payload_body,
    task_log_body,
)
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit, LogKey


def history_of(
    key: LogKey,
    commits: Sequence[Commit],
    payloads: Mapping[str, bytes],
    task_logs: Iterable[TaskLogBatch] = (),
) -> History:
    """A log as an export holds it.

    Raises:
        LogCorrupted: a commit cannot be read.
    """
    return History(
        key=key,
        commits=tuple(commits),
        payloads=payloads,
        sha256=digest(_digested_lines(key, commits)),
        task_logs=tuple(task_logs),
    )


class HistoryWriter:
    """Use it in a `with` block: without its last line, which the block's end writes, a file is known to be cut off."""

    def __init__(self, file: IO[str], *, now_ms: int, version: str, payload_folder: Path | None = None) -> None:
        """Writes the header.

        Args:
            version: of Flowstrand, for whoever looks at the file.
            payload_folder: beside the file, where each payload gets a file named by its SHA-256; None writes them between the
                lines.
        """
        self._file = file
        self._folder = payload_folder
        self._executions = self._channels = 0
        header: JsonObject = {
            "format": FORMAT,
            "version": VERSION,
            "exportedAt": rfc3339(now_ms),
            "flowstrand": version,
        }
        if payload_folder is not None:
            payload_folder.mkdir(exist_ok=True)
            header["payloadFolder"] = payload_folder.name
        file.write(dump(Line.HEADER, header))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            channels: JsonObject = {"channels": self._channels} if self._channels else {}
            self._file.write(dump(Line.TRAILER, {"executions": self._executions, **channels}))

    def write(self, history: History) -> None:
        """Append one execution."""
        first, *commits = _digested_lines(history.key, history.commits)
        self._file.write(first)
        self._write_payloads(history.payloads)
        self._file.writelines(commits)
        end: JsonObject = {"id": history.key.execution_id, "sha256": history.sha256}
        if history.task_logs:
            logged = [dump(Line.TASK_LOG, task_log_body(batch)) for batch in history.task_logs]
            self._file.writelines(logged)
            end["taskLogsSha256"] = digest(logged)
        self._file.write(dump(Line.END, end))
        self._executions += 1

    def write_channel(self, channel: ChannelHistory) -> None:
        """Append one channel."""
        first = dump(Line.CHANNEL, channel_body(channel.making))
        appends = [dump(Line.APPEND, append_body(append)) for append in channel.appends]
        self._file.write(first)
        self._write_payloads(channel.payloads)
        self._file.writelines(appends)
        end: JsonObject = {"id": channel.key.execution_id, "sha256": digest([first, *appends])}
        self._file.write(dump(Line.END, end))
        self._channels += 1

    def _write_payloads(self, payloads: Mapping[str, bytes]) -> None:
        for sha256, body in sorted(payloads.items()):
            self._file.write(dump(Line.PAYLOAD, self._payload(sha256, body)))

    def _payload(self, sha256: str, body: bytes) -> JsonObject:
        if self._folder is None:
            return payload_body(sha256, body)
        (self._folder / sha256).write_bytes(body)
        return {"sha256": sha256, "size": len(body)}


def _digested_lines(key: LogKey, commits: Sequence[Commit]) -> Iterable[str]:
    yield dump(Line.EXECUTION, _execution(key, commits))
    for commit in commits:
        yield dump(Line.COMMIT, commit_body(commit))


def _execution(key: LogKey, commits: Sequence[Commit]) -> JsonObject:
    """What the execution is, for whoever looks at the file; importers ask the events."""
    events = [event for commit in commits for event in unpack_events(commit)]
    state = fold(None, events)
    return {
        "org": key.org,
        "id": key.execution_id,
        "kind": state.kind,
        "status": state.status.value,
        "closed": state.closed is not None,
        "events": len(events),
    }
