"""Every metric there is, by name. Namespace `Flowstrand`; docs/observability.md has the same table, for people.

Those of executions and tasks count what is in the logs, and come from the projector, which sees each commit once. The others
say what it takes to get there.
"""

from __future__ import annotations

from enum import StrEnum

from flowstrand.dataclass import dataclass

NAMESPACE = "Flowstrand"


class Unit(StrEnum):
    """CloudWatch's names."""

    COUNT = "Count"
    MILLISECONDS = "Milliseconds"
    SECONDS = "Seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One of them.

    Attributes:
        source: the function that reports it.
        meaning: for the table.
    """

    name: str
    unit: Unit
    source: str
    meaning: str


def _count(name: str, source: str, meaning: str) -> Metric:
    return Metric(name=name, unit=Unit.COUNT, source=source, meaning=meaning)


def _ms(name: str, source: str, meaning: str) -> Metric:
    return Metric(name=name, unit=Unit.MILLISECONDS, source=source, meaning=meaning)


# --- what is in the logs ------------------------------------------------------------------------

EXECUTIONS_STARTED = _count(
    "ExecutionsStarted", "projector", "executions begun, children and continuations included"
)
EXECUTIONS_COMPLETED = _count(
    "ExecutionsCompleted", "projector", "executions that returned or continued as another"
)
EXECUTIONS_FAILED = _count("ExecutionsFailed", "projector", "executions that failed")
EXECUTIONS_CANCELLED = _count("ExecutionsCancelled", "projector", "executions that were cancelled")
EXECUTIONS_POISONED = _count("ExecutionsPoisoned", "projector", "of the failed, those whose turns kept dying")
TASKS_CLAIMED = _count("TasksClaimed", "projector", "attempts that workers have begun")
TASKS_COMPLETED = _count("TasksCompleted", "projector", "tasks that succeeded")
TASKS_FAILED = _count("TasksFailed", "projector", "tasks that failed for good")
ATTEMPTS_FAILED = _count("AttemptsFailed", "projector", "attempts that failed, whether another followed or not")
LEASES_EXPIRED = _count("LeasesExpired", "projector", "of the failed attempts, those whose worker fell silent")
PROJECTION_LAG = _ms("ProjectionLag", "projector", "from a commit to its place in the feed and the listing")
CHANGED_COMMITS = _count(
    "ChangedCommits", "projector", "commits changed or deleted that had not expired: an alarm"
)

# --- turns --------------------------------------------------------------------------------------

TURNS_WARM = _count("TurnsWarm", "resumer", "turns of code that was in memory")
TURNS_COLD = _count("TurnsCold", "resumer", "turns that replayed their history")
TURN_DURATION = _ms("TurnDuration", "resumer", "a turn, from reading to the commit that closes it")
EVENTS_REPLAYED = _count("EventsReplayed", "resumer", "events that a cold turn delivered again")

# --- messages and appends -----------------------------------------------------------------------

WAKES_HANDLED = _count("WakesHandled", "resumer", "wakes and due messages that were dealt with")
WAKES_RESENT = _count("WakesResent", "resumer", "wakes put off, since another process runs the execution's turn")
WAKES_REDELIVERED = _count("WakesRedelivered", "resumer", "control messages that came again, having failed before")
DUE_LATENESS = _ms("DueLateness", "resumer", "how long after its moment a timer, lease or timeout was settled")
APPEND_CONFLICTS = _count("AppendConflicts", "all", "appends that lost to another writer and were decided again")
INBOX_REPORTS = _count(
    "InboxReports", "tasks, executions", "commands left in an inbox, for their log was contended"
)
SWEPT_EXECUTIONS = _count("SweptExecutions", "projector", "open executions that a sweep has woken")
STALLED_EXECUTIONS = _count(
    "StalledExecutions", "projector", "of those looked at after a sweep, how many stall: an alarm"
)

# --- requests that are held ---------------------------------------------------------------------

POLLS = _count("Polls", "tasks", "polls of workers")
POLL_WAIT = _ms("PollWait", "tasks", "how long a poll was held")
STREAM_READERS = _count("StreamReaders", "stream", "live responses that were served")
STREAM_SECONDS = Metric(
    name="StreamSeconds", unit=Unit.SECONDS, source="stream", meaning="how long a live response lasted"
)

ALL: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
