"""Every number that an operator may set, with its default."""

from __future__ import annotations

from flowstrand.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Durations are milliseconds, sizes bytes."""

    lease_ms: int = 60_000
    """How long a claimed attempt is its worker's without a heartbeat."""
    heartbeat_ms: int = 20_000
    """How often workers are told to heartbeat."""
    turn_lease_ms: int = 15_000
    """The lease on an execution whose turn is running `ctx.run` functions; renewed at a third of it."""
    poison_turns: int = 10
    """How many turns of one execution may end with their process, or without a commit, one after the other, before the
    execution fails; 0 for any number."""
    safety_wake_ms: int = 30_000
    """After a commit with effects, when the projector wakes the execution once more."""
    feed_ms: int = 604_800_000
    """How long an event stays in its org's feed; not longer than the logs of ended executions are kept."""
    sweep_interval_ms: int = 600_000
    """How often every open execution is woken."""
    wake_visibility_ms: int = 60_000
    """When an unacknowledged wake comes again."""
    inline_payload_bytes: int = 8_192
    """Larger values go to the payload store."""
    max_payload_bytes: int = 1_048_576
    """Larger values are refused."""
    max_upload_bytes: int = 67_108_864
    """Larger values are not taken by upload either."""
    max_replayed_payload_bytes: int = 16_777_216
    """Larger values reach workflow code as a reference, not as what they are."""
    max_poll_input_bytes: int = 4_194_304
    """What the inputs of one poll may have together; the others are given by reference."""
    transfer_url_s: int = 900
    """How long a URL for an upload or a download is valid."""
    max_commit_bytes: int = 256 * 1024
    """A turn that asks for more is cut into segments."""
    checkpoint_bytes: int = 16 * 1024
    """The least that is written between two checkpoints."""
    append_attempts_before_inbox: int = 3
    """Conflicts after which a task's report goes through the inbox."""
    inbox_wait_ms: int = 10_000
    """How long a reporter waits for the inbox to be drained before it is told to try again."""
    warm_executions: int = 256
    """How many suspended coroutines are kept in memory; 0 forces cold replay."""
    long_poll_ms: int = 20_000
    """The longest wait of a poll."""
    stream_ms: int = 55_000
    """When a live stream ends by itself."""
    stream_heartbeat_ms: int = 15_000
    """The longest silence on a live stream."""
    stream_chunks_per_attempt: int = 100_000
    """How many values one attempt of a task may stream; 0 for any number."""
    stream_bytes_per_attempt: int = 67_108_864
    """How much JSON those may be together; 0 for any amount."""
    task_log_batches: int = 500
    """How many batches of log records are kept of one attempt of a task; 0 for none."""
    retention_days: int = 30
    """How long the log of an execution is kept whole after its end; 0 for ever."""
    janitor_interval_ms: int = 900_000
    """How often logs whose time has come are let go."""
    quota_open_executions: int = 0
    """How many executions of one org may be open before its starts are refused; 0 for any number."""
    quota_starts_per_s: int = 0
    """How many requests of one org may start an execution each second, on average; 0 for any number."""
    quota_signals_per_s: int = 0
    """The same of signals."""
    quota_burst_s: int = 2
    """How many seconds' worth of starts or signals may come at once."""
