"""The README's workflow is real code: it loads as an app, its task runs, and its workflow asks for what the prose says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from flowstrand import App, RetryPolicy, TaskContext
from flowstrand.engine.events import Event, EventData, WorkflowStarted, WorkflowStatus
from flowstrand.engine.events.task import TaskCompleted, TaskCreated, TaskFailed
from flowstrand.engine.events.vocabulary import ErrorInfo, FailureType, TaskStatus
from flowstrand.engine.replay.commands import ScheduleTask, StartTimer
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.outcome import Returned
from flowstrand.jsonvalue import JsonValue
from tests.unit.fake_emitter import FakeEmitter

README = Path(__file__).resolve().parents[2] / "README.md"
DAY_MS = 24 * 60 * 60 * 1_000
ITEMS = ["shoes", "hat"]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    file = tmp_path / "shopping.py"
    file.write_text(blocks()[0], encoding="utf-8")
    return file


def blocks() -> list[str]:
    """The README's Python: the workflow, and its test."""
    found = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 2
    return found


@pytest.fixture
def app(example: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "shopping", raising=False)
    return App.load(str(example))


def workflow_started() -> EventData:
    return WorkflowStarted(
        workflow_execution_id="x",
        kind="shopping",
        status=WorkflowStatus.PENDING,
        input=list(ITEMS),
        queue="default",
    )


def deliver(driver: Driver, *data: EventData) -> None:
    for item in data:
        sequence = driver.delivered_to + 1
        driver.deliver(Event(sequence=sequence, timestamp_ms=sequence, data=item))


def recorded(command: ScheduleTask) -> TaskCreated:
    return TaskCreated(
        task_execution_id=f"x-{command.position}",
        position=command.position,
        kind=command.kind,
        status=TaskStatus.PENDING,
        execution_count=0,
        max_retries=command.retry.max_retries,
        input=command.input,
        queue=command.queue,
        retry=command.retry,
    )


def scheduled(driver: Driver) -> list[TaskCreated]:
    return [recorded(command) for command in driver.unrecorded() if isinstance(command, ScheduleTask)]


def completed(task: TaskCreated) -> TaskCompleted:
    return TaskCompleted(
        task_execution_id=task.task_execution_id,
        position=task.position,
        kind=task.kind,
        status=TaskStatus.COMPLETED,
        execution_count=1,
        max_retries=task.max_retries,
        attempt=1,
        output=f"{task.input}, reserved",
    )


def failed(task: TaskCreated) -> TaskFailed:
    return TaskFailed(
        task_execution_id=task.task_execution_id,
        position=task.position,
        kind=task.kind,
        status=TaskStatus.FAILED,
        execution_count=4,
        max_retries=task.max_retries,
        attempt=4,
        error=ErrorInfo(type="SoldOut", message="no hats left"),
        failure_type=FailureType.ERROR,
    )


def begin(app: App) -> tuple[Driver, list[TaskCreated]]:
    program = app.program("shopping")
    assert program is not None
    driver = Driver(program)
    deliver(driver, workflow_started())
    return driver, scheduled(driver)


def test_the_example_is_about_fifteen_lines_long(example: Path) -> None:
    code = [line for line in example.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(code) <= 16


def test_the_example_defines_what_the_commands_below_it_start(app: App) -> None:
    assert (list(app.kinds()), list(app.task_kinds())) == (["shopping"], ["reserve"])
    assert 'flowstrand start shopping --input \'["shoes", "hat"]\'' in README.read_text(encoding="utf-8")


def test_the_example_asks_for_all_its_tasks_at_once_and_returns_their_results_in_order(app: App) -> None:
    driver, tasks = begin(app)
    assert [(task.kind, task.input) for task in tasks] == [("reserve", "shoes"), ("reserve", "hat")]
    deliver(driver, *tasks, completed(tasks[1]), completed(tasks[0]))
    assert driver.outcome() == Returned(["shoes, reserved", "hat, reserved"])


def test_the_example_sleeps_for_a_day_once_a_task_has_no_attempt_left(app: App) -> None:
    driver, tasks = begin(app)
    assert {task.retry.max_retries for task in tasks} == {RetryPolicy(max_attempts=4).max_attempts - 1}
    deliver(driver, *tasks, failed(tasks[0]))
    (sleep,) = driver.unrecorded()
    assert isinstance(sleep, StartTimer)
    assert sleep.fire_at_ms == driver.now_ms + DAY_MS


async def test_the_example_task_knows_its_attempt(app: App) -> None:
    async def heartbeat(_details: JsonValue) -> bool:
        return False

    context = TaskContext(
        task_execution_id="t",
        workflow_execution_id="x",
        kind="reserve",
        attempt=2,
        max_attempts=4,
        heartbeat=heartbeat,
        is_cancelled=lambda: False,
        emit=FakeEmitter(),
    )
    reserve = app.task("reserve")
    assert reserve is not None
    assert await reserve.execute(context, "hat") == "hat, reserved at attempt 2"


async def test_the_examples_own_test_passes() -> None:
    namespace: dict[str, Any] = {}
    for block in blocks():
        exec(block, namespace)
    await namespace["test_what_is_not_in_stock_is_given_up_after_a_day"]()
