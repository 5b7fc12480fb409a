"""`Place`: where an operator acts: a deployed stack, or the data folder of a local server."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError
from flowstrand.local.stores import DATABASE, sqlite_stores
from flowstrand.log.port import EventLog
from flowstrand.operations.nowhere import NoChanges, NoControlQueue, NoPrograms, NoTaskQueue, NoTimers
from flowstrand.operations.stack import Clients, StackNames, boto_clients, found_in_cloudformation
from flowstrand.queues.port import ControlQueue
from flowstrand.service.clock import SystemClock
from flowstrand.service.container import Services
from flowstrand.service.settings import Settings
from flowstrand.service.tokens import LeaseTokens
from flowstrand.service.warm import WarmCache

if TYPE_CHECKING:
    from flowstrand.directory.port import Directory
    from flowstrand.log.inventory import LogInventory
    from flowstrand.payloads.inventory import PayloadInventory
    from flowstrand.payloads.port import PayloadStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed stack: what its resources are called, and how to reach them."""

    names: StackNames
    clients: Clients


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Exactly one of `stack` and `data` is there.

    Attributes:
        title: for people.
        services: its log, directory, payloads and, on a stack, its control queue. Nothing else of them may be used.
        logs, payloads: all that is stored.
    """

    title: str
    services: Services
    logs: LogInventory
    payloads: PayloadInventory
    close: Callable[[], None]
    stack: Stack | None = None
    data: Path | None = None


def open_place(*, stack: str | None, data: Path | None, environment: Mapping[str, str]) -> Place:
    """The place that options name; without any, the one that the environment names, as that of a deployed function does.

    Raises:
        ConfigurationError: there are two, or none, or it is not what it should be.
    """
    if stack is not None and data is not None:
        raise ConfigurationError("--stack and --data name two places; give one")
    if data is not None:
        return local_place(data)
    clients = boto_clients()
    if stack is not None:
        return stack_place(found_in_cloudformation(clients, stack), clients, title=f"the stack {stack}")
    names = StackNames.of_environment(environment)
    if names is None:
        raise ConfigurationError(
            "say where: --stack NAME for a deployed stack, --data FOLDER for a local server's data"
        )
    return stack_place(names, clients, title=f"the table {names.log_table}")


def local_place(data: Path) -> Place:
    """The data folder of a local server, which may be running.

    Raises:
        ConfigurationError: there is no database in it.
    """
    if not (data / DATABASE).is_file():
        raise ConfigurationError(f"{data} is no data folder of a local server: it has no {DATABASE}")
    stores = sqlite_stores(data)
    services = _services(stores.log, stores.directory, stores.payloads, NoControlQueue())
    return Place(
        title=f"the data folder {data}",
        services=services,
        logs=stores.log_inventory,
        payloads=stores.payload_inventory,
        close=stores.close,
        data=data,
    )


def stack_place(names: StackNames, clients: Clients, *, title: str) -> Place:
    """A deployed stack. Makes no call."""
    from flowstrand.directory.dynamodb import DynamoDirectory
    from flowstrand.log.dynamodb import DynamoLog
    from flowstrand.log.dynamodb_inventory import DynamoInventory
    from flowstrand.payloads.s3 import S3Payloads
    from flowstrand.payloads.s3_inventory import S3Inventory
    from flowstrand.queues.sqs import SqsControlQueue

    queue = names.control_queue_url
    control = NoControlQueue() if queue is None else SqsControlQueue(clients.sqs, queue)
    services = _services(
        DynamoLog(clients.dynamodb, names.log_table),
        DynamoDirectory(clients.dynamodb, names.directory_table),
        S3Payloads(clients.s3, names.payload_bucket),
        control,
    )
    return Place(
        title=title,
        services=services,
        logs=DynamoInventory(clients.dynamodb, names.log_table),
        payloads=S3Inventory(clients.s3, names.payload_bucket),
        close=lambda: None,
        stack=Stack(names=names, clients=clients),
    )


def _services(log: EventLog, directory: Directory, payloads: PayloadStore, control: ControlQueue) -> Services:
    return Services(
        log=log,
        directory=directory,
        payloads=payloads,
        control=control,
        tasks=NoTaskQueue(),
        timers=NoTimers(),
        clock=SystemClock(),
        random_bytes=secrets.token_bytes,
        programs=NoPrograms(),
        tokens=LeaseTokens(secrets.token_urlsafe(48)),  # of nobody: no lease is given here
        changes=NoChanges(),
        warm=WarmCache(0),
        # Nothing of a log is kept in memory: others change it meanwhile.
        settings=Settings(warm_executions=0),
    )
