"""The composition of the authorizer: which credentials it takes, from its environment. No other function has a use for any of it.

Nothing is read or imported before a credential of its kind is presented: of all that starts with the function, only keys and tickets do.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from flowstrand.aws.composition import directory
from flowstrand.errors import ConfigurationError
from flowstrand.service.callers.callers import Callers
from flowstrand.service.callers.usage_keys import UsageKeys
from flowstrand.service.clock import SystemClock

if TYPE_CHECKING:
    from flowstrand.service.callers.iam_callers import IamCallers
    from flowstrand.service.callers.web_tokens import WebTokens


def callers() -> Callers:
    """Who bearer credentials speak for. Makes no call."""
    return Callers(directory, web_tokens, iam_callers)


def usage_keys() -> UsageKeys | None:
    """Which usage keys requests are counted with; None where the environment names none, as on a local server. Makes no call."""
    shared = os.environ.get("FLOWSTRAND_SHARED_USAGE_KEY", "").strip()
    return UsageKeys(directory, shared, SystemClock()) if shared else None


@cache
def web_tokens() -> WebTokens | None:
    """The tokens of the identity provider that the environment names; None where it names none.

    Raises:
        ConfigurationError: it does so in part, or wrongly, or signatures cannot be checked here.
    """
    from flowstrand.aws.caller_settings import web_token_rules

    rules = web_token_rules(os.environ)
    if rules is None:
        return None
    from jwt.algorithms import has_crypto

    from flowstrand.aws import fetching
    from flowstrand.service.callers.issuer_keys import IssuerKeys, read_keys
    from flowstrand.service.callers.web_tokens import WebTokens

    if not has_crypto:
        raise ConfigurationError("tokens of an identity provider need cryptography: install flowstrand[jwt]")
    clock = SystemClock()
    keys = IssuerKeys(lambda: read_keys(fetching.fetch, rules.issuer, rules.jwks_url), clock)
    return WebTokens(rules, keys, clock)


@cache
def iam_callers() -> IamCallers | None:
    """The AWS identities that the environment lets be known; None where it lets none. Raises what `web_tokens` does."""
    from flowstrand.aws.caller_settings import iam_settings

    settings = iam_settings(os.environ)
    if settings is None:
        return None
    from flowstrand.aws.sts import Sts
    from flowstrand.service.callers.iam_callers import IamCallers

    return IamCallers(directory, Sts(), SystemClock(), regions=settings.regions, audiences=settings.audiences)
