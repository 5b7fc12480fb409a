"""Stream tickets of a deployed function: their secret comes from Secrets Manager, where it may be rotated, or from the environment."""

from __future__ import annotations

from collections.abc import Callable

from flowstrand.aws.rotated_secret import RotatedSecret, SecretsClient, long_enough
from flowstrand.aws.settings import Resources
from flowstrand.errors import Unauthenticated
from flowstrand.service.clock import Clock
from flowstrand.service.tickets import NoStreamTickets, StreamTickets, Ticket, TicketExpired


def stream_tickets(resources: Resources, secrets: Callable[[], SecretsClient], clock: Clock) -> StreamTickets:
    """The tickets that `resources` allow for; `secrets` makes a client and is called only if one is needed.

    Raises:
        ConfigurationError: the secret is shorter than 32 bytes.
        StoreUnavailable: Secrets Manager does not answer.
    """
    if resources.ticket_secret is not None:
        return StreamTickets(long_enough("ticket", resources.ticket_secret), clock)
    if resources.ticket_secret_arn is None:
        return NoStreamTickets()
    return RotatedStreamTickets(RotatedSecret("ticket", secrets(), resources.ticket_secret_arn, clock), clock)


class RotatedStreamTickets(StreamTickets):
    """Signs with the current secret, and takes tickets of the current one and the one before. Thread-safe."""

    def __init__(self, secret: RotatedSecret, clock: Clock) -> None:
        super().__init__(secret.known[0], clock)
        self._secret = secret

    def sign(self, ticket: Ticket) -> str:
        """See `StreamTickets.sign`. Whoever only signs hears of a rotation within ten minutes."""
        self._secrets = self._secret.to_sign()
        return super().sign(ticket)

    def read(self, text: str) -> Ticket:
        """See `StreamTickets.read`. A ticket that nobody here knows may be of a rotation: the secrets are read, at most each half minute."""
        try:
            return super().read(text)
        except TicketExpired:
            raise
        except Unauthenticated:
            if not self._secret.looked_again():
                raise
            self._secrets = self._secret.known
            return super().read(text)
