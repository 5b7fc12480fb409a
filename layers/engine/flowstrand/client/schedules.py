"""`client.schedules`: create schedules and look after them, asynchronously and synchronously."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Unpack

from flowstrand.client import schedule_calls
from flowstrand.client.call import Call
from flowstrand.client.connection import Connection
from flowstrand.client.encoding import input_of, kind_of
from flowstrand.client.pages import each, each_sync
from flowstrand.client.schedule import Schedule, ScheduleRun
from flowstrand.client.schedule_calls import ScheduleOptions
from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk.payload_codecs import PayloadCodecs


class Schedules:
    """The schedules of an org."""

    def __init__(
        self, to: Connection, payloads: PayloadCodecs, answer: Callable[[Call], Awaitable[JsonObject]]
    ) -> None:
        """`answer` sends a request and gives the body of its answer."""
        self._to = to
        self._payloads = payloads
        self._answer = answer

    async def create(
        self,
        schedule_id: str | None,
        workflow: object,
        input: object = None,
        **options: Unpack[ScheduleOptions],
    ) -> Schedule:
        """Create a schedule.

        Args:
            schedule_id: letters, digits, `-` and `_`; None for one that the server makes.
            workflow: a `@workflow` definition or a kind.
            input: what each run is given.
            options: see `ScheduleOptions`; `cron` or `at` is needed.

        Raises:
            NotSerializable: the input does not fit.
            Conflict: the id is taken.
            InvalidInput: it would never be due, or the options make no sense.
        """
        return Schedule.of(
            await self._answer(_create(self._to, self._payloads, schedule_id, workflow, input, options))
        )

    async def update(
        self,
        schedule_id: str,
        workflow: object,
        input: object = None,
        *,
        expected_revision: int | None = None,
        **options: Unpack[ScheduleOptions],
    ) -> Schedule:
        """Change what a schedule does, from the first moment after now: all of it, whatever it has done before.

        Its runs so far, the one that waits and whether it is paused stay.

        Args:
            schedule_id: of the one to change.
            workflow: as for `create`.
            input: as for `create`.
            expected_revision: of the `Schedule` that one has seen; None for whatever it is.
            options: as for `create`; what is left out is as for a new one.

        Raises:
            NotSerializable: the input does not fit.
            Conflict: it has another revision (`SCHEDULE_CHANGED`).
            InvalidInput: it would never be due, or the options make no sense.
        """
        value = self._payloads.to_wire(input_of(workflow, input))
        call = schedule_calls.update(self._to, schedule_id, kind_of(workflow), value, expected_revision, **options)
        return Schedule.of(await self._answer(call))

    async def get(self, schedule_id: str) -> Schedule:
        """The schedule as it is now. Raises `NotFound`, as all of these do."""
        return Schedule.of(await self._answer(schedule_calls.get(self._to, schedule_id)))

    def list(self) -> AsyncGenerator[Schedule]:
        """Every schedule, by id."""
        return each(self._answer, schedule_calls.listed(self._to))

    def runs(self, schedule_id: str) -> AsyncGenerator[ScheduleRun]:
        """What became of its runs, from the newest on."""
        return each(self._answer, schedule_calls.runs(self._to, schedule_id))

    async def pause(self, schedule_id: str) -> Schedule:
        """Start nothing by itself until it is resumed."""
        return Schedule.of(await self._answer(schedule_calls.change(self._to, schedule_id, "pause")))

    async def resume(self, schedule_id: str) -> Schedule:
        """Go on with the first moment after now."""
        return Schedule.of(await self._answer(schedule_calls.change(self._to, schedule_id, "resume")))

    async def trigger(self, schedule_id: str, *, request_id: str | None = None) -> ScheduleRun:
        """Have a run now; the overlap policy holds. With a `request_id`, repeating it starts nothing more."""
        request = schedule_calls.trigger(self._to, schedule_id, request_id or uuid.uuid4().hex)
        return ScheduleRun.of(await self._answer(request))

    async def delete(self, schedule_id: str) -> None:
        """Forget it. What it started goes on."""
        await self._answer(schedule_calls.delete(self._to, schedule_id))


class SyncSchedules:
    """The same, synchronously."""

    def __init__(self, to: Connection, payloads: PayloadCodecs, answer: Callable[[Call], JsonObject]) -> None:
        """`answer` sends a request and gives the body of its answer."""
        self._to = to
        self._payloads = payloads
        self._answer = answer

    def create(
        self,
        schedule_id: str | None,
        workflow: object,
        input: object = None,
        **options: Unpack[ScheduleOptions],
    ) -> Schedule:
        """See `Schedules.create`."""
        return Schedule.of(self._answer(_create(self._to, self._payloads, schedule_id, workflow, input, options)))

    def update(
        self,
        schedule_id: str,
        workflow: object,
        input: object = None,
        *,
        expected_revision: int | None = None,
        **options: Unpack[ScheduleOptions],
    ) -> Schedule:
        """See `Schedules.update`."""
        value = self._payloads.to_wire(input_of(workflow, input))
        call = schedule_calls.update(self._to, schedule_id, kind_of(workflow), value, expected_revision, **options)
        return Schedule.of(self._answer(call))

    def get(self, schedule_id: str) -> Schedule:
        """See `Schedules.get`."""
        return Schedule.of(self._answer(schedule_calls.get(self._to, schedule_id)))

    def list(self) -> Generator[Schedule]:
        """See `Schedules.list`."""
        return each_sync(self._answer, schedule_calls.listed(self._to))

    def runs(self, schedule_id: str) -> Generator[ScheduleRun]:
        """See `Schedules.runs`."""
        return each_sync(self._answer, schedule_calls.runs(self._to, schedule_id))

    def pause(self, schedule_id: str) -> Schedule:
        """See `Schedules.pause`."""
        return Schedule.of(self._answer(schedule_calls.change(self._to, schedule_id, "pause")))

    def resume(self, schedule_id: str) -> Schedule:
        """See `Schedules.resume`."""
        return Schedule.of(self._answer(schedule_calls.change(self._to, schedule_id, "resume")))

    def trigger(self, schedule_id: str, *, request_id: str | None = None) -> ScheduleRun:
        """See `Schedules.trigger`."""
        request = schedule_calls.trigger(self._to, schedule_id, request_id or uuid.uuid4().hex)
        return ScheduleRun.of(self._answer(request))

    def delete(self, schedule_id: str) -> None:
        """See `Schedules.delete`."""
        self._answer(schedule_calls.delete(self._to, schedule_id))


def _create(
    to: Connection,
    payloads: PayloadCodecs,
    schedule_id: str | None,
    workflow: object,
    input: object,
    options: ScheduleOptions,
) -> Call:
    value = payloads.to_wire(input_of(workflow, input))
    return schedule_calls.create(to, schedule_id, kind_of(workflow), value, **options)
