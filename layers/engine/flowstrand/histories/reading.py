"""Reading an export, an execution or a channel at a time; every byte of one is checked before anybody sees it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.errors import HistoryRefused
from flowstrand.histories.channel import Append, ChannelHistory, ChannelMaking
from flowstrand.histories.channel_lines import append_of, making_of
from flowstrand.histories.history import History, TaskLogBatch, refused
from flowstrand.histories.lines import FORMAT, VERSION, Line, commit_of, key_of, payload_of, task_log_of
from flowstrand.log.port import Commit, LogKey

Section: TypeAlias = History | ChannelHistory
"""What a file holds one after the other."""

_FAULTS = (KeyError, TypeError, ValueError)


def is_export(first_line: str) -> bool:
    """Whether a file that begins with this line claims to be an export."""
    try:
        header = json.loads(first_line)
    except ValueError:
        return False
    return isinstance(header, dict) and header.get("format") == FORMAT


def read_file(path: Path) -> Iterator[History]:
    """The executions of a file; what else it holds is checked and passed over. Raises as `sections_of_file` does."""
    return (section for section in sections_of_file(path) if isinstance(section, History))


def read(lines: Iterable[str], *, beside: Path | None = None) -> Iterator[History]:
    """The executions among these lines. Takes what `sections` takes, and raises as it does."""
    return (section for section in sections(lines, beside=beside) if isinstance(section, History))


def sections_of_file(path: Path) -> Iterator[Section]:
    """The executions and channels of a file, as `sections` gives them. Payloads in files of their own are looked for beside it.

    Raises:
        HistoryRefused: what `sections` says, or the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            yield from sections(lines, beside=path.parent)
    except (OSError, UnicodeDecodeError) as error:
        raise refused(f"{path} cannot be read: {error}") from error


def sections(lines: Iterable[str], *, beside: Path | None = None) -> Iterator[Section]:
    """Each execution and channel, its checksums compared. What lies in it is not looked at: see `History.require_sound`.

    Args:
        beside: where the folder is that the header names, of payloads in files of their own.

    Raises:
        HistoryRefused: `INVALID_EXPORT`: it is none, is damaged, or ends too early; some executions may have been given by
            then. `EXPORT_TOO_NEW`: a newer version wrote it. `PAYLOAD_MISSING`: a payload's file is not there.
    """
    numbered = _Numbered(lines)
    header = numbered.next(Line.HEADER)[1]
    _require_readable(header)
    folder = _folder(header, beside)
    executions = channels = 0
    while True:
        text, body = numbered.next(Line.EXECUTION, Line.CHANNEL, Line.TRAILER)
        if body["type"] == Line.TRAILER:
            break
        if body["type"] == Line.CHANNEL:
            yield _channel(numbered, text, body, folder)
            channels += 1
        else:
            yield _execution(numbered, text, body, folder)
            executions += 1
    for name, count in (("executions", executions), ("channels", channels)):
        if body.get(name, 0) != count:
            raise refused(f"it has {count} {name} where {body.get(name, 0)} should be")
    numbered.require_end()


class _Numbered:
    """Lines, and which one is being looked at."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._number = 0

    def next(self, *expected: Line) -> tuple[str, dict[str, Any]]:
        """The next line, of one of the kinds, and what it says."""
        text = next(self._lines, None)
        self._number += 1
        if text is None or not text.endswith("\n"):
            raise refused(f"it ends in line {self._number}, too early")
        try:
            body = json.loads(text)
        except ValueError as error:
            raise self.fault(error) from error
        if not isinstance(body, dict) or body.get("type") not in set(expected):
            raise self.fault(f"it should be one of {', '.join(expected)}")
        return text, body

    def fault(self, why: object) -> HistoryRefused:
        """What is wrong with the line."""
        return refused(f"line {self._number}: {why}")

    def require_end(self) -> None:
        """Refuse lines after the last."""
        if next(self._lines, None) is not None:
            raise refused(f"it goes on after its last line, {self._number}")


@dataclass(slots=True)
class _Execution:
    """What was read of one execution, and the digests of its lines so far."""

    key: LogKey
    sha256: hashlib._Hash
    task_logs_sha256: hashlib._Hash = field(default_factory=hashlib.sha256)
    commits: list[Commit] = field(default_factory=list)
    payloads: dict[str, bytes] = field(default_factory=dict)
    task_logs: list[TaskLogBatch] = field(default_factory=list)
    kinds: ClassVar = (Line.COMMIT, Line.TASK_LOG)

    def take(self, text: str, body: Mapping[str, Any]) -> None:
        """Another line of one of the kinds."""
        if body["type"] == Line.COMMIT:
            self.commits.append(commit_of(self.key, body))
            self.sha256.update(text.encode())
        else:
            self.task_logs.append(task_log_of(body))
            self.task_logs_sha256.update(text.encode())

    def ends_as(self, end: Mapping[str, Any]) -> bool:
        """Whether the line at its end has the checksums of what was read."""
        task_logs = self.task_logs_sha256.hexdigest() if self.task_logs else None
        read = (self.key.execution_id, self.sha256.hexdigest(), task_logs)
        return (end.get("id"), end.get("sha256"), end.get("taskLogsSha256")) == read


@dataclass(slots=True)
class _Channel:
    """What was read of one channel, and the digest of its lines so far."""

    making: ChannelMaking
    sha256: hashlib._Hash
    appends: list[Append] = field(default_factory=list)
    payloads: dict[str, bytes] = field(default_factory=dict)
    kinds: ClassVar = (Line.APPEND,)

    def take(self, text: str, body: Mapping[str, Any]) -> None:
        """Another line of the kind."""
        self.appends.append(append_of(body))
        self.sha256.update(text.encode())

    def ends_as(self, end: Mapping[str, Any]) -> bool:
        """Whether the line at its end has the checksum of what was read."""
        return (end.get("id"), end.get("sha256")) == (self.making.key.execution_id, self.sha256.hexdigest())


def _require_readable(header: Mapping[str, Any]) -> None:
    version = header.get("version")
    if header.get("format") != FORMAT or not isinstance(version, int) or version < 1:
        raise refused("it does not begin with the header of one")
    if version > VERSION:
        raise refused(f"version {version} is newer than {VERSION}: update Flowstrand", code="EXPORT_TOO_NEW")


def _folder(header: Mapping[str, Any], beside: Path | None) -> Path | None:
    """Where payloads have files of their own: beside the export, and nowhere else."""
    name = header.get("payloadFolder")
    if name is None or beside is None:
        return None
    if not isinstance(name, str) or Path(name).name != name or name == "..":
        raise refused(f"{name!r} is no folder beside it")
    return beside / name


def _execution(numbered: _Numbered, first: str, body: Mapping[str, Any], folder: Path | None) -> History:
    try:
        execution = _Execution(key_of(body), hashlib.sha256(first.encode()))
    except _FAULTS as error:
        raise numbered.fault(error) from error
    _fill(execution, numbered, folder)
    return History(
        key=execution.key,
        commits=tuple(execution.commits),
        payloads=execution.payloads,
        sha256=execution.sha256.hexdigest(),
        task_logs=tuple(execution.task_logs),
    )


def _channel(numbered: _Numbered, first: str, body: Mapping[str, Any], folder: Path | None) -> ChannelHistory:
    try:
        channel = _Channel(making_of(body), hashlib.sha256(first.encode()))
    except _FAULTS as error:
        raise numbered.fault(error) from error
    _fill(channel, numbered, folder)
    return ChannelHistory(making=channel.making, appends=tuple(channel.appends), payloads=channel.payloads)


def _fill(section: _Execution | _Channel, numbered: _Numbered, folder: Path | None) -> None:
    """Read on to its end."""
    while True:
        text, body = numbered.next(Line.PAYLOAD, *section.kinds, Line.END)
        if body["type"] == Line.END:
            break
        try:
            if body["type"] == Line.PAYLOAD:
                _take_payload(section.payloads, body, folder)
            else:
                section.take(text, body)
        except _FAULTS as error:
            raise numbered.fault(f"{type(error).__name__}: {error}") from error
    if not section.ends_as(body):
        raise numbered.fault("the checksum does not match: it was changed, or damaged on its way")


def _take_payload(payloads: dict[str, bytes], body: Mapping[str, Any], folder: Path | None) -> None:
    sha256 = str(body["sha256"])
    payload = payload_of(body)
    if payload is None:
        payload = _file(folder, sha256)
    if hashlib.sha256(payload).hexdigest() != sha256 or body.get("size") != len(payload):
        raise ValueError(f"the payload {sha256} does not match its checksum")
    payloads[sha256] = payload


def _file(folder: Path | None, sha256: str) -> bytes:
    if not sha256.isalnum():  # a name, never a path
        raise ValueError(f"{sha256!r} is no checksum")
    try:
        if folder is not None:
            return (folder / sha256).read_bytes()
    except FileNotFoundError:
        pass
    raise refused(f"the file of the payload {sha256} is not beside it", code="PAYLOAD_MISSING")
