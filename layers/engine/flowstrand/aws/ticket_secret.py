"""Stream tickets of a deployed function: their secret comes from Secrets Manager, where it may be rotated, or from the environment."""

from __future__ import annotations

from collections.abc import Callable

from flowstrand.aws.rotated_secret import RotatedSecret, SecretsClient, long_enough
from flowstrand.aws.settings import Resources
from flowstrand.service.clock import Clock
from flowstrand.service.signing import Signed
from flowstrand.service.tickets import NoStreamTickets, StreamTickets


def stream_tickets(resources: Resources, secrets: Callable[[], SecretsClient], clock: Clock) -> StreamTickets:
    """The tickets that `resources` allow for; `secrets` makes a client and is called only if one is needed.

    Raises:
        ConfigurationError: the secret is shorter than 32 bytes.
        StoreUnavailable: Secrets Manager does not answer.
    """
    if resources.ticket_secret is not None:
        return StreamTickets(long_enough(Signed.TICKET, resources.ticket_secret), clock)
    if resources.ticket_secret_arn is None:
        return NoStreamTickets()
    return StreamTickets(RotatedSecret(Signed.TICKET, secrets(), resources.ticket_secret_arn, clock), clock)
