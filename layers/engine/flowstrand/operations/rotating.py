"""Rotating what lease tokens and stream tickets are signed with. Those of the secret before stay good until the next rotation."""

from __future__ import annotations

import secrets

from flowstrand.errors import ConfigurationError
from flowstrand.local import secrets_file
from flowstrand.operations.place import Place

_BYTES = 48


def rotate_lease_secret(place: Place) -> str:
    """Make another secret for leases; returns what is to be done besides, in a sentence.

    Raises:
        ConfigurationError: it is not known where the secret is.
    """
    if place.data is not None:
        secrets_file.rotate_lease_secret(place.data)
        return _AFTER_A_RESTART
    return _rotated(place, None if place.stack is None else place.stack.names.lease_secret_arn)


def rotate_ticket_secret(place: Place) -> str:
    """The same for tickets."""
    if place.data is not None:
        secrets_file.rotate_ticket_secret(place.data)
        return _AFTER_A_RESTART
    return _rotated(place, None if place.stack is None else place.stack.names.ticket_secret_arn)


_AFTER_A_RESTART = (
    "restart the server: it signs with the new secret then, and takes what the old one has signed, too"
)


def _rotated(place: Place, arn: str | None) -> str:
    if place.stack is None or arn is None:
        raise ConfigurationError("it is not known here where the secret is; name the stack: --stack")
    place.stack.clients.secrets.put_secret_value(SecretId=arn, SecretString=secrets.token_urlsafe(_BYTES))
    return (
        "nothing else to do: functions sign with it within ten minutes, and take what the old one has signed, too"
    )
