"""The API client, asynchronous and synchronous: start executions, await results, read and follow their logs.

    async with Client() as client:                      # FLOWSTRAND_URL, FLOWSTRAND_API_KEY, FLOWSTRAND_ORG
        handle = await client.start("order", {"sku": "a"})
        async for event in handle.stream():
            print(event.sequence, event.type)
        print(await handle.result(timeout=60))

The synchronous twin is `SyncClient`.
"""

from flowstrand.client.asynchronous import Client
from flowstrand.client.channel import ChannelInfo, ChannelPage, Producer
from flowstrand.client.channels import Channels, SyncChannels
from flowstrand.client.connection import Connection
from flowstrand.client.definition import KnownDefinition
from flowstrand.client.execution import Execution
from flowstrand.client.feed import FeedEvent
from flowstrand.client.handle import Handle, SyncHandle
from flowstrand.client.history import HistoryEvent, HistoryPage
from flowstrand.client.listed import ListedExecution
from flowstrand.client.queue import PresentWorker, Queue
from flowstrand.client.queues import Queues, SyncQueues, SyncWorkers, Workers
from flowstrand.client.schedule import Schedule, ScheduleRun
from flowstrand.client.schedules import Schedules, SyncSchedules
from flowstrand.client.settled import Settled
from flowstrand.client.standing import ChildStanding, TaskStanding
from flowstrand.client.stream import StreamEvent
from flowstrand.client.synchronous import SyncClient
from flowstrand.client.task_execution import TaskAttempt, TaskExecution
from flowstrand.client.task_handle import SyncTaskHandle, TaskHandle
from flowstrand.client.task_log import TaskLogRecord
from flowstrand.client.ticket import StreamTicket
from flowstrand.client.tree import TreeEvent

__all__ = [
    "ChannelInfo",
    "ChannelPage",
    "Channels",
    "ChildStanding",
    "Client",
    "Connection",
    "Execution",
    "FeedEvent",
    "Handle",
    "HistoryEvent",
    "HistoryPage",
    "KnownDefinition",
    "ListedExecution",
    "PresentWorker",
    "Producer",
    "Queue",
    "Queues",
    "Schedule",
    "ScheduleRun",
    "Schedules",
    "Settled",
    "StreamEvent",
    "StreamTicket",
    "SyncChannels",
    "SyncClient",
    "SyncHandle",
    "SyncQueues",
    "SyncSchedules",
    "SyncTaskHandle",
    "SyncWorkers",
    "TaskAttempt",
    "TaskExecution",
    "TaskHandle",
    "TaskLogRecord",
    "TaskStanding",
    "TreeEvent",
    "Workers",
]
