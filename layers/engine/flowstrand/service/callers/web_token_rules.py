"""`WebTokenRules`: whose tokens are taken, and where they say who the caller is."""

from __future__ import annotations

from flowstrand.dataclass import dataclass

MAX_LEEWAY_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class WebTokenRules:
    """What an operator says of the tokens of one identity provider.

    Attributes:
        issuer: exactly as `iss` has it, with or without a slash at its end.
        audiences: one of these has to be in `aud` or, where a token has none, be its `client_id`.
        jwks_url: where the keys are; None to ask the issuer's discovery document.
        org_claim: the claim that is the name of an org.
        principals_claims: those that hold what the caller may be: words with spaces between them, or a list of words.
        user_word, worker_word: what a user and a worker are called there.
        leeway_s: how much the clocks may differ.
    """

    issuer: str
    audiences: frozenset[str]
    jwks_url: str | None = None
    org_claim: str = "org"
    principals_claims: tuple[str, ...] = ("scope",)
    user_word: str = "flowstrand/user"
    worker_word: str = "flowstrand/worker"
    leeway_s: int = 30
