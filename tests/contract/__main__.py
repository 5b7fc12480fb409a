"""The DynamoDB part of the contract suite over the wire: `python -m tests.contract [--endpoint URL] [PYTEST ARGUMENT...]`.

Against a Dynoxide of its own, or against the endpoint that is named: AWS, an emulator, whatever speaks like DynamoDB. What every
store must do is asked there, with the faults that the suite injects on the way, and nothing is left out for an endpoint's sake.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from tests.contract.endpoints import ENDPOINT_VARIABLE, dynamodb_endpoint
from tests.support.dynoxide import NAME, DynoxideUnavailableError, dynoxide

SUITE = ("tests/contract", "tests/properties/test_append_machine.py")
"""Logs, directory, inboxes and retention; and writers that race, die and read what is stale, on the one conditional put."""
_ONLY_DYNAMODB = ("-m", "dynamodb", "-n", "2", "--dist", "loadfile")
_REGION = "eu-central-1"
_UNUSABLE = 2


def main(arguments: Sequence[str]) -> int:
    """Run the suite; returns pytest's exit status, or 2 where there is no endpoint to run it against."""
    parser = argparse.ArgumentParser(prog="contract-dynamodb", description=__doc__, add_help=True)
    parser.add_argument("--endpoint", metavar="URL", help="or `localstack`; by default a Dynoxide is started")
    options, rest = parser.parse_known_args(arguments)
    with _endpoint(options.endpoint or os.environ.get(ENDPOINT_VARIABLE, "")) as url:
        _take_credentials()
        try:
            _say(f"it calls itself {_server(url)!r}")
        except (BotoCoreError, ClientError) as error:
            _say(f"it does not answer as DynamoDB does: {error}")
            return _UNUSABLE
        paths = () if any(map(_is_path, rest)) else SUITE
        pytest = [sys.executable, "-m", "pytest", *_ONLY_DYNAMODB, *paths, *rest]
        return subprocess.run(pytest, env={**os.environ, ENDPOINT_VARIABLE: url}, check=False).returncode


@contextmanager
def _endpoint(named: str) -> Iterator[str]:
    url = dynamodb_endpoint(named)
    if url is not None:
        _say(f"{url}, as it was named; tables with new names are made there, and deleted afterwards")
        yield url
        return
    with TemporaryDirectory(prefix="flowstrand-contract-") as folder, dynoxide(Path(folder)) as url:
        _say(f"{NAME} at {url}, on an empty database in memory")
        yield url


def _take_credentials() -> None:
    """Put what AWS's libraries would use where the suite looks for it; where there are none, some that open nothing."""
    session = get_session()
    found = session.get_credentials()
    os.environ.setdefault("AWS_DEFAULT_REGION", session.get_config_variable("region") or _REGION)
    if found is None:
        os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
        _say(f"region {os.environ['AWS_DEFAULT_REGION']}, no credentials: made-up ones are sent")
        return
    frozen = found.get_frozen_credentials()
    variables = {
        "AWS_ACCESS_KEY_ID": frozen.access_key,
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
        "AWS_SESSION_TOKEN": frozen.token,
    }
    os.environ.update({name: value for name, value in variables.items() if value})
    _say(f"region {os.environ['AWS_DEFAULT_REGION']}, credentials from {found.method}")


def _server(url: str) -> str:
    """What the endpoint says of itself; AWS says nothing of versions.

    Raises:
        BotoCoreError, ClientError: it does not know DynamoDB's calls, or these credentials.
    """
    config = Config(connect_timeout=5, retries={"total_max_attempts": 1})
    answer = boto3.client("dynamodb", endpoint_url=url, config=config).list_tables(Limit=1)
    return answer["ResponseMetadata"]["HTTPHeaders"].get("server", "nothing")


def _say(text: str) -> None:
    sys.stdout.write(f"--- {text}\n")
    sys.stdout.flush()


def _is_path(argument: str) -> bool:
    return Path(argument.partition("::")[0]).exists()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DynoxideUnavailableError as error:
        sys.exit(f"contract-dynamodb: {error}")
