"""What workers report of an attempt: its end, and what it emits on the way; and where the answer to a repeated report is found."""

from __future__ import annotations

from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.chunk import Chunk, ChunkType, StreamLimits
from flowstrand.engine.decide import stream, task
from flowstrand.engine.events import ErrorInfo, Event, TaskCompleted, TaskFailed
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.evolve import Draft
from flowstrand.engine.schema import Payload, PayloadRef, from_json, to_json
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service.container import Services
from flowstrand.service.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """The attempt succeeded."""

    position: int
    attempt: int
    output: Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The attempt failed."""

    position: int
    attempt: int
    error: ErrorInfo
    retryable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunks:
    """What the running attempt emitted. `request_id` is unique within the attempt."""

    position: int
    attempt: int
    chunks: tuple[Chunk, ...]
    request_id: str


Report: TypeAlias = Completion | Failure | Chunks


def decide(draft: Draft, report: Report, settings: Settings) -> None:
    """Apply a report.

    Raises:
        Conflict: the attempt is not the one that is running.
        PayloadTooLarge: `STREAM_LIMIT_REACHED`: they are chunks, and the attempt would have emitted more than it may.
    """
    match report:
        case Completion():
            task.complete(draft, report.position, attempt=report.attempt, output=report.output)
        case Failure():
            task.fail(
                draft,
                report.position,
                attempt=report.attempt,
                error=report.error,
                retryable=report.retryable,
            )
        case Chunks():
            append_chunks(draft, report, settings)


def append_chunks(draft: Draft, report: Chunks, settings: Settings) -> int:
    """Apply chunks; returns the sequence of their last event, which a repetition finds again. Raises what `decide` does."""
    return stream.append(
        draft,
        report.position,
        attempt=report.attempt,
        chunks=report.chunks,
        request_id=report.request_id,
        limits=stream_limits(settings),
    )


def stream_limits(settings: Settings) -> StreamLimits:
    """How much an attempt may emit."""
    return StreamLimits(chunks=settings.stream_chunks_per_attempt, size=settings.stream_bytes_per_attempt)


def request_id(report: Report) -> str:
    """The same for every repetition of a report, and for no other."""
    name = f"{report.position}.{report.attempt}.{type(report).__name__.lower()}"
    return f"{name}.{report.request_id}" if isinstance(report, Chunks) else name


def find_answer(services: Services, key: LogKey, report: Report, *, after: int) -> tuple[int | None, int]:
    """The sequence of the event that an earlier delivery of `report` appended, if there is one.

    Returns:
        The sequence or None, and up to where the log was read.
    """
    scanned = after
    for commit in services.log.read(key, after=after):
        for event in unpack_events(commit):
            if event.sequence > after and _answers(event, report):
                return event.sequence, event.sequence
        scanned = commit.last_sequence
    return None, scanned


def _answers(event: Event, report: Report) -> bool:
    match event.data, report:
        case (TaskCompleted() as done, Completion()):
            return (done.position, done.attempt) == (report.position, report.attempt)
        case (TaskFailed() as failed, Failure()):
            same = (failed.position, failed.attempt) == (report.position, report.attempt)
            return same and failed.failure_type == FailureType.ERROR
        case _:
            return False


def dump(report: Report) -> JsonObject:
    """A report as an inbox item. Large values must have been stored."""
    body: JsonObject = {"position": report.position, "attempt": report.attempt}
    if isinstance(report, Failure):
        return body | {"type": "fail", "error": to_json(report.error), "retryable": report.retryable}
    if isinstance(report, Chunks):
        chunks: list[JsonValue] = [_dump_chunk(chunk) for chunk in report.chunks]
        return body | {"type": "chunks", "requestId": report.request_id, "chunks": chunks}
    output = report.output
    if isinstance(output, PayloadRef):
        return body | {"type": "complete", "ref": to_json(output)}
    return body | {"type": "complete", "output": output}


def parse(body: JsonObject) -> Report:
    """The inverse of `dump`.

    Raises:
        LogCorrupted: it is not a report.
    """
    match body:
        case {"type": "complete", "position": int(position), "attempt": int(attempt), "ref": dict(ref)}:
            output = from_json(PayloadRef, ref)
            return Completion(position=position, attempt=attempt, output=output)
        case {"type": "complete", "position": int(position), "attempt": int(attempt), "output": value}:
            return Completion(position=position, attempt=attempt, output=value)
        case {
            "type": "fail",
            "position": int(position),
            "attempt": int(attempt),
            "error": dict(error),
            "retryable": bool(retryable),
        }:
            info = from_json(ErrorInfo, error)
            return Failure(position=position, attempt=attempt, error=info, retryable=retryable)
        case {
            "type": "chunks",
            "position": int(position),
            "attempt": int(attempt),
            "requestId": str(request_id),
            "chunks": list(chunks),
        }:
            parsed = tuple(_parse_chunk(chunk) for chunk in chunks)
            return Chunks(position=position, attempt=attempt, chunks=parsed, request_id=request_id)
        case _:
            raise LogCorrupted("an inbox item is not a report")


def _dump_chunk(chunk: Chunk) -> JsonObject:
    """References stand beside the values, never in their place, so that no user's value can be taken for one."""
    body: JsonObject = {"type": chunk.type.value}
    for name, value in (("payload", chunk.payload), ("details", chunk.details)):
        if isinstance(value, PayloadRef):
            body[f"{name}Ref"] = to_json(value)
        else:
            body[name] = value
    return body


def _parse_chunk(body: JsonValue) -> Chunk:
    if not isinstance(body, dict) or body.get("type") not in set(ChunkType):
        raise LogCorrupted("an inbox item holds something that is not a chunk")
    payload, details = _value(body, "payload"), _value(body, "details")
    return Chunk(type=ChunkType(str(body["type"])), payload=payload, details=details)


def _value(body: JsonObject, name: str) -> Payload:
    reference = body.get(f"{name}Ref")
    return from_json(PayloadRef, reference) if isinstance(reference, dict) else body.get(name)
