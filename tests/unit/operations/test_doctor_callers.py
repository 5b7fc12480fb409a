"""What the doctor says of the authorizer's settings, and of the identity provider that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from flowstrand.aws import fetching
from flowstrand.operations.checks import callers
from flowstrand.operations.place import Stack
from flowstrand.operations.stack import Clients, StackNames
from tests.support.issuer import AUDIENCE, ISSUER, Issuer

TOKENS = {"FLOWSTRAND_JWT_ISSUER": ISSUER, "FLOWSTRAND_JWT_AUDIENCE": AUDIENCE}


class Authorizer:
    """`LambdaClient` with the one function."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def get_function_configuration(self, *, FunctionName: str) -> Mapping[str, Any]:  # noqa: N803
        assert FunctionName == "flowstrand-authorizer"
        return {"Environment": {"Variables": self._environment}}


def codes(environment: Mapping[str, str]) -> list[str]:
    names = StackNames(
        log_table="l",
        directory_table="d",
        payload_bucket="p",
        functions={"AuthorizerFunction": "flowstrand-authorizer"},
    )
    clients = cast("Clients", type("Only", (), {"functions": Authorizer(environment)}))
    (probe,) = callers.probes(Stack(names=names, clients=clients))
    assert list(callers.probes(Stack(names=replace(names, functions={}), clients=clients))) == []
    return [finding.code for finding in probe.look()]


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Issuer:
    made = Issuer()
    monkeypatch.setattr(fetching, "fetch", made.fetch)
    return made


def test_where_nothing_is_set_nothing_is_wrong_and_nobody_asked(issuer: Issuer) -> None:
    assert codes({}) == []
    assert codes({"FLOWSTRAND_IAM_REGIONS": "eu-central-1"}) == []
    assert issuer.asked == []


def test_an_issuer_that_publishes_its_keys_is_well(issuer: Issuer) -> None:
    assert codes(TOKENS) == []
    assert len(issuer.asked) == 2


@pytest.mark.parametrize("environment", [{"FLOWSTRAND_JWT_ISSUER": ISSUER}, {"FLOWSTRAND_IAM_REGIONS": "*"}])
def test_settings_that_are_not_whole_are_found(issuer: Issuer, environment: dict[str, str]) -> None:
    assert codes(environment) == ["SETTINGS_INVALID"]


def test_an_issuer_that_does_not_answer_is_found(issuer: Issuer) -> None:
    issuer.is_away = True
    assert codes(TOKENS) == ["ISSUER_AWAY"]


def test_an_issuer_without_keys_is_found(issuer: Issuer) -> None:
    issuer.keys = {}
    assert codes(TOKENS) == ["ISSUER_KEYLESS"]
