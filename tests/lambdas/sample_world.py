"""The world that the sample events speak of (see `tests.functions.stack`), in a deployed stack."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from flowstrand.directory.dynamodb import DynamoDirectory
from flowstrand.local.stores import Stores
from flowstrand.log.dynamodb import DynamoLog
from flowstrand.log.dynamodb_inventory import DynamoInventory
from flowstrand.log.dynamodb_retention import DynamoRetention
from flowstrand.payloads.s3 import S3Payloads
from flowstrand.payloads.s3_inventory import S3Inventory
from flowstrand.queues.sqs import SqsTaskQueue
from tests.functions.stack import LEASE_SECRET, NOW_MS, TICKET_SECRET, Stack, StillClock
from tests.lambdas.stack import DeployedStack, Emulators

LAYER = Path(__file__).with_name("layer")
_APP = "sample_app"


def sample_world(name: str, on: Emulators, folder: Path) -> DeployedStack:
    """A stack that hosts the samples' workflows, where all that has happened has happened by now."""
    folder.mkdir()
    stack = DeployedStack(
        name,
        on,
        folder,
        parameters={"App": _APP},
        workflows=LAYER,
        secret_strings={"LeaseSecret": LEASE_SECRET, "TicketSecret": TICKET_SECRET},
    )
    populate(stack)
    return stack


def populate(stack: DeployedStack) -> None:
    """Make the world with use cases of this process, on the stack's tables, queues and bucket."""
    log_table, directory_table = stack.attribute("LogTable"), stack.attribute("DirectoryTable")
    payloads = S3Payloads(stack.s3, stack.attribute("PayloadBucket"))
    stores = Stores(
        log=DynamoLog(stack.dynamodb, log_table),
        retention=DynamoRetention(stack.dynamodb, log_table),
        directory=DynamoDirectory(stack.dynamodb, directory_table),
        payloads=payloads,
        log_inventory=DynamoInventory(stack.dynamodb, log_table),
        payload_inventory=S3Inventory(stack.s3, stack.attribute("PayloadBucket")),
        transfers=payloads,
        close=lambda: None,
    )
    world = Stack(stores, clock=StillClock(max(NOW_MS, time.time_ns() // 1_000_000)))
    prefix = stack.resolved.value({"Fn::Sub": "${AWS::StackName}-task"})
    world.services = replace(world.services, tasks=SqsTaskQueue(stack.sqs, prefix))
    world.populate()
