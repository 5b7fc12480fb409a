"""`flowstrand dev`: what it tells once it listens."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from flowstrand.cli.program import program
from flowstrand.local.options import Options
from flowstrand.local.server import Listening


class Server:
    """Listens to nobody, and ends at once."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def run(self, ready: Callable[[Listening], None]) -> None:
        ready(Listening(url="http://127.0.0.1:1", api_key="fsk_secret"))


@pytest.fixture(autouse=True)
def _nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowstrand.local.server.DevServer", Server)
    monkeypatch.setattr("os._exit", lambda status: None)


def run(*options: str) -> Result:
    return CliRunner().invoke(program, ["dev", "--app", "shop.py", *options])


def test_people_are_told_what_to_put_into_their_environment() -> None:
    assert "export FLOWSTRAND_URL=http://127.0.0.1:1 FLOWSTRAND_API_KEY=fsk_secret\n" in run().stdout


def test_programs_are_given_one_object() -> None:
    [line] = run("--json", "--data", "here").stdout.splitlines()
    assert json.loads(line) == {
        "url": "http://127.0.0.1:1",
        "org": "dev",
        "apiKey": "fsk_secret",
        "app": "shop.py",
        "store": "sqlite",
        "data": "here",
    }


def test_a_key_that_was_given_is_shown_to_nobody() -> None:
    assert "fsk_secret" not in run("--api-key", "fsk_secret").stdout
    assert json.loads(run("--api-key", "fsk_secret", "--json").stdout)["apiKey"] is None
