"""Rotating the secrets of a stack: the functions' own way of reading them finds both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowstrand.errors import ConfigurationError
from flowstrand.operations.place import Place
from flowstrand.operations.rotating import rotate
from flowstrand.service.signing import Signed
from tests.unit.operations.deployed import Functions


@pytest.mark.parametrize("signed", Signed)
def test_secrets_manager_has_the_new_one_and_the_one_before(
    deployed: tuple[Place, Functions], signed: Signed
) -> None:
    import boto3

    place, _ = deployed
    assert place.stack is not None
    secrets = boto3.client("secretsmanager")
    arn = secrets.create_secret(Name=place.stack.names.log_table, SecretString="a" * 40)["ARN"]
    named = replace(place.stack, names=replace(place.stack.names, **{f"{signed}_secret_arn": arn}))
    assert "ten minutes" in rotate(replace(place, stack=named), signed)
    current = secrets.get_secret_value(SecretId=arn)["SecretString"]
    previous = secrets.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["SecretString"]
    assert (previous, len(current) >= 32, current != previous) == ("a" * 40, True, True)


@pytest.mark.parametrize("signed", Signed)
def test_where_no_secret_is_known_none_is_rotated(deployed: tuple[Place, Functions], signed: Signed) -> None:
    with pytest.raises(ConfigurationError):
        rotate(deployed[0], signed)
