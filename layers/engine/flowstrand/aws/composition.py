"""The composition root of a deployed function: `Services` from the environment, once per process.

The only place that knows which adapters AWS uses. Tests and the local server install a container of their own
(`service.container.install`), and the same handlers run on that.
"""

from __future__ import annotations

import os
import secrets
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from flowstrand.aws.changes import PolledChanges
from flowstrand.aws.hosted import HostedPrograms, NoPrograms
from flowstrand.aws.lease_secret import SecretsClient, lease_tokens, stream_tickets
from flowstrand.aws.settings import Resources, engine_settings, resources
from flowstrand.directory.dynamodb import DynamoDirectory
from flowstrand.directory.port import Directory
from flowstrand.log.dynamodb import DynamoLog
from flowstrand.log.dynamodb_retention import DynamoRetention
from flowstrand.payloads.s3 import S3Payloads
from flowstrand.queues.hosted import HostedTasks
from flowstrand.queues.port import TaskQueue
from flowstrand.queues.sqs import SqsControlQueue, SqsStackQueue, SqsTaskQueue
from flowstrand.service import container
from flowstrand.service.clock import SystemClock
from flowstrand.service.container import Services
from flowstrand.service.tickets import StreamTickets
from flowstrand.service.warm import WarmCache
from flowstrand.timers.aws import AwsTimers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_sqs.client import SQSClient

_LONG_POLL_S = 20
# Standard mode retries throttling, 5xx and lost connections with jittered backoff. A put that was repeated after a lost
# reply recognises itself by its commit id.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 4},
    tcp_keepalive=True,
)
_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4"))
"""Presigned URLs of the older signature do not cover what is sent."""
_LONG_POLL_CONFIG = _CONFIG.merge(Config(read_timeout=_LONG_POLL_S + 5))


def services() -> Services:
    """What handlers of this process use: the installed container, else one built from the environment.

    Raises:
        ConfigurationError: the environment lacks something.
    """
    return container.installed() or _composed()


def directory() -> Directory:
    """Only the directory, for the function that needs nothing else and stands before every request.

    Raises:
        ConfigurationError: the environment lacks something.
    """
    installed = container.installed()
    return _directory() if installed is None else installed.directory


def tickets() -> StreamTickets:
    """Only the tickets, for the same function.

    Raises:
        ConfigurationError: the environment lacks something.
        StoreUnavailable: Secrets Manager does not answer.
    """
    installed = container.installed()
    return _tickets() if installed is None else installed.tickets


@cache
def _composed() -> Services:
    return compose(resources(os.environ))


@cache
def _directory() -> Directory:
    return DynamoDirectory(_dynamodb(), resources(os.environ).directory_table)


@cache
def _tickets() -> StreamTickets:
    return stream_tickets(resources(os.environ), _secrets, SystemClock())


def compose(names: Resources) -> Services:
    """The AWS adapters for `names`. Makes clients, but no call except for the secrets where they are named."""
    clock = SystemClock()
    sqs = boto3.client("sqs", config=_LONG_POLL_CONFIG)
    control = SqsControlQueue(sqs, names.control_queue_url)
    payloads = S3Payloads(boto3.client("s3", config=_S3_CONFIG), names.payload_bucket)
    programs = _programs(names.app)
    settings = engine_settings(os.environ)
    return Services(
        log=DynamoLog(_dynamodb(), names.log_table),
        payloads=payloads,
        transfers=payloads,
        directory=DynamoDirectory(_dynamodb(), names.directory_table),
        control=control,
        tasks=_tasks(sqs, names, programs),
        timers=AwsTimers(
            control,
            boto3.client("scheduler", config=_CONFIG),
            names.schedule_group,
            names.control_queue_arn,
            names.schedule_role_arn,
            clock,
        ),
        clock=clock,
        random_bytes=secrets.token_bytes,
        programs=programs,
        tokens=lease_tokens(names, _secrets),
        tickets=stream_tickets(names, _secrets, clock),
        changes=PolledChanges(),
        warm=WarmCache(settings.warm_executions),
        settings=settings,
        # A client like any other: that the janitor alone may update commits, its policy says.
        retention=DynamoRetention(_dynamodb(), names.log_table),
    )


def _tasks(sqs: SQSClient, names: Resources, programs: HostedPrograms | NoPrograms) -> TaskQueue:
    workers = SqsTaskQueue(sqs, names.task_queue_prefix)
    if names.hosted_queue is None or names.hosted_task_queue_url is None:
        return workers
    stack = SqsStackQueue(sqs, names.hosted_task_queue_url)
    return HostedTasks(workers, stack, queue=names.hosted_queue, kinds=programs.task_kinds)


def _programs(app: str | None) -> HostedPrograms | NoPrograms:
    return NoPrograms() if app is None else HostedPrograms(app)


def _secrets() -> SecretsClient:
    client: SecretsClient = boto3.client("secretsmanager", config=_CONFIG)
    return client


@cache
def _dynamodb() -> DynamoDBClient:
    return boto3.client("dynamodb", config=_CONFIG)
