"""Settings of a deployed function, from its environment and from nowhere else."""

from __future__ import annotations

from dataclasses import fields

import pytest

from flowstrand.aws.settings import Resources, engine_settings, resources
from flowstrand.errors import ConfigurationError
from flowstrand.service.settings import Settings

COMPLETE = {
    "FLOWSTRAND_LOG_TABLE": "log",
    "FLOWSTRAND_DIRECTORY_TABLE": "directory",
    "FLOWSTRAND_PAYLOAD_BUCKET": "payloads",
    "FLOWSTRAND_CONTROL_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/control",
    "FLOWSTRAND_CONTROL_QUEUE_ARN": "arn:aws:sqs:eu-central-1:123456789012:control",
    "FLOWSTRAND_TASK_QUEUE_PREFIX": "stack-task",
    "FLOWSTRAND_SCHEDULE_GROUP": "timers",
    "FLOWSTRAND_SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/timers",
}


def test_a_complete_environment_names_every_resource() -> None:
    found = resources(COMPLETE | {"FLOWSTRAND_APP": "workflows", "PATH": "/usr/bin"})
    assert (found.log_table, found.directory_table, found.app) == ("log", "directory", "workflows")
    assert (found.lease_secret, found.lease_secret_arn) == (None, None)


@pytest.mark.parametrize("name", sorted(COMPLETE))
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_or_empty_variable_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in COMPLETE.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(ConfigurationError, match=name):
        resources(environment)


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        resources({})
    assert all(name in raised.value.message for name in COMPLETE)


def test_a_secret_that_is_too_short_is_refused_without_being_told() -> None:
    with pytest.raises(ConfigurationError, match="FLOWSTRAND_LEASE_SECRET") as raised:
        resources(COMPLETE | {"FLOWSTRAND_LEASE_SECRET": "hunter2"})
    assert "hunter2" not in raised.value.message
    assert raised.value.__cause__ is None


def test_a_secret_is_taken_as_it_is_and_names_without_the_blanks_around_them() -> None:
    secret = " " + "s" * 32
    found = resources(COMPLETE | {"FLOWSTRAND_LEASE_SECRET": secret, "FLOWSTRAND_LOG_TABLE": " log "})
    assert (found.lease_secret, found.log_table) == (secret, "log")


def test_an_optional_name_is_not_blank() -> None:
    with pytest.raises(ConfigurationError, match="FLOWSTRAND_APP"):
        resources(COMPLETE | {"FLOWSTRAND_APP": "  "})


def test_resources_do_not_show_their_secret() -> None:
    assert "s" * 32 not in repr(resources(COMPLETE | {"FLOWSTRAND_LEASE_SECRET": "s" * 32}))


def test_there_is_a_variable_for_every_field() -> None:
    secrets = {"lease_secret", "lease_secret_arn", "ticket_secret", "ticket_secret_arn"}
    optional = {
        "app",
        *secrets,
        "hosted_queue",
        "hosted_task_queue_url",
        "kms_key_arn",
        "schedule_dead_letters_arn",
    }
    assert {f"FLOWSTRAND_{name.upper()}" for name in {each.name for each in fields(Resources)} - optional} == set(
        COMPLETE
    )


def test_the_engines_numbers_are_the_defaults_but_for_those_that_are_set() -> None:
    assert engine_settings({}) == Settings()
    changed = engine_settings({"FLOWSTRAND_LEASE_MS": "90000", "FLOWSTRAND_WARM_EXECUTIONS": "0"})
    assert changed == Settings(lease_ms=90_000, warm_executions=0)


@pytest.mark.parametrize("text", ["soon", "-1", "1.5", "1e3"])
def test_a_number_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match="FLOWSTRAND_LEASE_MS"):
        engine_settings({"FLOWSTRAND_LEASE_MS": text})
