"""The authorizer with tokens of an identity provider and AWS identities: whom it lets in, whom it does not, and what it says of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowstrand.aws import caller_composition, composition, fetching
from flowstrand.aws.sts import Sts
from flowstrand.client.iam_credential import IamCredential
from flowstrand.errors import ConfigurationError, InvalidInput, StoreUnavailable
from flowstrand.http.authorizer import Authorizer
from flowstrand.local import proxy_event
from flowstrand.service import keys
from flowstrand.service.callers import iam_principals
from flowstrand.service.callers.callers import Callers
from tests.functions.stack import ACME, NOW_MS, USER_KEY, Stack, logged, sample
from tests.support.issuer import AUDIENCE, ISSUER, Issuer
from tests.unit.service.callers.test_web_tokens import reader as reader_of

ARN = sample("authorizer/user-key")["methodArn"]
API = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/live"
TOKENS = {"FLOWSTRAND_JWT_ISSUER": ISSUER, "FLOWSTRAND_JWT_AUDIENCE": f"other,{AUDIENCE}"}


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """The identity provider, which answers where the function asks, at the stack's moment."""
    made = Issuer()
    monkeypatch.setattr(fetching, "fetch", made.fetch)
    monkeypatch.setattr("flowstrand.service.clock.SystemClock.now_ms", lambda self: NOW_MS)
    return made


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], None]]:
    """Sets the environment of the function, as if it had been started with it."""

    def set_all(environment: dict[str, str]) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        forget()

    yield set_all
    monkeypatch.undo()
    forget()


def forget() -> None:
    caller_composition.web_tokens.cache_clear()
    caller_composition.iam_callers.cache_clear()


def ask(stack: Stack, bearer: str) -> dict[str, Any]:
    event = sample("authorizer/user-key")
    event["headers"] = {"Authorization": f"Bearer {bearer}"}
    event["multiValueHeaders"] = {"Authorization": [f"Bearer {bearer}"]}
    answer: dict[str, Any] = stack.invoke("authorizer", event)
    return answer


def is_unauthorized(stack: Stack, bearer: str) -> bool:
    with suppress(StoreUnavailable):
        try:
            ask(stack, bearer)
        except Exception as refused:
            return str(refused) == "Unauthorized"
    return False


# --- tokens of an identity provider ------------------------------------------------------------------------------------


def test_a_token_is_allowed_the_routes_of_its_org(
    stack: Stack, issuer: Issuer, configure: Callable[[dict[str, str]], None]
) -> None:
    configure(TOKENS)
    answer = ask(stack, issuer.sign())
    assert answer["context"] == {"org": "acme", "principals": "user", "keyId": answer["context"]["keyId"]}
    assert answer["principalId"] == f"acme/{answer['context']['keyId']}"
    assert proxy_event.allows(answer, ARN)
    assert not proxy_event.allows(answer, ARN.replace("/acme/", "/other/"))


def test_which_claims_count_is_said_by_the_environment(
    stack: Stack, issuer: Issuer, configure: Callable[[dict[str, str]], None]
) -> None:
    configure(
        TOKENS
        | {
            "FLOWSTRAND_JWT_JWKS_URL": issuer.jwks_url,
            "FLOWSTRAND_JWT_ORG_CLAIM": "custom:org",
            "FLOWSTRAND_JWT_PRINCIPALS_CLAIM": "scp, cognito:groups",
            "FLOWSTRAND_JWT_WORKER_WORD": "machines",
            "FLOWSTRAND_JWT_LEEWAY_SECONDS": "0",
        }
    )
    answer = ask(stack, issuer.sign(issuer.claims(**{"custom:org": "other", "cognito:groups": ["machines"]})))
    assert (answer["context"]["org"], answer["context"]["principals"]) == ("other", "worker")
    assert issuer.asked == [issuer.jwks_url]


def test_keys_are_keys_as_before(
    stack: Stack, issuer: Issuer, configure: Callable[[dict[str, str]], None]
) -> None:
    configure(TOKENS)
    assert ask(stack, USER_KEY)["context"]["org"] == "acme"
    assert issuer.asked == []


def test_without_configuration_a_token_is_nobodys_and_no_issuer_is_asked(stack: Stack, issuer: Issuer) -> None:
    forget()
    assert is_unauthorized(stack, issuer.sign())
    assert issuer.asked == []


@pytest.mark.parametrize(
    "environment",
    [
        {"FLOWSTRAND_JWT_ISSUER": ISSUER},
        {"FLOWSTRAND_JWT_AUDIENCE": AUDIENCE},
        {"FLOWSTRAND_JWT_ISSUER": ISSUER, "FLOWSTRAND_JWT_AUDIENCE": " , "},
        TOKENS | {"FLOWSTRAND_JWT_ISSUER": "http://login.example.com/tenant"},
        TOKENS | {"FLOWSTRAND_JWT_ISSUER": "file:///etc/passwd"},
        TOKENS | {"FLOWSTRAND_JWT_JWKS_URL": "http://login.example.com/keys"},
        TOKENS | {"FLOWSTRAND_JWT_USER_WORD": "two words"},
        TOKENS | {"FLOWSTRAND_JWT_LEEWAY_SECONDS": "3600"},
        TOKENS | {"FLOWSTRAND_JWT_LEEWAY_SECONDS": "-1"},
        TOKENS | {"FLOWSTRAND_JWT_PRINCIPALS_CLAIM": ","},
    ],
)
def test_a_configuration_that_is_not_whole_lets_nobody_in_and_says_what_it_lacks(
    stack: Stack,
    issuer: Issuer,
    configure: Callable[[dict[str, str]], None],
    environment: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    configure(environment)
    assert is_unauthorized(stack, issuer.sign())
    assert issuer.asked == []
    assert "FLOWSTRAND_JWT_" in logged(caplog)
    assert ask(stack, USER_KEY)["context"]["org"] == "acme"


def test_while_the_issuer_is_away_the_answer_is_one_that_may_be_repeated(
    stack: Stack, issuer: Issuer, configure: Callable[[dict[str, str]], None]
) -> None:
    configure(TOKENS)
    issuer.is_away = True
    with pytest.raises(StoreUnavailable) as raised:
        ask(stack, issuer.sign())
    assert str(raised.value) == "it cannot be found out who is calling"


# --- AWS identities ----------------------------------------------------------------------------------------------------


def test_an_aws_identity_is_let_in_where_a_region_is_listed_and_an_org_admits_it(
    stack: Stack, configure: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000002")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the secret key")
    role = "arn:aws:iam::123456789012:role/warehouse"
    monkeypatch.setattr(Sts, "caller_of", lambda self, proof, audience: role)
    iam_principals.admit(stack.services.directory, ACME, role, ["worker"], now_ms=NOW_MS)
    shown = IamCredential(API)()

    configure({"FLOWSTRAND_IAM_REGIONS": ""})
    assert is_unauthorized(stack, shown)
    configure({"FLOWSTRAND_IAM_REGIONS": "eu-west-1"})
    assert is_unauthorized(stack, shown)
    configure({"FLOWSTRAND_IAM_REGIONS": "eu-west-1, eu-central-1"})
    answer = ask(stack, shown)
    assert (answer["context"]["org"], answer["context"]["principals"]) == ("acme", "worker")
    for_another = IamCredential("https://flow.example.com", region="eu-west-1")()
    assert is_unauthorized(stack, for_another)
    configure({"FLOWSTRAND_IAM_AUDIENCE": "https://flow.example.com/"})
    assert ask(stack, for_another)["context"]["org"] == "acme"


@pytest.mark.parametrize("regions", ["*", "eu-central-1.evil.example", "eu-central-1/", "EU-CENTRAL-1"])
def test_what_is_no_region_lets_nobody_in(
    stack: Stack, configure: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch, regions: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000002")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the secret key")
    configure({"FLOWSTRAND_IAM_REGIONS": regions})
    assert is_unauthorized(stack, IamCredential(API)())


# --- whatever comes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a.b.c", "eyJhbGciOiJub25lIn0.e30.", "fsiam1.x", "x" * 8_193])
def test_nothing_that_looks_like_another_credential_can_be_made_a_key(stack: Stack, key: str) -> None:
    with pytest.raises(InvalidInput):
        keys.create(stack.services.directory, ACME, ["user"], key=key, now_ms=NOW_MS)
    keys.create(stack.services.directory, ACME, ["user"], key="dots.are.fine!", now_ms=NOW_MS)


@pytest.mark.parametrize("bearer", ["fsk_x", "a.b.c", "fsiam1.a.b"])
@pytest.mark.parametrize("error", [RuntimeError, MemoryError, RecursionError, KeyError, ConfigurationError])
def test_whatever_goes_wrong_nobody_is_let_in_and_nothing_of_them_is_logged(
    bearer: str, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    def failing() -> Any:
        raise error("fault " + ("of ours" if error is ConfigurationError else bearer))

    authorizer = Authorizer(Callers(failing, failing, failing), failing)
    event = {"methodArn": ARN, "headers": {"Authorization": f"Bearer {bearer}"}}
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorizer.policy_for(event)
    assert "denied" in logged(caplog)
    assert bearer not in logged(caplog)


TEXTS = (
    st.text(max_size=60)
    | st.from_regex(r"[A-Za-z0-9_-]{0,30}\.[A-Za-z0-9_-]{0,30}\.[A-Za-z0-9_-]{0,30}", fullmatch=True)
    | st.from_regex(r"fsiam1\.[A-Za-z0-9_-]{0,30}\.[A-Za-z0-9_-]{0,30}", fullmatch=True)
    | st.sampled_from(
        ["x" * 100_000, "a." * 5_000, "eyJ" + "A" * 9_000 + ".e30.AA", "\ud800", "fsiam1." + "A" * 9_000]
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(bearer=TEXTS)
def test_no_text_is_a_credential_that_was_not_made_one(stack: Stack, bearer: str) -> None:
    callers = Callers(lambda: stack.services.directory, lambda: reader_of(Issuer()), lambda: None)
    authorizer = Authorizer(callers, composition.tickets)
    event = {"methodArn": ARN, "headers": {"Authorization": f"Bearer {bearer}"}}
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorizer.policy_for(event)
