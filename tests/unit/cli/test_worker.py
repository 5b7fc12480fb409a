"""`flowstrand worker`: what its options make of the worker."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flowstrand.cli.exits import Exit
from flowstrand.cli.json_lines import JsonLines
from flowstrand.cli.program import program
from flowstrand.worker import Worker, WorkerMetrics

APP = """
from flowstrand import TaskContext, task
from flowstrand.worker import WorkerObserver

@task(name="pay")
async def pay(ctx: TaskContext) -> None: ...

class Hooks(WorkerObserver): ...

hooks = Hooks()
neither = 7
"""
METRICS = WorkerMetrics(
    registrations=1,
    polls=2,
    empty_polls=1,
    claimed=1,
    running=0,
    finished=1,
    failed=0,
    lost=0,
    heartbeats_lost=0,
    reconnects=0,
    busy_s=0.5,
    uptime_s=60.0,
)


class Made:
    """What the command made of its options; it serves until the event loop has gone round often enough."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}

    def __call__(self, *connection: object, **options: Any) -> Made:
        signature(Worker).bind(*connection, **options)  # the real one would take all of it
        self.options = {"connection": connection[:3], **options}
        return self

    async def run(self) -> None:
        await asyncio.sleep(0.05)

    def metrics(self) -> WorkerMetrics:
        return METRICS


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Made:
    made = Made()
    monkeypatch.setattr("flowstrand.worker.Worker", made)
    monkeypatch.setenv("FLOWSTRAND_API_KEY", "key")
    monkeypatch.delenv("FLOWSTRAND_URL", raising=False)
    monkeypatch.delenv("FLOWSTRAND_ORG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop_of_worker.py").write_text(APP, encoding="utf-8")
    return made


def run(*options: str) -> int:
    return CliRunner().invoke(program, ["worker", "--app", "shop_of_worker.py", *options]).exit_code


def test_it_polls_the_default_queue_unless_told_otherwise(made: Made) -> None:
    assert run() == 0
    assert (made.options["queues"], made.options["concurrency"]) == ({"default": None}, 10)
    assert (made.options["grace_s"], made.options["name"], made.options["observers"]) == (30.0, None, [])
    assert made.options["connection"] == (None, "key", None)


def test_it_takes_several_queues_with_limits_of_their_own(made: Made) -> None:
    assert run("--queue", "default", "--queue", "slow=2", "--concurrency", "8", "--grace", "2m") == 0
    assert made.options["queues"] == {"default": None, "slow": 2}
    assert (made.options["concurrency"], made.options["grace_s"]) == (8, 120.0)


def test_it_has_a_name_and_a_version(made: Made) -> None:
    assert run("--name", "till-3", "--version", "1.2", "--org", "acme") == 0
    assert (made.options["name"], made.options["version"]) == ("till-3", "1.2")
    assert made.options["connection"][2] == "acme"


def test_observers_are_objects_or_classes(made: Made) -> None:
    assert run("--observer", "shop_of_worker.py:Hooks", "--observer", "shop_of_worker.py:hooks") == 0
    assert [type(observer).__name__ for observer in made.options["observers"]] == ["Hooks", "Hooks"]


@pytest.mark.parametrize("spec", ["shop_of_worker.py:neither", "shop_of_worker.py:nothing", "nowhere.py:hooks"])
def test_what_is_no_observer_is_refused(made: Made, spec: str) -> None:
    assert run("--observer", spec) == Exit.USAGE


@pytest.mark.parametrize("option", [("--queue", "slow=few"), ("--grace", "long"), ("--metrics", "often")])
def test_wrong_options_are_wrong_usage(made: Made, option: tuple[str, str]) -> None:
    assert run(*option) == Exit.USAGE
    assert made.options == {}


def test_metrics_are_logged_as_json(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "flowstrand.worker"):
        assert run("--metrics", "0.01s") == 0
    lines = [record.message for record in caplog.records if record.message.startswith("metrics ")]
    assert lines
    assert json.loads(lines[0].removeprefix("metrics "))["busy_s"] == 0.5


@pytest.mark.parametrize(
    ("options", "level"),
    [([], logging.INFO), (["--task-logs", "debug"], logging.DEBUG), (["--task-logs", "OFF"], None)],
    ids=["default", "debug", "off"],
)
def test_which_of_what_tasks_log_is_kept(made: Made, options: list[str], level: int | None) -> None:
    assert run(*options) == 0
    assert made.options["log_level"] == level


def test_for_programs_it_logs_an_object_a_line_on_stdout(
    made: Made, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    root = logging.getLogger()
    request.addfinalizer(partial(root.setLevel, root.level))
    monkeypatch.setattr(root, "handlers", [])  # nobody has set up logging in this process
    arguments = ["worker", "--app", "shop_of_worker.py", "--json", "--metrics", "0.01s"]
    lines = [json.loads(line) for line in CliRunner().invoke(program, arguments).stdout.splitlines()]
    assert {"timestamp", "level", "logger", "message", "metrics"} == lines[0].keys()
    assert (lines[0]["level"], lines[0]["metrics"]["busy_s"]) == ("INFO", 0.5)


def test_a_traceback_is_part_of_its_line() -> None:
    try:
        raise RuntimeError("no hats left")
    except RuntimeError:
        record = logging.LogRecord("flowstrand.worker", logging.ERROR, "", 0, "it %s", ("failed",), sys.exc_info())
    line = json.loads(JsonLines().format(record))
    assert line["message"] == "it failed"
    assert line["exception"].endswith("RuntimeError: no hats left")


def test_its_failures_are_json_too(made: Made) -> None:
    result = CliRunner().invoke(program, ["worker", "--app", "nowhere.py", "--json"])
    assert json.loads(result.stderr)["code"]
