"""An issuer's keys: read when needed, kept for a while, looked for again at most now and then, never used once they are too old."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from flowstrand.errors import StoreUnavailable, Unauthenticated
from flowstrand.service.callers.issuer_keys import (
    COOL_MS,
    FRESH_MS,
    RETRY_MS,
    STALE_MS,
    IssuerKeys,
    read_keys,
)
from flowstrand.service.callers.signing_key import signing_keys
from flowstrand.service.callers.unverifiable import Unverifiable
from tests.support.issuer import ISSUER, Issuer, private_key, public_jwk
from tests.unit.manual_clock import ManualClock


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def keys(issuer: Issuer, clock: ManualClock) -> IssuerKeys:
    return IssuerKeys(lambda: read_keys(issuer.fetch, issuer.url, issuer.jwks_url), clock)


def test_keys_are_read_once_and_kept(keys: IssuerKeys, issuer: Issuer, clock: ManualClock) -> None:
    assert issuer.asked == []
    for _ in range(3):
        assert keys.find("one", "ES256").id == "one"
    clock.advance(FRESH_MS)
    keys.find("one", "ES256")
    assert issuer.asked == [issuer.jwks_url]
    clock.advance(1)
    keys.find("one", "ES256")
    assert len(issuer.asked) == 2


def test_unknown_ids_however_many_lead_to_one_look_in_a_while(
    keys: IssuerKeys, issuer: Issuer, clock: ManualClock
) -> None:
    for number in range(50):
        with pytest.raises(Unauthenticated):
            keys.find(f"unknown-{number}", "ES256")
    assert len(issuer.asked) == 1
    clock.advance(COOL_MS)
    issuer.keys["two"] = "ES256"
    assert keys.find("two", "ES256").id == "two"
    assert len(issuer.asked) == 2


def test_a_key_that_was_withdrawn_is_forgotten_when_the_keys_are_read_again(
    keys: IssuerKeys, issuer: Issuer, clock: ManualClock
) -> None:
    keys.find("one", "ES256")
    issuer.keys = {"two": "ES256"}
    clock.advance(COOL_MS)
    keys.find("two", "ES256")
    with pytest.raises(Unauthenticated):
        keys.find("one", "ES256")


def test_keys_are_used_while_the_issuer_is_away_but_not_for_ever(
    keys: IssuerKeys, issuer: Issuer, clock: ManualClock
) -> None:
    keys.find("one", "ES256")
    issuer.is_away = True
    clock.advance(STALE_MS)
    assert keys.find("one", "ES256").id == "one"
    clock.advance(1)
    with pytest.raises(Unverifiable):
        keys.find("one", "ES256")
    clock.advance(RETRY_MS)
    issuer.is_away = False
    assert keys.find("one", "ES256").id == "one"


def test_while_the_issuer_is_away_an_unknown_id_is_not_said_to_be_wrong(
    keys: IssuerKeys, issuer: Issuer, clock: ManualClock
) -> None:
    keys.find("one", "ES256")
    issuer.is_away = True
    clock.advance(COOL_MS)
    with pytest.raises(Unverifiable):
        keys.find("two", "ES256")


def test_an_issuer_that_is_away_from_the_start_is_not_asked_by_every_request(
    keys: IssuerKeys, issuer: Issuer, clock: ManualClock
) -> None:
    issuer.is_away = True
    for _ in range(20):
        with pytest.raises(StoreUnavailable):
            keys.find("one", "ES256")
    assert len(issuer.asked) == 1
    issuer.is_away = False
    clock.advance(RETRY_MS)
    assert keys.find("one", "ES256").id == "one"


def test_a_clock_that_was_set_back_makes_no_key_last_longer(
    keys: IssuerKeys, issuer: Issuer, clock: ManualClock
) -> None:
    keys.find("one", "ES256")
    issuer.is_away = True
    clock.advance(-2 * STALE_MS)
    with pytest.raises(Unverifiable):
        keys.find("one", "ES256")


def test_where_the_keys_are_is_discovered(issuer: Issuer) -> None:
    assert [key.id for key in read_keys(issuer.fetch, issuer.url, None)] == ["one"]
    assert issuer.asked == [f"{ISSUER}/.well-known/openid-configuration", issuer.jwks_url]


def test_an_issuer_that_ends_in_a_slash_is_discovered_like_any_other() -> None:
    issuer = Issuer(url="https://tenant.auth0.com/")
    assert [key.id for key in read_keys(issuer.fetch, issuer.url, None)] == ["one"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b'{"jwks_uri": "https://login.example.com/tenant/keys"}',
        json.dumps({"issuer": "https://evil.example.com", "jwks_uri": "https://evil.example.com/keys"}).encode(),
        json.dumps({"issuer": ISSUER}).encode(),
        json.dumps({"issuer": ISSUER, "jwks_uri": 7}).encode(),
        json.dumps({"issuer": f"{ISSUER}/", "jwks_uri": f"{ISSUER}/keys"}).encode(),
        b'{"a":' * 100_000,
    ],
)
def test_a_discovery_document_that_is_not_the_issuers_leads_nowhere(document: bytes) -> None:
    with pytest.raises(Unverifiable):
        read_keys(lambda _: document, ISSUER, None)


@pytest.mark.parametrize("document", [b"", b"null", b"{}", b'{"keys": {}}', b'{"keys": "x"}', b"<html>"])
def test_what_is_no_key_set_makes_nobody_known(document: bytes) -> None:
    with pytest.raises(Unverifiable):
        read_keys(lambda _: document, ISSUER, "https://login.example.com/keys")


def jwk(algorithm: str = "ES256", **more: Any) -> dict[str, Any]:
    found = {**public_jwk(private_key(algorithm), algorithm, kid="one"), **more}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("entry", "algorithms"),
    [
        (jwk(), {"ES256"}),
        (jwk(alg="ES256", use=None, key_ops=["verify"]), {"ES256"}),
        (jwk("RS256"), {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        (jwk("RS256", alg="PS384"), {"PS384"}),
        (jwk("EdDSA"), {"EdDSA"}),
        (jwk("ES512"), {"ES512"}),
        (jwk(use="enc"), None),
        (jwk(key_ops=["encrypt"]), None),
        (jwk(alg="RS256"), None),
        (jwk(alg="HS256"), None),
        (jwk(alg=7), None),
        (jwk(kid=None), None),
        (jwk(kid=7), None),
        (jwk(crv="P-384"), None),
        (jwk(x="AAAA"), None),
        (jwk(kty="RSA"), None),
        (jwk("RS256", n="AQAB"), None),
        ({"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "one"}, None),
        ({"kty": "oct", "k": "c2VjcmV0", "kid": "one", "alg": "RS256"}, None),
        ("one", None),
        (None, None),
        ({}, None),
    ],
)
def test_a_key_is_used_for_what_it_is_for_and_one_that_is_nothing_known_is_left_out(
    entry: Any, algorithms: set[str] | None
) -> None:
    found = signing_keys({"keys": [entry, jwk(kid="another")]})
    assert {key.id: set(key.algorithms) for key in found} == {
        **({} if algorithms is None else {"one": algorithms}),
        "another": {"ES256"},
    }


def test_keys_that_are_too_short_are_left_out() -> None:
    short = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)
    assert signing_keys({"keys": [public_jwk(short, "RS256", kid="one")]}) == []


def test_a_private_key_that_was_published_is_left_out() -> None:
    assert signing_keys({"keys": [jwk(d="AQAB")]}) == []


def test_of_two_keys_with_one_name_neither_is_it(clock: ManualClock) -> None:
    found = signing_keys({"keys": [jwk(), jwk("RS256", alg="RS256"), jwk("ES384"), jwk("ES256")]})
    keys = IssuerKeys(lambda: found, clock)
    assert keys.find("one", "RS256").id == keys.find("one", "ES384").id == "one"
    with pytest.raises(Unauthenticated):
        keys.find("one", "ES256")
