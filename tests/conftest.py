"""What every test runs under: asyncio, AWS credentials that open nothing, and one hypothesis profile per purpose.

`HYPOTHESIS_PROFILE=thorough` looks for an hour where the default looks for seconds; `HYPOTHESIS_PROFILE=repeatable`
draws the same examples every time.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from flowstrand.aws import telemetry

# Machines that share two cores are slow at times; a slow example is no failure.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("repeatable", parent=settings.get_profile("default"), derandomize=True)
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_finish() -> None:
    """Leave what stays for the whole run, thousands of tests and all of moto, out of every collection of garbage."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def aws_environment() -> Iterator[None]:
    """A client made by accident can neither find real credentials nor ask a metadata server for some.

    Whoever names an endpoint for the contract suite may name credentials and a region with it.
    """
    given = os.environ.copy() if os.environ.get("FLOWSTRAND_DYNAMODB_ENDPOINT") else {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION"):
            patch.delenv(name, raising=False)
        if "AWS_ACCESS_KEY_ID" not in given:
            patch.delenv("AWS_SESSION_TOKEN", raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", given.get("AWS_ACCESS_KEY_ID", "testing"))
        patch.setenv("AWS_SECRET_ACCESS_KEY", given.get("AWS_SECRET_ACCESS_KEY", "testing"))
        patch.setenv("AWS_DEFAULT_REGION", given.get("AWS_DEFAULT_REGION", "eu-central-1"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A handler sets up logging for its process, which here is every test's."""
    logger = logging.getLogger("flowstrand")
    level, handlers, attributes = logger.level, logger.handlers[:], set(vars(logger))
    yield
    if logger.handlers == handlers:
        return
    logger.handlers[:] = handlers
    logger.setLevel(level)
    for name in set(vars(logger)) - attributes:  # by which Powertools knows what it has set up
        delattr(logger, name)
    telemetry.configure.cache_clear()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server and the client do."""
    return "asyncio"
