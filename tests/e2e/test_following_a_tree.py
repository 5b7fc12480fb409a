"""A tree followed live on a real server, which is killed in the middle: every event of every log, once and by cause."""

from __future__ import annotations

import asyncio

from flowstrand.client import TreeEvent
from tests.e2e.app import STEPS
from tests.e2e.process import DevProcess


async def test_a_tree_is_followed_over_kills_without_a_gap(server: DevProcess) -> None:
    async with server.client() as client:
        handle = await client.start("crew", 3)
        told: list[TreeEvent] = []
        kills = [20, 90]
        async for event in handle.stream_tree():  # one reader over every kill: it reconnects by its cursor
            told.append(event)
            if kills and len(told) == kills[0]:
                kills.pop(0)
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
        assert kills == []
        assert await handle.result(timeout=60) == 3 * sum(range(STEPS))
        logs = {event.execution_id for event in told}
        assert len(logs) == 4
        for log in logs:
            sequences = [event.sequence for event in told if event.execution_id == log]
            assert sequences == [event.sequence async for event in client.events(log)]
        children = logs - {handle.id}
        ends = [event.execution_id for event in told if event.is_terminal]
        assert ends[-1] == handle.id
        assert set(ends[:-1]) == children
        for child in children:
            (said,) = (
                n for n, e in enumerate(told) if e.type == "CHILD_WORKFLOW_COMPLETED" and _child(e) == child
            )
            (ended,) = (n for n, e in enumerate(told) if e.is_terminal and e.execution_id == child)
            assert ended < said


def _child(event: TreeEvent) -> object:
    return event.data.get("childWorkflowId") if isinstance(event.data, dict) else None
