"""The composition root: what handlers of a deployed function get, and what they are not given."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from flowstrand.aws import clients, composition
from flowstrand.aws.changes import PolledChanges
from flowstrand.aws.hosted import HostedPrograms, NoPrograms
from flowstrand.aws.lease_secret import NoLeaseTokens, lease_tokens
from flowstrand.aws.settings import Resources, resources
from flowstrand.directory.dynamodb import create_directory_table
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import ConfigurationError, Conflict, StoreUnavailable
from flowstrand.log.dynamodb import create_log_table
from flowstrand.log.port import LogKey
from flowstrand.queues.messages import TaskMessage, load
from flowstrand.queues.sqs import SqsTaskQueue
from flowstrand.service import container
from flowstrand.service.tokens import Lease, LeaseTokens
from tests.unit.manual_clock import ManualClock
from tests.unit.test_aws_settings import COMPLETE

SECRET = "a secret of at least thirty-two bytes"
LEASE = Lease(org=OrgId("acme"), task_id="e1.t1", attempt=1, sequence=4)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    _forget()
    with mock_aws():
        yield monkeypatch
    _forget()


def _forget() -> None:
    for cached in (composition._composed, composition._directory, clients.dynamodb):
        cached.cache_clear()


@pytest.mark.usefixtures("environment")
def test_services_are_composed_once_per_process() -> None:
    assert composition.services() is composition.services()


@pytest.mark.usefixtures("environment")
def test_what_is_installed_comes_before_what_the_environment_says() -> None:
    other = composition.compose(resources(COMPLETE))
    uninstall = container.install(other)
    try:
        assert composition.services() is other
        assert composition.directory() is other.directory
    finally:
        uninstall()
    assert composition.services() is not other


@pytest.mark.usefixtures("environment")
def test_the_composed_adapters_reach_the_resources_of_the_environment() -> None:
    dynamodb = boto3.client("dynamodb")
    create_log_table(dynamodb, "log")
    create_directory_table(dynamodb, "directory")
    boto3.client("sqs").create_queue(QueueName="control")
    services = composition.services()
    assert services.log.tail(LogKey(OrgId("acme"), ExecutionId("e1"))) is None
    services.directory.put("p", "k", {"found": True})
    found = composition.directory().get("p", "k")
    assert found is not None
    assert found.data == {"found": True}


def test_hosted_tasks_go_to_the_stacks_own_queue_and_others_to_workers(environment: pytest.MonkeyPatch) -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="hosted")["QueueUrl"]
    environment.setenv("FLOWSTRAND_APP", "workflows")
    environment.setenv("FLOWSTRAND_HOSTED_QUEUE", "default")
    environment.setenv("FLOWSTRAND_HOSTED_TASK_QUEUE_URL", url)
    tasks, acme = composition.services().tasks, OrgId("acme")

    for queue, kind in (("default", "ship"), ("default", "unknown"), ("gpu", "ship")):
        message = TaskMessage(org=acme, execution_id=ExecutionId("e1"), position=1, attempt=1, kind=kind)
        tasks.send(acme, queue, [message])

    (hosted,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert load(hosted["Body"]) == replace(message, kind="ship")
    for queue, kind in (("default", "unknown"), ("gpu", "ship")):
        (received,) = tasks.receive(acme, queue, limit=10, wait_s=0)
        assert received.message.kind == kind


def test_where_no_queue_is_hosted_every_task_is_a_workers(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("FLOWSTRAND_APP", "workflows")
    environment.setenv("FLOWSTRAND_HOSTED_QUEUE", "")
    environment.setenv("FLOWSTRAND_HOSTED_TASK_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/1/hosted")
    assert isinstance(composition.services().tasks, SqsTaskQueue)


def test_without_an_environment_nothing_is_composed(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("FLOWSTRAND_LOG_TABLE")
    with pytest.raises(ConfigurationError, match="FLOWSTRAND_LOG_TABLE"):
        composition.services()
    with pytest.raises(ConfigurationError, match="FLOWSTRAND_LOG_TABLE"):
        composition.directory()


def test_clients_give_up_before_the_function_does_and_outwait_a_long_poll() -> None:
    # botocore sets its options as attributes that no stub knows.
    config, polling = vars(clients.CONFIG), vars(clients.LONG_POLL_CONFIG)
    assert config["retries"] == polling["retries"] == {"mode": "standard", "total_max_attempts": 4}
    assert config["connect_timeout"] + config["read_timeout"] < 10
    assert 20 < polling["read_timeout"] < 29


# --- programs ----------------------------------------------------------------------------------------------------------

APP = """
from flowstrand import WorkflowContext, workflow


@workflow(name="greeting")
async def greeting(ctx: WorkflowContext, name: str) -> str:
    return name
"""


def test_an_app_is_loaded_when_a_workflow_is_first_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("app")
    (folder / "hosted_greeting.py").write_text(APP, encoding="utf-8")
    programs = HostedPrograms(str(folder / "hosted_greeting.py"))
    assert "hosted_greeting" not in sys.modules
    assert "greeting" in programs.kinds()
    program = programs.program("greeting")
    assert program is not None
    assert programs.program("unknown") is None


def test_a_function_without_an_app_hosts_nothing() -> None:
    assert list(NoPrograms().kinds()) == []
    assert NoPrograms().program("greeting") is None


@pytest.mark.usefixtures("environment")
def test_only_a_function_with_an_app_hosts_workflows() -> None:
    assert isinstance(composition.compose(resources(COMPLETE)).programs, NoPrograms)
    with_app = composition.compose(resources(COMPLETE | {"FLOWSTRAND_APP": "no.such.module"}))
    assert isinstance(with_app.programs, HostedPrograms)


# --- lease tokens ------------------------------------------------------------------------------------------------------


class Secrets:
    """Secrets Manager with one secret, and the one before it."""

    def __init__(self, secret: str, previous: str | None = None) -> None:
        self.current = secret
        self.previous = previous
        self.is_away = False
        self.reads = 0

    def rotate(self, secret: str) -> None:
        self.current, self.previous = secret, self.current

    def get_secret_value(self, *, SecretId: str, VersionStage: str = "AWSCURRENT") -> dict[str, str]:  # noqa: N803 - boto3's names
        assert SecretId == "arn:secret"
        self.reads += 1
        if self.is_away:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "GetSecretValue")
        secret = self.current if VersionStage == "AWSCURRENT" else self.previous
        if secret is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": secret}


def names(**extra: str) -> Resources:
    return resources(COMPLETE | {f"FLOWSTRAND_{name.upper()}": value for name, value in extra.items()})


def test_processes_that_share_a_secret_take_each_others_tokens() -> None:
    secrets = Secrets(SECRET)
    from_store = lease_tokens(names(lease_secret_arn="arn:secret"), lambda: secrets)
    from_environment = lease_tokens(names(lease_secret=SECRET), lambda: secrets)
    token = from_store.sign(LEASE)
    assert from_environment.verify(token, org=LEASE.org, task_id=LEASE.task_id) == LEASE
    assert secrets.reads == 1


def test_a_function_without_a_secret_neither_signs_nor_believes() -> None:
    token = lease_tokens(names(lease_secret=SECRET), lambda: Secrets(SECRET)).sign(LEASE)
    tokens = lease_tokens(names(), lambda: Secrets(SECRET))
    assert isinstance(tokens, NoLeaseTokens)
    with pytest.raises(ConfigurationError):
        tokens.sign(LEASE)
    with pytest.raises(ConfigurationError):
        tokens.verify(token, org=LEASE.org, task_id=LEASE.task_id)


def test_a_stored_secret_that_is_too_short_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="32 bytes"):
        lease_tokens(names(lease_secret_arn="arn:secret"), lambda: Secrets("short"))


def test_a_secret_store_that_does_not_answer_is_unavailable() -> None:
    class Failing:
        def get_secret_value(self, *, SecretId: str, VersionStage: str = "") -> dict[str, str]:  # noqa: N803
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "GetSecretValue")

    with pytest.raises(StoreUnavailable, match="lease secret"):
        lease_tokens(names(lease_secret_arn="arn:secret"), Failing)


# --- rotation ----------------------------------------------------------------------------------------------------------

NEW, NEWER = "another secret of at least thirty-two bytes", "yet another secret of thirty-two bytes"


def holds(tokens: LeaseTokens, token: str) -> bool:
    try:
        return tokens.verify(token, org=LEASE.org, task_id=LEASE.task_id) == LEASE
    except Conflict as refused:
        return refused.code != "INVALID_LEASE"


def test_tokens_are_good_across_a_rotation_in_processes_old_and_new() -> None:
    clock, secrets = ManualClock(), Secrets(SECRET)
    old = lease_tokens(names(lease_secret_arn="arn:secret"), lambda: secrets, clock)
    before = old.sign(LEASE)
    secrets.rotate(NEW)
    new = lease_tokens(names(lease_secret_arn="arn:secret"), lambda: secrets, clock)
    after = new.sign(LEASE)
    assert [holds(new, before), holds(old, after), holds(old, before), holds(new, after)] == [True] * 4
    assert jwt_is_of(old.sign(LEASE), NEW)


def test_tokens_of_two_rotations_ago_are_good_no_more() -> None:
    clock, secrets = ManualClock(), Secrets(SECRET)
    old = lease_tokens(names(lease_secret_arn="arn:secret"), lambda: secrets, clock).sign(LEASE)
    secrets.rotate(NEW)
    secrets.rotate(NEWER)
    assert not holds(lease_tokens(names(lease_secret_arn="arn:secret"), lambda: secrets, clock), old)


def test_a_process_that_only_signs_hears_of_a_rotation_in_ten_minutes() -> None:
    clock, secrets = ManualClock(), Secrets(SECRET)
    tokens = lease_tokens(names(lease_secret_arn="arn:secret"), lambda: secrets, clock)
    secrets.rotate(NEW)
    assert jwt_is_of(tokens.sign(LEASE), SECRET)
    clock.advance(600_000)
    assert jwt_is_of(tokens.sign(LEASE), NEW)


def test_however_many_tokens_are_made_up_the_secret_is_read_once_in_half_a_minute() -> None:
    clock, secrets = ManualClock(), Secrets(SECRET)
    tokens = lease_tokens(names(lease_secret_arn="arn:secret"), lambda: secrets, clock)
    assert [holds(tokens, "made up") for _ in range(50)] == [False] * 50
    assert secrets.reads == 1 + 2
    clock.advance(30_000)
    assert not holds(tokens, "made up")
    assert secrets.reads == 1 + 4


def test_a_process_goes_on_with_what_it_knows_while_secrets_cannot_be_read() -> None:
    clock, secrets = ManualClock(), Secrets(SECRET)
    tokens = lease_tokens(names(lease_secret_arn="arn:secret"), lambda: secrets, clock)
    token = tokens.sign(LEASE)
    secrets.is_away = True
    clock.advance(600_000)
    assert jwt_is_of(tokens.sign(LEASE), SECRET)
    assert (holds(tokens, token), holds(tokens, "made up")) == (True, False)


def jwt_is_of(token: str, secret: str) -> bool:
    return holds(LeaseTokens(secret), token)


# --- changes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("timeout_ms", "slept_s"), [(100.0, 0.1), (337.5, 0.3375), (20_000.0, 0.5), (-1.0, 0.0)])
async def test_a_reader_looks_again_after_its_own_delay_but_within_half_a_second(
    timeout_ms: float, slept_s: float
) -> None:
    slept: list[float] = []

    async def sleep(duration_s: float) -> None:
        slept.append(duration_s)

    key = LogKey(OrgId("acme"), ExecutionId("e1"))
    await PolledChanges(sleep).changed(key, after=3, timeout_ms=timeout_ms)
    assert slept == [slept_s]
