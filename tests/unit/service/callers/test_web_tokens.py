"""Tokens of an identity provider: one that is whole, current, signed by the issuer and for this API is somebody's; every other is nobody's."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowstrand.errors import Unauthenticated
from flowstrand.service.callers.issuer_keys import IssuerKeys, read_keys
from flowstrand.service.callers.signing_key import ALGORITHMS
from flowstrand.service.callers.web_token_rules import WebTokenRules
from flowstrand.service.callers.web_tokens import WebTokens
from flowstrand.service.keys import Identity, Principal
from tests.support.issuer import AUDIENCE, ISSUER, NOW_S, Issuer, part, private_key, public_jwk
from tests.unit.manual_clock import ManualClock

RULES = WebTokenRules(issuer=ISSUER, audiences=frozenset({AUDIENCE, "client-7"}))

NO_TIMES: list[Any] = [None, "1", True, [], 10**400, -(10**400), 1e300]


def reader(issuer: Issuer, **rules: Any) -> WebTokens:
    clock = ManualClock(NOW_S * 1_000)
    keys = IssuerKeys(lambda: read_keys(issuer.fetch, issuer.url, None), clock)
    return WebTokens(replace(RULES, **rules), keys, clock)


def read(claims: Any = None, *, header: dict[str, Any] | None = None, **rules: Any) -> Identity:
    issuer = Issuer()
    return reader(issuer, **rules).identify(issuer.sign(claims, header=header))


def is_nobodys(token: str, issuer: Issuer | None = None) -> bool:
    try:
        reader(issuer or Issuer()).identify(token)
    except Unauthenticated:
        return True
    return False


# --- who it is ---------------------------------------------------------------------------------------------------------


def test_a_whole_token_speaks_for_the_org_and_the_principals_that_it_names() -> None:
    found = read(Issuer().claims(scope="flowstrand/worker profile flowstrand/user"))

    assert found.org == "acme"
    assert found.principals == {Principal.USER, Principal.WORKER}
    assert found.key_id.startswith("jwt_")
    assert "alice" not in found.key_id


def test_the_same_subject_has_the_same_id_and_another_has_another() -> None:
    first, again, other = (
        read(Issuer().claims(sub=sub, jti=jti)) for sub, jti in (("a", "1"), ("a", "2"), ("b", "3"))
    )
    assert first.key_id == again.key_id != other.key_id


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_algorithm_of_the_list_is_taken(algorithm: str) -> None:
    issuer = Issuer(keys={"one": algorithm})
    assert reader(issuer).identify(issuer.sign()).org == "acme"


@pytest.mark.parametrize(
    ("claims", "rules", "principals"),
    [
        ({"scope": ["flowstrand/user"]}, {}, {Principal.USER}),
        ({"scope": "a", "custom:org": "acme"}, {"org_claim": "custom:org"}, None),
        ({"scp": "flow.worker", "tid": "acme"}, {"principals_claims": ("scp", "roles"), "worker_word": "flow.worker", "org_claim": "tid"}, {Principal.WORKER}),
        ({"roles": ["U", "W"]}, {"principals_claims": ("scp", "roles"), "user_word": "U", "worker_word": "W"}, {Principal.USER, Principal.WORKER}),
        ({"https://flowstrand.example.com/org": "acme", "org": None}, {"org_claim": "https://flowstrand.example.com/org"}, {Principal.USER}),
        ({"scope": "xflowstrand/user flowstrand/users FLOWSTRAND/USER"}, {}, None),
        ({"scope": {"flowstrand/user": True}}, {}, None),
        ({"scope": [["flowstrand/user"], 7, None]}, {}, None),
        ({"scope": "flowstrand/user,flowstrand/worker"}, {}, None),
    ],
)  # fmt: skip
def test_which_claims_say_who_it_is_is_a_setting(
    claims: dict[str, Any], rules: dict[str, Any], principals: set[Principal] | None
) -> None:
    given_ = Issuer().claims(**claims)
    if principals is None:
        with pytest.raises(Unauthenticated):
            read(given_, **rules)
    else:
        found = read(given_, **rules)
        assert found.org == "acme"
        assert found.principals == principals


@pytest.mark.parametrize(
    "org",
    [None, "", "a b", "acme/..", "acme#x", "*", "acme?", ["acme"], 7, True, {"id": "acme"}, "a" * 129, "acme\n"],
)
def test_what_is_no_name_of_an_org_is_nobodys(org: Any) -> None:
    with pytest.raises(Unauthenticated):
        read(Issuer().claims(org=org))


def test_an_id_token_without_the_claims_gives_nothing() -> None:
    claims = Issuer().claims(
        scope=None, org=None, aud="client-7", email="alice@example.com", nonce="n", token_use="id"
    )
    with pytest.raises(Unauthenticated):
        read(claims)


# --- when, whose, for whom ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "is_taken"),
    [
        ({"exp": NOW_S - 29}, True),
        ({"exp": NOW_S - 30}, False),
        ({"exp": NOW_S + 0.5}, True),
        ({"nbf": NOW_S + 30}, True),
        ({"nbf": NOW_S + 31}, False),
        ({"iat": NOW_S + 30}, True),
        ({"iat": NOW_S + 31}, False),
        ({"iat": 0}, True),
        *(({name: value}, False) for name in ("exp", "iat") for value in NO_TIMES),
        *(({"nbf": value}, False) for value in NO_TIMES[1:]),
    ],
)  # fmt: skip
def test_a_token_is_for_its_time(claims: dict[str, Any], is_taken: bool) -> None:
    assert is_nobodys(Issuer().sign(Issuer().claims(**claims))) is not is_taken


def test_no_leeway_is_none() -> None:
    assert read(Issuer().claims(exp=NOW_S + 1), leeway_s=0).org == "acme"
    with pytest.raises(Unauthenticated):
        read(Issuer().claims(exp=NOW_S), leeway_s=0)


@pytest.mark.parametrize(
    ("claims", "is_taken"),
    [
        ({"iss": f"{ISSUER}/"}, False),
        ({"iss": None}, False),
        ({"iss": [ISSUER]}, False),
        ({"iss": "https://evil.example.com"}, False),
        ({"aud": ["other", "client-7"]}, True),
        ({"aud": "other"}, False),
        ({"aud": []}, False),
        ({"aud": [[AUDIENCE], {"aud": AUDIENCE}]}, False),
        ({"aud": AUDIENCE.upper()}, False),
        ({"aud": None}, False),
        # As access tokens of Cognito are.
        ({"aud": None, "client_id": "client-7"}, True),
        ({"aud": None, "client_id": "client-8"}, False),
        ({"aud": "other", "client_id": "client-7"}, False),
        ({"sub": None}, False),
        ({"sub": ""}, False),
        ({"sub": 7}, False),
        # Bound to a key that its bearer would have to show.
        ({"cnf": {"jkt": "x"}}, False),
    ],
)
def test_a_token_is_of_its_issuer_and_for_its_audience(claims: dict[str, Any], is_taken: bool) -> None:
    assert is_nobodys(Issuer().sign(Issuer().claims(**claims))) is not is_taken


# --- how it is signed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": None},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": "ES384"},
        {"alg": ["ES256"]},
        {"kid": None},
        {"kid": "another"},
        {"kid": ["one"]},
        {"kid": "../../one"},
        {"kid": "one' OR '1'='1"},
        {"kid": "o" * 2_000},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": 7},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
    ],
)
def test_what_the_header_asks_for_is_not_what_decides(header: dict[str, Any]) -> None:
    assert is_nobodys(Issuer().sign(header=header))


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "application/at+jwt", "AT+JWT"])
def test_access_tokens_may_say_that_they_are(typ: str | None) -> None:
    assert read(header={"typ": typ}).org == "acme"


def test_where_a_token_says_its_key_is_nobody_looks() -> None:
    forger = Issuer(url="https://evil.example.com")
    own = public_jwk(private_key("ES256", "forged"), "ES256", kid="one")
    for more in ({"jwk": own}, {"jku": forger.jwks_url}, {"x5u": forger.jwks_url}, {"x5c": ["MII"]}):
        issuer = Issuer()
        text = f"{part({'alg': 'ES256', 'kid': 'one', **more})}.{part(issuer.claims())}"
        signature = jwt.get_algorithm_by_name("ES256").sign(text.encode(), private_key("ES256", "forged"))
        assert is_nobodys(f"{text}.{part(signature)}", issuer)
        assert all(url.startswith(ISSUER) for url in issuer.asked)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_shared_secret(algorithm: str) -> None:
    issuer = Issuer(keys={"one": "RS256"})
    public = private_key("RS256", "one").public_key()
    for secret in (
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        json.dumps(public_jwk(private_key("RS256", "one"), "RS256", kid="one")).encode(),
    ):
        text = f"{part({'alg': algorithm, 'kid': 'one'})}.{part(issuer.claims())}"
        digest = hmac.new(secret, text.encode(), getattr(hashlib, f"sha{algorithm[2:]}")).digest()
        assert is_nobodys(f"{text}.{part(digest)}", issuer)


def test_a_key_is_used_with_the_algorithm_that_it_is_for() -> None:
    issuer = Issuer(keys={"one": "RS256"})
    text = f"{part({'alg': 'PS256', 'kid': 'one'})}.{part(issuer.claims())}"
    signature = jwt.get_algorithm_by_name("PS256").sign(text.encode(), private_key("RS256", "one"))
    assert is_nobodys(f"{text}.{part(signature)}", issuer)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b"{",
        b'{"iss":"a","iss":"b"}',
        b'\xff\xfe{"a":1}',
        b'{"exp":NaN}',
        b'{"exp":Infinity}',
        b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    ],
)
def test_a_payload_that_is_no_plain_object_is_nobodys_even_if_it_is_signed(payload: bytes) -> None:
    assert is_nobodys(Issuer().sign(payload))


@pytest.mark.parametrize("name", ["org", "scope", "exp", "iss", "aud", "sub"])
def test_a_claim_that_stands_twice_says_nothing(name: str) -> None:
    claims = json.dumps(Issuer().claims())
    twice = f'{{"{name}": {json.dumps(Issuer().claims()[name])}, {claims[1:]}'
    assert is_nobodys(Issuer().sign(twice.encode()))


def test_a_header_field_that_stands_twice_says_nothing() -> None:
    signed = Issuer().sign()
    header = b'{"alg":"none","alg":"ES256","kid":"one"}'
    text = f"{part(header)}.{signed.split('.')[1]}"
    signature = jwt.get_algorithm_by_name("ES256").sign(text.encode(), private_key("ES256", "one"))
    assert is_nobodys(f"{text}.{part(signature)}")


# --- whatever else comes -----------------------------------------------------------------------------------------------

WHOLE = Issuer().sign()
CLAIM = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.lists(st.text(max_size=5), max_size=3)
)
FUZZ = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40, deadline=None)


@FUZZ
@given(
    text=st.text(max_size=200)
    | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}", fullmatch=True)
)
def test_no_text_that_the_issuer_did_not_sign_is_anybodys(text: str) -> None:
    assert is_nobodys(text)


@FUZZ
@given(at=st.integers(0, len(WHOLE) - 1), other=st.sampled_from("ABCabc019_-.="))
def test_a_token_of_which_one_character_was_changed_is_nobodys(at: int, other: str) -> None:
    changed = WHOLE[:at] + other + WHOLE[at + 1 :]
    assert changed == WHOLE or is_nobodys(changed)


@FUZZ
@given(at=st.integers(0, len(WHOLE) - 1))
def test_a_token_that_was_cut_short_is_nobodys(at: int) -> None:
    assert is_nobodys(WHOLE[:at])


@FUZZ
@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jku", "zip", "enc"]), CLAIM, min_size=1
    )
)
def test_with_any_header_the_token_is_alices_or_nobodys(header: dict[str, Any]) -> None:
    issuer = Issuer()
    token = issuer.sign(header=header)
    assert is_nobodys(token) or reader(issuer).identify(token).org == "acme"


@FUZZ
@given(
    claims=st.dictionaries(
        st.sampled_from(["iss", "aud", "sub", "exp", "iat", "nbf", "org", "scope", "client_id", "cnf"]),
        CLAIM,
        min_size=1,
    )
)
def test_with_any_claims_a_token_is_of_its_org_and_current_or_nobodys(claims: dict[str, Any]) -> None:
    issuer = Issuer()
    changed = {**issuer.claims(), **claims}
    token = issuer.sign(json.dumps(changed).encode())
    if not is_nobodys(token):
        found = reader(issuer).identify(token)
        assert found.org == changed["org"]
        assert changed["exp"] > NOW_S - 30
        assert changed["iss"] == ISSUER


@FUZZ
@given(
    token=st.text(max_size=60)
    | st.sampled_from([WHOLE, WHOLE + "x", Issuer().sign(Issuer().claims(sub="a secret name", exp=1))])
)
def test_a_refusal_holds_nothing_of_what_was_presented(token: str) -> None:
    try:
        reader(Issuer(), audiences=frozenset()).identify(token)
    except Unauthenticated as refused:
        told = str(refused)
    assert "a secret name" not in told
    assert all(part_ not in told for part_ in token.split(".") if len(part_) > 8)


def test_a_signature_of_another_key_is_not_the_issuers() -> None:
    head, payload, signature = Issuer().sign().split(".")
    raw = urlsafe_b64decode(signature + "==")
    swaps: list[Callable[[bytes], bytes]] = [
        lambda s: s[32:] + s[:32],
        lambda s: bytes(64),
        lambda s: b"",
        lambda s: s + s,
    ]
    for swap in swaps:
        forged = urlsafe_b64encode(swap(raw)).rstrip(b"=").decode()
        assert is_nobodys(f"{head}.{payload}.{forged}")
