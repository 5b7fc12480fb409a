"""`Callers`: who a bearer credential speaks for, whatever kind of credential it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from flowstrand.directory.port import Directory
from flowstrand.errors import Unauthenticated
from flowstrand.service import keys
from flowstrand.service.callers.bearers import Credential, credential_of, is_too_long
from flowstrand.service.keys import Identity
from flowstrand.service.tickets import Ticket

if TYPE_CHECKING:
    from flowstrand.service.callers.iam_callers import IamCallers
    from flowstrand.service.callers.web_tokens import WebTokens


class Callers:
    """Identifies callers. Each kind of credential asks for what it needs when one is presented, and for nothing else."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        web_tokens: Callable[[], WebTokens | None],
        iam: Callable[[], IamCallers | None],
    ) -> None:
        """The latter two give None where their kind of credential is not taken."""
        self._directory = directory
        self._web_tokens = web_tokens
        self._iam = iam

    def vouch_for(self, ticket: Ticket) -> None:
        """Return if whoever made a ticket may still be here.

        Raises:
            Unauthenticated: it was made with an API key that has been revoked.
            StoreUnavailable: it could not be found out.
        """
        if keys.is_revoked(self._directory(), ticket.org, ticket.key_id):
            raise Unauthenticated("the key that the ticket was made with is revoked")

    def identify(self, bearer: str, api_url: str) -> Identity:
        """Who presents `bearer` to the API at `api_url`.

        Raises:
            Unauthenticated: nobody we know.
            StoreUnavailable: it could not be found out.
            ConfigurationError: what it would take to know them is configured wrongly.
        """
        if is_too_long(bearer):
            raise Unauthenticated("the credential is too long to be one")
        match credential_of(bearer):
            case Credential.API_KEY:
                found = keys.identify(self._directory(), bearer)
            case Credential.WEB_TOKEN:
                tokens = self._web_tokens()
                found = None if tokens is None else tokens.identify(bearer)
            case Credential.IAM_PROOF:
                iam = self._iam()
                found = None if iam is None else iam.identify(bearer, api_url)
            case other:
                assert_never(other)
        if found is None:
            raise Unauthenticated(f"no such {credential_of(bearer).value} is known here")
        return found
