"""Rotating the secret that lease tokens are signed with. Tokens of the one before stay good until the next rotation."""

from __future__ import annotations

import secrets

from flowstrand.errors import ConfigurationError
from flowstrand.local.secrets_file import rotate_lease_secret as rotate_in_folder
from flowstrand.operations.place import Place

_BYTES = 48


def rotate_lease_secret(place: Place) -> str:
    """Make another secret; returns what is to be done besides, in a sentence.

    Raises:
        ConfigurationError: it is not known where the secret is.
    """
    if place.data is not None:
        rotate_in_folder(place.data)
        return "restart the server: it signs with the new secret then, and takes tokens of the old one, too"
    if place.stack is None or place.stack.names.lease_secret_arn is None:
        raise ConfigurationError("it is not known here where the lease secret is; name the stack: --stack")
    place.stack.clients.secrets.put_secret_value(
        SecretId=place.stack.names.lease_secret_arn, SecretString=secrets.token_urlsafe(_BYTES)
    )
    return "nothing else to do: functions sign with it within ten minutes, and take tokens of the old one, too"
