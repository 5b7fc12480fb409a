"""`RotatedSecret`: a secret of Secrets Manager that may be rotated while functions run.

Secrets Manager keeps the one before, so what was signed with it is taken until the next rotation; and a process that has not heard of a
rotation looks again, when it gets what it does not know, and now and then.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.errors import ConfigurationError
from flowstrand.service.clock import Clock
from flowstrand.service.signing import Signed

_MIN_BYTES = 32
_REREAD_MS = 600_000
"""How old the secret may be that is signed with."""
_LOOK_AGAIN_MS = 30_000
"""How often what is unknown may lead to another look, however much of it there is."""
_NO_VERSION = "ResourceNotFoundException"
_logger = logging.getLogger("flowstrand.secrets")


class SecretsClient(Protocol):
    """The one call of boto3's Secrets Manager client that is used."""

    def get_secret_value(self, *, SecretId: str, VersionStage: str = ...) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        """The answer; the secret is its `SecretString`. The stage is `AWSCURRENT` unless it is given."""
        ...


class RotatedSecret:
    """`SigningSecrets`: the current one, and the one before it."""

    def __init__(self, signed: Signed, secrets: SecretsClient, arn: str, clock: Clock) -> None:
        """Reads the current secret.

        Raises:
            ConfigurationError: it is shorter than 32 bytes.
            StoreUnavailable: Secrets Manager does not answer.
        """
        self._signed = signed
        self._client = secrets
        self._arn = arn
        self._clock = clock
        with unavailable_on_faults(f"read the {signed} secret"):
            self.known: tuple[str, ...] = (self._current(),)
        self._read_at_ms = clock.now_ms()
        self._looked_back_at_ms = -_LOOK_AGAIN_MS

    def to_sign(self) -> str:
        """See `SigningSecrets.to_sign`. It is not older than ten minutes, if that can be helped."""
        if self._clock.now_ms() - self._read_at_ms >= _REREAD_MS:
            self._read()
        return self.known[0]

    def looked_again(self) -> bool:
        """See `SigningSecrets.looked_again`. Both are read, at most each half minute."""
        now_ms = self._clock.now_ms()
        if now_ms - self._looked_back_at_ms < _LOOK_AGAIN_MS:
            return False
        self._looked_back_at_ms = now_ms
        self._read()
        return True

    def _read(self) -> None:
        """Both secrets; where they cannot be read now, those that are known will do."""
        self._read_at_ms = self._clock.now_ms()
        try:
            self.known = (self._current(), *self._previous())
        except (ClientError, BotoCoreError, ConfigurationError):
            message = "the %s secrets could not be read again; those that are known are kept"
            _logger.warning(message, self._signed, exc_info=True)

    def _current(self) -> str:
        return long_enough(self._signed, self._client.get_secret_value(SecretId=self._arn)["SecretString"])

    def _previous(self) -> list[str]:
        try:
            answer = self._client.get_secret_value(SecretId=self._arn, VersionStage="AWSPREVIOUS")
        except ClientError as error:
            if error_code(error) != _NO_VERSION:
                raise
            return []
        return [long_enough(self._signed, answer["SecretString"])]


def long_enough(signed: Signed, secret: str) -> str:
    """The secret.

    Raises:
        ConfigurationError: it is shorter than 32 bytes.
    """
    if len(secret.encode()) < _MIN_BYTES:
        raise ConfigurationError(f"the {signed} secret has fewer than {_MIN_BYTES} bytes")
    return secret
