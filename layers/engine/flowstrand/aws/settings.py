"""The environment of a deployed function: names of the stack's resources, and the engine's numbers.

`template.yaml` sets every variable named here. A number of `service.settings.Settings` is set by its own name in capitals:
`FLOWSTRAND_LEASE_MS=90000`.

It is read with what the standard library has: pydantic would be a third of what the authorizer, the janitor and the projector import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, field, fields

from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError
from flowstrand.service.settings import Settings

_PREFIX = "FLOWSTRAND_"
_SECRETS = frozenset({"lease_secret", "ticket_secret"})
_MIN_SECRET = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
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

    log_table: str
    directory_table: str
    payload_bucket: str
    control_queue_url: str
    control_queue_arn: str
    task_queue_prefix: str
    schedule_group: str
    schedule_role_arn: str
    app: str | None = None
    lease_secret: str | None = field(default=None, repr=False)
    lease_secret_arn: str | None = None
    ticket_secret: str | None = field(default=None, repr=False)
    ticket_secret_arn: str | None = None
    hosted_queue: str | None = None
    hosted_task_queue_url: str | None = None
    schedule_dead_letters_arn: str | None = None
    kms_key_arn: str | None = None


def resources(environment: Mapping[str, str]) -> Resources:
    """The resources that `environment` names.

    Raises:
        ConfigurationError: variables are missing or empty; the message names every one of them, and no value.
    """
    given = {each.name: text for each in fields(Resources) if (text := environment.get(_variable(each.name), ""))}
    if faults := list(_faults(given)):
        raise ConfigurationError(f"the environment lacks: {', '.join(faults)}")
    return Resources(**{name: text if name in _SECRETS else text.strip() for name, text in given.items()})


def _faults(given: Mapping[str, str]) -> Iterator[str]:
    for each in fields(Resources):
        text = given.get(each.name)
        if text is None:
            if each.default is MISSING:
                yield _variable(each.name)
        elif each.name in _SECRETS and len(text) < _MIN_SECRET:
            yield f"{_variable(each.name)} (of at least {_MIN_SECRET} characters)"
        elif not text.strip():
            yield f"{_variable(each.name)} (more than blanks)"


def engine_settings(environment: Mapping[str, str]) -> Settings:
    """The engine's numbers: the defaults, but for those that `environment` sets.

    Raises:
        ConfigurationError: one of them is not a whole number of at least 0.
    """
    return Settings(
        **{
            each.name: _number(name, environment[name])
            for each in fields(Settings)
            if environment.get(name := _variable(each.name))
        }
    )


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"{name} is not a whole number of at least 0: {text!r}")
    return int(text)


def _variable(field: str) -> str:
    return _PREFIX + field.upper()
