"""Rotating what lease tokens and stream tickets are signed with. Those of the secret before stay good until the next rotation."""

from __future__ import annotations

import secrets

from flowstrand.errors import ConfigurationError
from flowstrand.local import secrets_file
from flowstrand.operations.place import Place
from flowstrand.service.signing import Signed

_BYTES = 48


def rotate(place: Place, signed: Signed) -> str:
    """Make another secret for leases, or for tickets; returns what is to be done besides, in a sentence.

    Raises:
        ConfigurationError: it is not known where the secret is.
    """
    if place.data is not None:
        secrets_file.rotate(place.data, signed)
        return "restart the server: it signs with the new secret then, and takes what the old one has signed, too"
    arns = {}
    if place.stack is not None:
        names = place.stack.names
        arns = {Signed.LEASE: names.lease_secret_arn, Signed.TICKET: names.ticket_secret_arn}
    arn = arns.get(signed)
    if place.stack is None or arn is None:
        raise ConfigurationError("it is not known here where the secret is; name the stack: --stack")
    place.stack.clients.secrets.put_secret_value(SecretId=arn, SecretString=secrets.token_urlsafe(_BYTES))
    return (
        "nothing else to do: functions sign with it within ten minutes, and take what the old one has signed, too"
    )
