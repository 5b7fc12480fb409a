"""The authorizer: a known key is allowed the routes of its org, everything else is denied, and no key is logged."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand.errors import ConfigurationError, StoreUnavailable
from flowstrand.http.authorizer import Authorizer
from flowstrand.local import proxy_event
from flowstrand.service import keys
from flowstrand.service.callers.callers import Callers
from tests.functions.stack import ACME, NOW_MS, OTHER_KEY, USER_KEY, WORKER_KEY, Stack, logged, sample

STAGE = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/live"


def no_tickets() -> Any:
    raise ConfigurationError("no secret")


def with_headers(*values: str, name: str = "Authorization") -> dict[str, Any]:
    """The sample with these `Authorization` headers."""
    event = sample("authorizer/user-key")
    event["headers"] = {name: values[-1]} if values else {}
    event["multiValueHeaders"] = {name: list(values)} if values else {}
    return event


def test_a_known_key_is_allowed_with_its_identity(stack: Stack) -> None:
    answer = stack.invoke("authorizer", sample("authorizer/user-key"))

    key_id = answer["context"]["keyId"]
    assert answer == {
        "principalId": f"acme/{key_id}",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": [
                        *(f"{STAGE}/{method}/api/orgs/acme/*" for method in ("GET", "POST", "PUT", "DELETE")),
                        *(
                            f"{STAGE}/{method}/v1/stream/orgs/acme/*"
                            for method in ("GET", "HEAD", "POST", "PUT", "DELETE")
                        ),
                    ],
                }
            ],
        },
        "context": {"org": "acme", "principals": "user", "keyId": key_id},
    }
    assert USER_KEY not in str(answer)


@pytest.mark.parametrize(
    ("arn", "allowed"),
    [
        ("arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/live/POST/api/orgs/acme/workers", True),
        ("arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/test/POST/api/orgs/acme/workers", False),
        ("arn:aws:execute-api:eu-central-1:123456789012:zzzzzzzzzz/prod/POST/api/orgs/acme/workers", False),
    ],
)
def test_the_policy_covers_this_stage_of_this_api_and_no_other(stack: Stack, arn: str, allowed: bool) -> None:
    answer = stack.invoke("authorizer", sample("authorizer/worker-key"))

    assert proxy_event.allows(answer, arn) is allowed


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("",),
        ("Bearer",),
        ("Bearer ",),
        (USER_KEY,),
        (f"Basic {USER_KEY}",),
        (f"Bearer {USER_KEY}x",),
        (f"Bearer {USER_KEY.upper()}",),
        (f"Bearer {USER_KEY}, Bearer {WORKER_KEY}",),
        (f"Bearer {USER_KEY}", f"Bearer {USER_KEY}"),
        ("Bearer \ud800",),
        ("Bearer " + "x" * 100_000,),
    ],
)
def test_anything_but_one_known_bearer_key_is_unauthorized(stack: Stack, headers: tuple[str, ...]) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        stack.invoke("authorizer", with_headers(*headers))


def test_an_unknown_key_is_unauthorized(stack: Stack) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        stack.invoke("authorizer", sample("authorizer/unknown-key"))


@pytest.mark.parametrize("event", [{}, {"headers": None}, {"headers": {"Authorization": None}}, {"headers": []}])
def test_an_event_that_makes_no_sense_is_unauthorized(stack: Stack, event: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        stack.invoke("authorizer", event)


def test_without_configuration_everybody_is_unauthorized() -> None:
    def directory() -> Any:
        raise KeyError("FLOWSTRAND_DIRECTORY_TABLE")

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        Authorizer(Callers(directory, lambda: None, lambda: None), no_tickets).policy_for(
            sample("authorizer/user-key")
        )


def test_a_store_that_cannot_say_denies_in_a_way_that_can_be_repeated() -> None:
    def directory() -> Any:
        raise StoreUnavailable("throttled")

    with pytest.raises(StoreUnavailable):
        Authorizer(Callers(directory, lambda: None, lambda: None), no_tickets).policy_for(
            sample("authorizer/user-key")
        )


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION"])
def test_the_headers_case_does_not_matter(stack: Stack, name: str) -> None:
    answer = stack.invoke("authorizer", with_headers(f"bearer {OTHER_KEY}", name=name))

    assert answer["context"]["org"] == "other"


def test_single_value_headers_do_where_there_are_no_others(stack: Stack) -> None:
    event = sample("authorizer/user-key")
    del event["multiValueHeaders"]

    assert stack.invoke("authorizer", event)["context"]["org"] == "acme"


def test_no_key_is_logged(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    stack.invoke("authorizer", sample("authorizer/user-key"))
    with pytest.raises(Exception, match="Unauthorized"):
        stack.invoke("authorizer", sample("authorizer/unknown-key"))
    with pytest.raises(Exception, match="Unauthorized"):
        stack.invoke("authorizer", {"headers": {"Authorization": f"Bearer {USER_KEY}"}})

    assert "denied" in logged(caplog)
    assert "fsk_" not in logged(caplog)


def test_a_key_may_have_both_principals(stack: Stack) -> None:
    keys.create(stack.services.directory, ACME, ["worker", "user"], key="both", now_ms=NOW_MS)

    answer = stack.invoke("authorizer", with_headers("Bearer both"))

    assert answer["context"]["principals"] == "user,worker"
