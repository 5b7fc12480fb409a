"""Rotating the secrets of a stack: the functions' own way of reading them finds both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flowstrand.errors import ConfigurationError
from flowstrand.operations.place import Place
from flowstrand.operations.rotating import rotate_lease_secret, rotate_ticket_secret
from tests.unit.operations.deployed import Functions

BOTH = [(rotate_lease_secret, "lease_secret_arn"), (rotate_ticket_secret, "ticket_secret_arn")]


@pytest.mark.parametrize(("rotate", "name"), BOTH)
def test_secrets_manager_has_the_new_one_and_the_one_before(
    deployed: tuple[Place, Functions], rotate: Callable[[Place], str], name: str
) -> None:
    import boto3

    place, _ = deployed
    assert place.stack is not None
    secrets = boto3.client("secretsmanager")
    arn = secrets.create_secret(Name=place.stack.names.log_table, SecretString="a" * 40)["ARN"]
    named = replace(place.stack, names=replace(place.stack.names, **{name: arn}))
    assert "ten minutes" in rotate(replace(place, stack=named))
    current = secrets.get_secret_value(SecretId=arn)["SecretString"]
    previous = secrets.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["SecretString"]
    assert (previous, len(current) >= 32, current != previous) == ("a" * 40, True, True)


@pytest.mark.parametrize(("rotate", "_"), BOTH)
def test_where_no_secret_is_known_none_is_rotated(
    deployed: tuple[Place, Functions], rotate: Callable[[Place], str], _: str
) -> None:
    with pytest.raises(ConfigurationError):
        rotate(deployed[0])
