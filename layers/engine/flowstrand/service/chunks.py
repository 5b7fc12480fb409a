"""What running tasks emit, into the log: tokens, progress, data and errors, in their order.

Chunks are facts for whoever watches. They make nothing runnable and have no effects, so that no wake follows them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from flowstrand.engine.chunk import MAX_CHUNK_BYTES, Chunk
from flowstrand.engine.decide import stream
from flowstrand.engine.ids import OrgId
from flowstrand.engine.schema import Payload, PayloadRef
from flowstrand.errors import Conflict, InvalidInput, PayloadTooLarge
from flowstrand.service import append, inbox, payloads, reports, tasks
from flowstrand.service.container import Services
from flowstrand.service.reports import Chunks

MAX_CHUNKS = 100
"""How many chunks one call may bring."""
MAX_INLINE_BYTES = 128 * 1_024
"""How long the JSON of all values together may be that are too small for the payload store: it is one commit's."""


def append_chunks(
    services: Services,
    org: OrgId,
    task_id: str,
    *,
    lease_token: str,
    chunks: Sequence[Chunk],
    request_id: str | None = None,
) -> int:
    """Record what an attempt emitted, in one commit; returns the sequence of the last event.

    Args:
        request_id: the caller's own, unique within the attempt. Repeating it is a no-op with the same answer, while it
            is one of the newest that the log remembers (`REMEMBERED_REQUESTS`).

    Raises:
        InvalidInput: no chunks, or more than `MAX_CHUNKS`; nothing is recorded.
        PayloadTooLarge: a chunk, or all together, are too large, or the attempt would have emitted more than it may
            (`STREAM_LIMIT_REACHED`); nothing is recorded.
        NotFound: `TASK_NOT_FOUND`.
        Conflict: `INVALID_LEASE`, `STALE_ATTEMPT` or `EXECUTION_CLOSED`; nothing is recorded.
        Unavailable, StoreUnavailable: they may or may not have been recorded; send them again.
    """
    _require_within_limits(services, chunks)
    key, position, lease = tasks.lease_of(services, org, task_id, lease_token)
    report = Chunks(
        position=position,
        attempt=lease.attempt,
        chunks=tuple(_stored(services, org, chunk) for chunk in chunks),
        request_id=request_id or services.random_bytes(12).hex(),
    )
    tip = tasks.require(services, key)
    try:
        appended = append.transact(
            services,
            key,
            lambda draft: reports.append_chunks(draft, report, services.settings),
            tip=tip,
            conflicts=services.settings.append_attempts_before_inbox,
        )
    except append.Contended as contended:
        return _through_inbox(services, contended.tip, report)
    return appended.result


def _through_inbox(services: Services, tip: append.Tip, report: Chunks) -> int:
    """Leave the chunks to the resumer and wait for their sequence. Raises as `inbox.wait_for` does."""
    newest = tip

    def recorded_at() -> int | None:
        nonlocal newest
        newest, _ = append.catch_up(services, newest)
        return stream.recorded_at(
            newest.state, report.position, attempt=report.attempt, request_id=report.request_id
        )

    busy = "the chunks wait to be recorded; send them again"
    try:
        return inbox.wait_for(services, tip, report, recorded_at, busy=busy)
    except Conflict:  # dropped: because there was no room for them, or the attempt is over
        if report.position in newest.state.tasks:
            limits = reports.stream_limits(services.settings)
            stream.require_room(newest.state, report.position, report.chunks, limits)
        raise


def _stored(services: Services, org: OrgId, chunk: Chunk) -> Chunk:
    payload, details = payloads.store(services, org, chunk.payload), payloads.store(services, org, chunk.details)
    return replace(chunk, payload=payload, details=details)


def _require_within_limits(services: Services, chunks: Sequence[Chunk]) -> None:
    if not 1 <= len(chunks) <= MAX_CHUNKS:
        raise InvalidInput(f"from 1 to {MAX_CHUNKS} chunks may be sent at once, not {len(chunks)}")
    inline = 0
    for number, chunk in enumerate(chunks):
        sizes = [_size(chunk.payload), _size(chunk.details)]
        if sum(sizes) > MAX_CHUNK_BYTES:
            raise PayloadTooLarge(f"chunk {number} has {sum(sizes)} bytes, and may have {MAX_CHUNK_BYTES}")
        inline += sum(size for size in sizes if size <= services.settings.inline_payload_bytes)
    if inline > MAX_INLINE_BYTES:
        raise PayloadTooLarge(f"the chunks have {inline} bytes, and may have {MAX_INLINE_BYTES} at once")


def _size(value: Payload) -> int:
    if value is None or isinstance(value, PayloadRef):
        return 0
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
