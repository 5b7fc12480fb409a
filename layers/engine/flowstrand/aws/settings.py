"""The environment of a deployed function: names of the stack's resources, and the engine's numbers.

`template.yaml` sets every variable named here. A number of `service.settings.Settings` is set by its own name in capitals:
`FLOWSTRAND_LEASE_MS=90000`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, StringConstraints, TypeAdapter, ValidationError

from flowstrand.errors import ConfigurationError
from flowstrand.service.settings import Settings

_PREFIX = "FLOWSTRAND_"
_NUMBER = TypeAdapter(NonNegativeInt)

Name = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Resources(BaseModel):
    """What the adapters of a stack are called. Each field is `FLOWSTRAND_` and its name in capitals.

    Attributes:
        control_queue_arn: of the queue at `control_queue_url`; what schedules send to.
        app: the workflow code this function hosts, as `App.load` takes it; None where it hosts none.
        lease_secret: signs lease tokens, at least 32 bytes; for tests and other places without Secrets Manager.
        hosted_queue: the name of the queue whose tasks the stack runs itself, where their code is deployed; None where it
            runs none.
        hosted_task_queue_url: where those tasks are queued.
        lease_secret_arn: where Secrets Manager keeps that secret; neither where a function handles no tokens.
        ticket_secret, ticket_secret_arn: the same of stream tickets.
        schedule_dead_letters_arn: of the queue that takes what schedules cannot deliver; None where nothing does.
        kms_key_arn: of the key that task queues are encrypted with as they are made; None for SQS's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_table: Name
    directory_table: Name
    payload_bucket: Name
    control_queue_url: Name
    control_queue_arn: Name
    task_queue_prefix: Name
    schedule_group: Name
    schedule_role_arn: Name
    app: Name | None = None
    lease_secret: str | None = Field(default=None, min_length=32, repr=False)
    lease_secret_arn: Name | None = None
    ticket_secret: str | None = Field(default=None, min_length=32, repr=False)
    ticket_secret_arn: Name | None = None
    hosted_queue: Name | None = None
    hosted_task_queue_url: Name | None = None
    schedule_dead_letters_arn: Name | None = None
    kms_key_arn: Name | None = None


def resources(environment: Mapping[str, str]) -> Resources:
    """The resources that `environment` names.

    Raises:
        ConfigurationError: variables are missing or empty; the message names every one of them, and no value.
    """
    variables = {field: environment.get(_variable(field), "") for field in Resources.model_fields}
    try:
        return Resources.model_validate({field: value for field, value in variables.items() if value})
    except ValidationError as error:
        faults = [f"{_variable(str(fault['loc'][0]))} ({fault['msg']})" for fault in error.errors()]
        raise ConfigurationError(f"the environment lacks: {', '.join(faults)}") from None


def engine_settings(environment: Mapping[str, str]) -> Settings:
    """The engine's numbers: the defaults, but for those that `environment` sets.

    Raises:
        ConfigurationError: one of them is not a whole number of at least 0.
    """
    return Settings(
        **{
            field.name: _number(name, environment[name])
            for field in fields(Settings)
            if environment.get(name := _variable(field.name))
        }
    )


def _number(name: str, text: str) -> int:
    try:
        return _NUMBER.validate_python(text)
    except ValidationError:
        raise ConfigurationError(f"{name} is not a whole number of at least 0: {text!r}") from None


def _variable(field: str) -> str:
    return _PREFIX + field.upper()
