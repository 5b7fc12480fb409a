"""AWS identities: what a client signs is believed by the API that it was signed for, for some minutes, if an org has admitted who signed."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from flowstrand import iam_proof
from flowstrand.aws.sts import Sts
from flowstrand.client.iam_credential import RENEWED_S, IamCredential
from flowstrand.engine.ids import OrgId
from flowstrand.errors import InvalidInput, StoreUnavailable, Unauthenticated
from flowstrand.iam_proof import LIFETIME_S, SKEW_S, parse_proof
from flowstrand.local.stores import sqlite_stores
from flowstrand.service.callers import iam_principals
from flowstrand.service.callers.iam_callers import REMEMBERED_MS, IamCallers
from flowstrand.service.callers.unverifiable import Unverifiable
from flowstrand.service.clock import SystemClock
from flowstrand.service.keys import Principal as Role
from tests.support.fake_sts import REGION, ROLE_SESSION, FakeSts, Principal, serving
from tests.unit.manual_clock import ManualClock

API = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/live"
OTHER_API = "https://zzzzzzzzzz.execute-api.eu-central-1.amazonaws.com/live"
ROLE = "arn:aws:iam::123456789012:role/warehouse"


class World:
    """An STS, a directory and an API, and somebody with AWS credentials."""

    def __init__(self, sts: FakeSts, directory: Any) -> None:
        self.sts = sts
        self.directory = directory
        self.clock = ManualClock(SystemClock().now_ms())
        self.callers = self.api()

    def api(self, **options: Any) -> IamCallers:
        settings: dict[str, Any] = {"regions": [REGION], **options}
        return IamCallers(lambda: self.directory, Sts(self.sts.url_of), self.clock, **settings)

    def admit(self, name: str = ROLE, org: str = "acme", *principals: str) -> None:
        iam_principals.admit(self.directory, org, name, principals or ("worker",), now_ms=0)

    def whom(self, proof: str, api: str = API) -> str | None:
        """Whose org it speaks for; None of nobody's."""
        try:
            return self.callers.identify(proof, api).org
        except Unauthenticated:
            return None


def proof(principal: Principal | None = None, api: str = API, **options: Any) -> str:
    session = Session()
    session._credentials = (principal or Principal()).credentials  # type: ignore[attr-defined]  # as its loader leaves them
    return IamCredential(api, session=session, **options)()


@pytest.fixture(scope="module")
def sts() -> Iterator[FakeSts]:
    with serving(FakeSts()) as served:
        yield served


@pytest.fixture
def world(sts: FakeSts, tmp_path: Path) -> Iterator[World]:
    sts.answers, sts.asked, sts.principals = [], [], [Principal()]
    stores = sqlite_stores(tmp_path)
    yield World(sts, stores.directory)
    stores.close()


# --- who it is ---------------------------------------------------------------------------------------------------------


def test_a_role_that_an_org_has_admitted_speaks_for_it(world: World) -> None:
    world.admit(ROLE, "acme", "worker", "user")

    found = world.callers.identify(proof(), API)

    assert (str(found.org), set(found.principals)) == ("acme", {Role.USER, Role.WORKER})
    assert found.key_id.startswith("iam_")
    (asked,) = world.sts.asked
    assert asked["x-flowstrand-audience"] == API


def test_what_nobody_has_admitted_is_nobodys(world: World) -> None:
    world.admit("arn:aws:iam::123456789012:role/other")
    world.admit("arn:aws:iam::210987654321:role/warehouse")
    world.admit("210987654321")
    assert world.whom(proof()) is None


def test_an_account_is_all_that_is_in_it_but_what_has_a_row_of_its_own(world: World) -> None:
    world.admit("123456789012", "everybody")
    assert world.whom(proof()) == "everybody"
    world.admit(ROLE, "acme")
    assert world.whom(proof()) == "acme"


def test_what_was_dismissed_is_nobody_at_once(world: World) -> None:
    world.admit()
    shown = proof()
    assert world.whom(shown) == "acme"
    assert iam_principals.dismiss(world.directory, OrgId("other"), ROLE) is None
    assert world.whom(shown) == "acme"
    assert iam_principals.dismiss(world.directory, OrgId("acme"), ROLE) is not None
    assert world.whom(shown) is None


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (ROLE_SESSION, ROLE),
        ("arn:aws:iam::123456789012:role/warehouse", ROLE),
        ("arn:aws:iam::123456789012:role/team/eu/warehouse", ROLE),
        ("arn:aws:iam::123456789012:user/bob", "arn:aws:iam::123456789012:user/bob"),
        ("arn:aws:iam::123456789012:user/team/bob@example.com", "arn:aws:iam::123456789012:user/bob@example.com"),
        ("arn:aws-cn:sts::123456789012:assumed-role/r/s", "arn:aws-cn:iam::123456789012:role/r"),
        ("123456789012", "123456789012"),
    ],
)
def test_an_identity_is_written_in_one_way(arn: str, name: str) -> None:
    assert iam_principals.normalised(arn) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "*", "12345678901", "1234567890123", "warehouse", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/*", "arn:aws:iam::*:role/warehouse", "arn:aws:sts::123456789012:assumed-role/warehouse",
        "arn:aws:sts::123456789012:assumed-role/a/b/c", "arn:aws:iam::123456789012:assumed-role/a/b", "arn:aws:sts::123456789012:role/a",
        "arn:aws:sts::123456789012:federated-user/bob", "arn:aws:iam::123456789012:role/warehouse\n", "arn:aws:iam::١٢٣٤٥٦٧٨٩٠١٢:role/a",
        "arn:aws:s3:::bucket",
    ],
)  # fmt: skip
def test_what_is_no_role_user_or_account_cannot_be_admitted(world: World, name: str) -> None:
    with pytest.raises(InvalidInput):
        world.admit(name)


def test_a_user_whose_path_looks_like_a_role_is_not_that_role(world: World) -> None:
    world.admit()
    world.sts.principals = [Principal(arn="arn:aws:iam::123456789012:user/role/warehouse")]
    assert world.whom(proof()) is None


def test_who_was_admitted_can_be_listed(world: World) -> None:
    world.admit(ROLE, "acme")
    world.admit("123456789012", "other", "user")
    assert [(one.name, one.org) for one in iam_principals.every(world.directory)] == [
        ("123456789012", "other"),
        (ROLE, "acme"),
    ]
    assert [one.principals for one in iam_principals.every(world.directory, OrgId("other"))] == [("user",)]


# --- what is not believed ----------------------------------------------------------------------------------------------


def test_a_proof_for_another_api_is_refused_unasked(world: World) -> None:
    world.admit()
    assert world.whom(proof(api=OTHER_API)) is None
    assert world.sts.asked == []


def test_a_proof_whose_audience_was_exchanged_is_refused_by_sts(world: World) -> None:
    world.admit()
    for_another = parse_proof(proof(api=OTHER_API))
    assert world.whom(iam_proof.written_proof(API, for_another.parameters)) is None
    assert len(world.sts.asked) == 1
    assert world.whom(iam_proof.written_proof(OTHER_API, for_another.parameters), OTHER_API) == "acme"


def test_an_api_may_have_a_name_of_its_own_besides(world: World) -> None:
    world.admit()
    world.callers = world.api(audiences=["https://flow.example.com"])
    assert world.whom(proof(api="https://flow.example.com/", region=REGION)) == "acme"
    assert world.whom(proof(api="https://flow.example.com.evil.example", region=REGION)) is None


@pytest.mark.parametrize(
    ("age_s", "is_taken"),
    [(0, True), (LIFETIME_S - 5, True), (LIFETIME_S + 5, False), (5 - SKEW_S, True), (-5 - SKEW_S, False)],
)
def test_a_proof_is_of_its_moment(world: World, age_s: int, is_taken: bool) -> None:
    world.admit()
    shown = proof()
    world.clock.advance(age_s * 1_000)
    assert (world.whom(shown) == "acme") is is_taken
    assert len(world.sts.asked) == is_taken


def test_a_proof_is_not_remembered_for_longer_than_it_is_good(world: World) -> None:
    world.admit()
    shown = proof()
    world.clock.advance((LIFETIME_S - 5) * 1_000)
    assert world.whom(shown) == "acme"
    world.clock.advance(10_000)
    assert world.whom(shown) is None


def test_a_region_that_is_not_listed_is_not_asked(world: World) -> None:
    world.admit()
    assert world.whom(proof(region="us-east-1")) is None
    assert world.sts.asked == []
    world.callers = world.api(regions=["us-east-1"])
    assert world.whom(proof(region="us-east-1")) == "acme"


@pytest.mark.parametrize(
    "name", ["X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature", "X-Amz-Security-Token"]
)
def test_a_proof_that_was_tampered_with_is_nobodys(world: World, name: str) -> None:
    world.admit()
    parameters = dict(parse_proof(proof()).parameters)
    value = parameters[name]
    changed = {"X-Amz-Date": value[:-2] + ("0Z" if value[-2] != "0" else "1Z"), "X-Amz-Expires": "299"}
    other = changed.get(name) or ("B" if value[0] != "B" else "C") + value[1:]
    if name == "X-Amz-Signature":
        other = ("0" if value[0] != "0" else "1") + value[1:]
    assert world.whom(iam_proof.written_proof(API, {**parameters, name: other})) is None


def test_who_has_no_valid_credentials_is_nobody(world: World) -> None:
    world.admit()
    for principal in (
        Principal(secret_key="guessed"),
        Principal(token=None),
        Principal(token="another"),
        Principal(access_key="ASIANOBODY0000000000"),
    ):
        assert world.whom(proof(principal)) is None


def test_a_user_with_long_lived_credentials_has_no_session_token(world: World) -> None:
    bob = Principal(arn="arn:aws:iam::123456789012:user/bob", access_key="AKIAEXAMPLE000000002", token=None)
    world.sts.principals = [bob]
    world.admit("arn:aws:iam::123456789012:user/bob", "acme")
    assert world.whom(proof(bob)) == "acme"


PARAMETERS = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "ASIAEXAMPLE000000001/20261123/eu-central-1/sts/aws4_request",
    "X-Amz-Date": "20261123T120000Z",
    "X-Amz-Expires": "300",
    "X-Amz-SignedHeaders": "host;x-flowstrand-audience",
    "X-Amz-Signature": "0" * 64,
}


@pytest.mark.parametrize(
    "changes",
    [
        {"X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256"},
        {"X-Amz-Credential": "ASIAEXAMPLE000000001/20261123/eu-central-1/s3/aws4_request"},
        {"X-Amz-Credential": "ASIAEXAMPLE000000001/20261122/eu-central-1/sts/aws4_request"},
        {"X-Amz-Credential": "ASIAEXAMPLE000000001/20261123/evil.example.com#/sts/aws4_request"},
        {"X-Amz-Credential": "ASIAEXAMPLE000000001/20261123/eu-central-1@evil/sts/aws4_request"},
        {"X-Amz-Date": "20261123T250000Z"},
        {"X-Amz-Date": "20261123"},
        {"X-Amz-Expires": "901"},
        {"X-Amz-Expires": "0"},
        {"X-Amz-SignedHeaders": "host"},
        {"X-Amz-SignedHeaders": "host;x-flowstrand-audience;x-other"},
        {"X-Amz-Signature": "0" * 63},
        {"X-Amz-Signature": None},
        {"X-Amz-Security-Token": ""},
        {"X-Amz-Security-Token": "a&Action=AssumeRole"},
        {"Action": "AssumeRole"},
        {"Version": "2011-06-15"},
    ],
)
def test_a_proof_holds_what_a_signature_has_and_nothing_else(changes: dict[str, str | None]) -> None:
    changed = {name: value for name, value in {**PARAMETERS, **changes}.items() if value is not None}
    assert parse_proof(iam_proof.written_proof(API, PARAMETERS)).region == "eu-central-1"
    with pytest.raises(Unauthenticated):
        parse_proof(iam_proof.written_proof(API, changed))


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        "fsiam1.",
        "fsiam1.a",
        "fsiam1.a.b.c",
        f"fsiam1.{encoded(API)}.{encoded(urlencode(PARAMETERS))}=",
        f"fsiam1.{encoded(API)}.{encoded(urlencode([*PARAMETERS.items(), ('X-Amz-Expires', '300')]))}",
        f"fsiam1.{encoded('ftp://x')}.{encoded(urlencode(PARAMETERS))}",
        f"fsiam1.{encoded(API + chr(13) + chr(10) + 'x: y')}.{encoded(urlencode(PARAMETERS))}",
        f"fsiam2.{encoded(API)}.{encoded(urlencode(PARAMETERS))}",
    ],
)
def test_what_is_written_otherwise_is_no_proof(text: str) -> None:
    with pytest.raises(Unauthenticated):
        parse_proof(text)


@given(
    text=st.text(max_size=100) | st.from_regex(r"fsiam1\.[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,60}", fullmatch=True)
)
def test_no_text_is_a_proof_that_was_not_signed(text: str) -> None:
    with pytest.raises(Unauthenticated):
        parse_proof(text)


# --- when nobody can say ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, "InternalFailure"),
        (503, "ServiceUnavailable"),
        (429, "x"),
        (400, "Throttling"),
        (302, "x"),
        (200, "x"),
    ],
)
def test_while_sts_does_not_answer_nobody_is_let_in_and_nobody_called_wrong(
    world: World, status: int, code: str
) -> None:
    world.admit()
    world.sts.answers = [(status, code)]
    shown = proof()
    with pytest.raises(Unverifiable):
        world.callers.identify(shown, API)
    assert world.whom(shown) == "acme"


def test_an_sts_that_cannot_be_reached_makes_nobody_known(world: World) -> None:
    world.admit()
    nowhere = Sts(lambda region: "http://127.0.0.1:9/?Action=GetCallerIdentity")
    callers = IamCallers(lambda: world.directory, nowhere, world.clock, regions=[REGION])
    with pytest.raises(Unverifiable) as raised:
        callers.identify(proof(), API)
    assert "X-Amz" not in str(raised.value)


def test_a_directory_that_cannot_say_makes_nobody_known(world: World) -> None:
    def away() -> Any:
        raise StoreUnavailable("throttled")

    with pytest.raises(StoreUnavailable):
        IamCallers(away, Sts(world.sts.url_of), world.clock, regions=[REGION]).identify(proof(), API)


def test_sts_is_asked_once_a_minute_for_the_same_proof(world: World) -> None:
    world.admit()
    shown = proof()
    for _ in range(5):
        world.whom(shown)
    assert len(world.sts.asked) == 1
    world.clock.advance(REMEMBERED_MS)
    world.whom(shown)
    assert len(world.sts.asked) == 2


# --- the client's side --------------------------------------------------------------------------------------------------


def test_a_credential_is_signed_anew_before_it_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    session._credentials = Principal().credentials  # type: ignore[attr-defined]  # as its loader leaves them
    credential = IamCredential(API, session=session)
    now_s = [1_000.0]
    monkeypatch.setattr("flowstrand.client.iam_credential.time.time", lambda: now_s[0])
    numbers = iter("123")
    monkeypatch.setattr(IamCredential, "_signed", lambda self: next(numbers))

    assert [credential(), credential()] == ["1", "1"]
    now_s[0] += RENEWED_S - 1
    assert credential() == "1"
    now_s[0] += 1
    assert credential() == "2"
    now_s[0] -= 10_000  # the clock was set back
    assert credential() == "3"


def test_the_secret_key_is_in_no_proof() -> None:
    shown = proof()
    text = " ".join(base64.urlsafe_b64decode(part + "==").decode() for part in shown.split(".")[1:])
    assert Principal().secret_key not in text
    assert {name for name, _ in parse_qsl(text.partition(" ")[2])} == {*PARAMETERS, "X-Amz-Security-Token"}
