"""Records the histories that the tests replay: `.venv/bin/python -m tests.unit.testing.record`.

Do it again when a change to the engine is meant to change logs, and look at what has changed: recorded histories that no
longer replay are executions that would break.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from flowstrand.testing import Environment
from tests.unit.testing.app import APP, Order, broken, charge, monthly, shopping

HISTORIES = Path(__file__).parent / "histories"


async def record() -> None:
    """Write every file again."""
    async with Environment(app=APP) as env:
        await env.start_and_wait(shopping, [1, 2], id="closed")
        await env.record("closed", HISTORIES / "shopping-closed.json")

        await env.start(shopping, [1, 2], id="open")
        await env.record("open", HISTORIES / "shopping-open.json")

        env.fail_next(charge, ConnectionError("no route"), times=2)
        await env.start_and_wait(monthly, Order(amount=3), id="retried")
        await env.record("retried", HISTORIES / "monthly-retried.json")

        failed = await env.start(broken, id="failed")
        await env.record(failed, HISTORIES / "broken-failed.json")


if __name__ == "__main__":
    asyncio.run(record())
