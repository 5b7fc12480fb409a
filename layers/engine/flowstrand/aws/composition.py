"""The composition root of a deployed function: `Services` from the environment, once per process.

The only place that knows which adapters AWS uses. What not every function needs is made, and imported, when it is first used.
Tests and the local server install a container of their own (`service.container.install`), and the same handlers run on that.
"""

from __future__ import annotations

import os
import secrets
from functools import cache
from typing import TYPE_CHECKING

from flowstrand.aws.changes import PolledChanges
from flowstrand.aws.deferred import deferred
from flowstrand.aws.hosted import HostedPrograms, NoPrograms
from flowstrand.aws.settings import Resources, engine_settings, resources
from flowstrand.directory.dynamodb import DynamoDirectory
from flowstrand.directory.port import Directory
from flowstrand.log.dynamodb import DynamoLog
from flowstrand.queues.port import ControlQueue, TaskQueue, Timers
from flowstrand.service import container
from flowstrand.service.clock import Clock, SystemClock
from flowstrand.service.container import Services
from flowstrand.service.shared_pages import SharedPages
from flowstrand.service.tickets import StreamTickets
from flowstrand.service.warm import WarmCache

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_sqs.client import SQSClient

    from flowstrand.aws.rotated_secret import SecretsClient
    from flowstrand.log.dynamodb_retention import DynamoRetention
    from flowstrand.payloads.s3 import S3Payloads
    from flowstrand.service.tokens import LeaseTokens


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
    return _stream_tickets(resources(os.environ), SystemClock())


def compose(names: Resources) -> Services:
    """The AWS adapters for `names`. Makes no call."""
    clock = SystemClock()
    sqs = deferred(_sqs)
    control = deferred(lambda: _control(sqs, names))
    payloads = deferred(lambda: _payloads(names))
    programs = _programs(names.app)
    settings = engine_settings(os.environ)
    return Services(
        log=DynamoLog(_dynamodb(), names.log_table),
        payloads=payloads,
        transfers=payloads,
        directory=DynamoDirectory(_dynamodb(), names.directory_table),
        control=control,
        tasks=deferred(lambda: _tasks(sqs, names, programs)),
        timers=deferred(lambda: _timers(control, names, clock)),
        clock=clock,
        random_bytes=secrets.token_bytes,
        programs=programs,
        tokens=deferred(lambda: _tokens(names)),
        tickets=deferred(lambda: _stream_tickets(names, clock)),
        changes=PolledChanges(),
        warm=WarmCache(settings.warm_executions),
        settings=settings,
        pages=SharedPages(most_pages=0),  # a process serves one reader at a time
        # A client like any other: that the janitor alone may update commits, its policy says.
        retention=deferred(lambda: _retention(names)),
    )


def _control(sqs: SQSClient, names: Resources) -> ControlQueue:
    from flowstrand.queues.sqs import SqsControlQueue

    return SqsControlQueue(sqs, names.control_queue_url)


def _payloads(names: Resources) -> S3Payloads:
    from flowstrand.aws import clients
    from flowstrand.payloads.s3 import S3Payloads

    return S3Payloads(clients.s3(), names.payload_bucket)


def _tasks(sqs: SQSClient, names: Resources, programs: HostedPrograms | NoPrograms) -> TaskQueue:
    from flowstrand.queues.hosted import HostedTasks
    from flowstrand.queues.sqs import SqsStackQueue, SqsTaskQueue

    workers = SqsTaskQueue(sqs, names.task_queue_prefix, kms_key_arn=names.kms_key_arn)
    if names.hosted_queue is None or names.hosted_task_queue_url is None:
        return workers
    stack = SqsStackQueue(sqs, names.hosted_task_queue_url)
    return HostedTasks(workers, stack, queue=names.hosted_queue, kinds=programs.task_kinds)


def _timers(control: ControlQueue, names: Resources, clock: Clock) -> Timers:
    from flowstrand.aws import clients
    from flowstrand.timers.aws import AwsTimers

    return AwsTimers(
        control,
        clients.scheduler(),
        names.schedule_group,
        names.control_queue_arn,
        names.schedule_role_arn,
        clock,
        dead_letters_arn=names.schedule_dead_letters_arn,
    )


def _tokens(names: Resources) -> LeaseTokens:
    """Reads the secret where one is named."""
    from flowstrand.aws.lease_secret import lease_tokens

    return lease_tokens(names, _secrets)


def _stream_tickets(names: Resources, clock: Clock) -> StreamTickets:
    """Reads the secret where one is named."""
    from flowstrand.aws.ticket_secret import stream_tickets

    return stream_tickets(names, _secrets, clock)


def _retention(names: Resources) -> DynamoRetention:
    from flowstrand.log.dynamodb_retention import DynamoRetention

    return DynamoRetention(_dynamodb(), names.log_table)


def _programs(app: str | None) -> HostedPrograms | NoPrograms:
    return NoPrograms() if app is None else HostedPrograms(app)


def _secrets() -> SecretsClient:
    from flowstrand.aws import clients

    return clients.secrets_manager()


def _sqs() -> SQSClient:
    from flowstrand.aws import clients

    return clients.sqs()


def _dynamodb() -> DynamoDBClient:
    from flowstrand.aws import clients

    return clients.dynamodb()
