"""The authorizer: that what it is told of an identity provider and of AWS identities can be read, and that the provider publishes its keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from flowstrand.aws import fetching
from flowstrand.aws.caller_settings import iam_settings, web_token_rules
from flowstrand.errors import ConfigurationError
from flowstrand.operations.checks.finding import Finding, Probe, error
from flowstrand.operations.place import Stack
from flowstrand.service.callers.issuer_keys import read_keys
from flowstrand.service.callers.unverifiable import Unverifiable
from flowstrand.service.callers.web_token_rules import WebTokenRules

_FUNCTION = "AuthorizerFunction"
_UPDATE = "set the parameters of the stack and deploy again"


def probes(stack: Stack) -> Iterator[Probe]:
    """One look at the authorizer's settings, and at the identity provider that they name, from here."""
    name = stack.names.functions.get(_FUNCTION)
    if name is not None:
        yield Probe(subject="who may call", look=partial(_look, stack, name))


def _look(stack: Stack, name: str) -> Iterator[Finding]:
    found = stack.clients.functions.get_function_configuration(FunctionName=name)
    environment: Mapping[str, str] = found.get("Environment", {}).get("Variables", {})
    try:
        rules, _ = web_token_rules(environment), iam_settings(environment)
    except ConfigurationError as refused:
        yield error("SETTINGS_INVALID", _FUNCTION, refused.message, _UPDATE)
        return
    if rules is not None:
        yield from _issuer(rules)


def _issuer(rules: WebTokenRules) -> Iterator[Finding]:
    """What is wrong with an identity provider's keys.

    Raises:
        ConfigurationError: they cannot be read on this machine.
    """
    from jwt.algorithms import has_crypto

    if not has_crypto:
        raise ConfigurationError("keys of an identity provider can be read with the extra flowstrand[jwt]")
    try:
        keys = read_keys(fetching.fetch, rules.issuer, rules.jwks_url)
    except Unverifiable as away:
        remedy = "see that JwtIssuer is what tokens have in `iss`, or set JwtJwksUrl"
        yield error("ISSUER_AWAY", rules.issuer, away.message, remedy)
        return
    if not keys:
        message = "it publishes no key that tokens could be signed with"
        yield error("ISSUER_KEYLESS", rules.issuer, message, "have it sign with RS256, ES256 or EdDSA")
