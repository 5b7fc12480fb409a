"""Following executions: each live over SSE and by long-poll at the same time, then its history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from flowstrand.cli.demo.evidence import Evidence, Seen
from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonValue

if TYPE_CHECKING:
    from flowstrand.client import Client, StreamEvent

_WAIT_S = 10
_CHILD_STARTED = "CHILD_WORKFLOW_STARTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A workflow to run."""

    kind: str
    title: str
    input: JsonValue = None


SCENARIOS = (
    Scenario(kind="failing-task", title="A task fails for good, and its workflow catches that"),
    Scenario(kind="parent-child", title="A parent waits for its child workflow"),
    Scenario(kind="order", title="An order: parallel tasks, one of which takes more than one attempt"),
)


@dataclass(slots=True)
class Follower:
    """Runs scenarios and gathers evidence.

    Attributes:
        on_start: told a scenario's name and its execution's id.
        on_event: told the scenario's name and each event of its stream, as it arrives.
    """

    client: Client
    on_start: Callable[[str, str], None]
    on_event: Callable[[str, StreamEvent], None]

    async def run(self, scenario: Scenario) -> list[Evidence]:
        """Start one and follow it and its children to their ends; the started one first."""
        handle = await self.client.start(scenario.kind, scenario.input)
        return await self._follow(scenario.kind, handle.id)

    async def _follow(self, scenario: str, execution_id: str) -> list[Evidence]:
        self.on_start(scenario, execution_id)
        async with asyncio.TaskGroup() as group:
            streaming = group.create_task(self._stream(scenario, execution_id))
            polling = group.create_task(self._poll(execution_id))
        sse, children = streaming.result()
        snapshot = await self.client.get(execution_id)
        history = [Seen(event.sequence, event.type) async for event in self.client.events(execution_id)]
        evidence = Evidence(
            id=execution_id,
            kind=snapshot.kind,
            scenario=scenario,
            status=snapshot.status,
            history=tuple(history),
            long_poll=polling.result(),
            sse=sse,
        )
        return [evidence, *children]

    async def _stream(self, scenario: str, execution_id: str) -> tuple[tuple[Seen, ...], list[Evidence]]:
        """What SSE shows, and the evidence of the children that it tells of."""
        seen: list[Seen] = []
        async with asyncio.TaskGroup() as group:
            following: list[asyncio.Task[list[Evidence]]] = []
            async for event in self.client.stream(execution_id):
                self.on_event(scenario, event)
                seen.append(Seen(event.sequence, event.type))
                if event.type == _CHILD_STARTED and isinstance(event.data, dict):
                    child = str(event.data["childWorkflowId"])
                    following.append(group.create_task(self._follow(f"{scenario}/child", child)))
        return tuple(seen), [evidence for task in following for evidence in task.result()]

    async def _poll(self, execution_id: str) -> tuple[Seen, ...]:
        """What long-poll shows."""
        seen: list[Seen] = []
        after, is_over = 0, False
        while not is_over:
            page = await self.client.history(execution_id, after=after, wait_s=_WAIT_S)
            seen.extend(Seen(event.sequence, event.type) for event in page.events)
            after, is_over = page.next_after, page.closed and page.up_to_date
        return tuple(seen)
