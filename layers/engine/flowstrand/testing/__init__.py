"""The test kit: workflows on the real engine, in process, in milliseconds and in virtual time.

    async with Environment(workflows=[order], tasks=[charge_card]) as env:
        receipt = await env.start_and_wait(order, Order(amount=3))

It needs the `testing` extra.
"""

from flowstrand.errors import ExecutionStuck
from flowstrand.testing.environment import Environment
from flowstrand.testing.handle import ExecutionHandle
from flowstrand.testing.replay import Replayed, replay_history
from flowstrand.testing.stage import ReplayMode
from flowstrand.testing.task_handle import TaskHandle

__all__ = [
    "Environment",
    "ExecutionHandle",
    "ExecutionStuck",
    "ReplayMode",
    "Replayed",
    "TaskHandle",
    "replay_history",
]
