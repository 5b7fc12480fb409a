"""`Strand`: one execution in this process's memory: its code, where its log stands, and what was read but not delivered."""

from __future__ import annotations

from flowstrand.engine.decide.turn import is_superseded, issue
from flowstrand.engine.events import Event, Family, OperationCompleted, OperationFailed
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay import matching
from flowstrand.engine.replay.commands import Command
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.patches import marker_of
from flowstrand.engine.replay.program import Wire
from flowstrand.engine.state import unseen_after
from flowstrand.errors import LogCorrupted
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import append
from flowstrand.service.container import Services
from flowstrand.service.payloads import inline
from flowstrand.service.wire import decoded, encoded_command


class MissingCode(Exception):
    """No deployed app has this workflow: nothing is lost, its turns wait until one has."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"no deployed app has a workflow {kind!r}")


class Strand:
    """Belongs to one turn at a time.

    Attributes:
        driver: the code.
        tip: where the log stands, as far as it was read.
        ahead: events read and not yet delivered, payloads inline but for what tasks have streamed.
    """

    def __init__(self, services: Services, driver: Driver, tip: append.Tip, ahead: list[Event]) -> None:
        self._services = services
        self.driver = driver
        self.tip = tip
        self.ahead = ahead

    @property
    def key(self) -> LogKey:
        """Whose it is."""
        return self.tip.key

    @property
    def wire(self) -> Wire:
        """How its values are written."""
        return self.driver.wire

    @property
    def horizon(self) -> int:
        """Up to where the code has seen all that it could: what it could observe after its end, it has not."""
        delivered_to, finished_at = self.driver.delivered_to, self.driver.finished_at
        if finished_at is None:
            return delivered_to
        unseen = unseen_after(self.tip.state, finished_at)
        return min(delivered_to, unseen[0] - 1) if unseen else delivered_to

    @property
    def is_cold(self) -> bool:
        """Whether nothing has been delivered yet: no code of this execution is in memory."""
        return self.driver.delivered_to == 0

    @property
    def is_superseded(self) -> bool:
        """Whether this turn must drop everything: the execution ended, or a duplicate has done its work."""
        return is_superseded(self.tip.state, self.driver.delivered_to)

    def read(self) -> None:
        """Read what others have appended since."""
        self.tip, events = append.catch_up(self._services, self.tip)
        self.ahead += [_with_values(self._services, self.key, event) for event in events]

    def deliver(self) -> None:
        """Deliver everything read, in log order, running the code to quiescence after each event.

        Raises:
            CodecFailed: a value cannot be decoded here.
        """
        seen_before = self.tip.state.horizon
        self.driver.foresee(self.ahead)
        for event in self.ahead:
            self.driver.deliver(decoded(self.wire, event), replaying=event.sequence <= seen_before)
        self.ahead = []

    def missing_commands(self) -> list[Command]:
        """What was issued minus what is recorded, whoever recorded it; as it is to be recorded.

        Raises:
            CodecFailed: a value cannot be encoded here.
        """
        unrecorded = self.driver.unrecorded()
        if not unrecorded:
            return []
        recorded = {
            matching.position_of(event.data)
            for event in self.ahead
            if isinstance(event.data, matching.RecordedCommand)
        }
        missing = [command for command in unrecorded if command.position not in recorded]
        return [encoded_command(self.wire, command) for command in missing]

    def issue(self, draft: Draft, commands: list[Command]) -> None:
        """Record what is missing. Children asked for before the code had seen a cancellation are to end as well."""
        requested_at = self.tip.state.cancel_requested_at
        if requested_at is None:
            issue(draft, commands, self.driver.delivered_to)
            return
        unaware = {command.position for command in self.driver.issued_by(requested_at - 1)}
        issue(draft, [command for command in commands if command.position in unaware], requested_at - 1)
        issue(draft, [c for c in commands if c.position not in unaware], self.driver.delivered_to)

    def missing_patches(self) -> list[str]:
        """Patches that the code follows and whose markers are not in the log."""
        recorded = {marker_of(event) for event in self.ahead}
        return [patch for patch in self.driver.unrecorded_patches() if patch not in recorded]

    def recorded_operations(self) -> set[int]:
        """Indices of `ctx.run` results among what was read and not delivered."""
        data = (event.data for event in self.ahead)
        return {item.index for item in data if isinstance(item, OperationCompleted | OperationFailed)}

    def write(self, draft: Draft) -> bool:
        """Append a draft decided on `tip`, or as much from its beginning as one commit may hold.

        What was written is delivered with whatever else is ahead. Returns whether it was the whole draft; if not,
        decide again: the rest is still missing from the log.

        Raises:
            AppendConflict: somebody else wrote first; `read` and decide again.
        """
        stored = append.in_stored_form(self._services, self.key, draft.events)
        fitting = append.fitting(stored, self._services.settings.max_commit_bytes)
        whole = fitting == len(stored)
        if not whole:
            now_ms, events = draft.now_ms, draft.events[:fitting]
            draft = Draft(self.tip.state, now_ms)
            draft.emit(*events)
        events_written = append.events_of(self.tip, draft)
        self.tip = append.write(self._services, self.tip, draft, stored[:fitting])
        self.ahead += events_written
        return whole


def _with_values(services: Services, key: LogKey, event: Event) -> Event:
    """`event` with its payloads fetched; what tasks have streamed is never delivered, and stays where it is."""
    if event.family is Family.STREAM:
        return event
    return inline(services, key.org, event, most=services.settings.max_replayed_payload_bytes)


def open_strand(services: Services, key: LogKey) -> Strand | None:
    """The execution, continued where this process left it or replayed from its log; None for an empty log.

    Raises:
        MissingCode: no deployed app has its workflow.
        LogCorrupted: the history is not 1..n up to its tail; it is never taken for an empty one.
    """
    strand = services.warm.take(key)
    if strand is not None:
        try:
            strand.read()
        except BaseException:
            strand.driver.drop()
            raise
        return strand
    commits = services.log.read(key, after=0)
    if not commits:
        if services.log.tail(key) is not None:
            raise LogCorrupted(f"the history of {key} came back empty")
        return None
    events = [event for commit in commits for event in unpack_events(commit)]
    tip = append.advance(None, key, commits, events)
    program = services.programs.program(tip.state.kind)
    if program is None:
        raise MissingCode(tip.state.kind)
    ahead = [_with_values(services, key, event) for event in events]
    return Strand(services, Driver(program), tip, ahead)
