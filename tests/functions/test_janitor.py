"""The janitor: what its function does of what is due, and that it does no more than it has time for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowstrand.errors import ConfigurationError
from flowstrand.log.port import LogKey
from flowstrand.log.retention import DAY_MS
from flowstrand.service import closed_executions, janitor, mending, open_executions
from flowstrand.service.closed_executions import Closed
from tests.functions.stack import ACME, CLAIMED, NOW_MS, Stack, body_of, sample


def end(stack: Stack) -> None:
    """Let the claimed execution come to its end, and everyone know."""
    open_executions.add(stack.services.directory, LogKey(ACME, CLAIMED), NOW_MS)
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))
    mending.run(stack.services)


def test_what_is_due_expires_and_the_answer_says_what_was_done(stack: Stack) -> None:
    end(stack)
    stack.clock.sleep_ms(30 * DAY_MS)

    assert stack.invoke("janitor", sample("janitor/clean")) == {
        "expired": 1,
        "kept": 1,  # of the channel, which is still there
        "failed": 0,
        "is_done": True,
    }

    response = stack.invoke("events", sample("events/history"))
    assert (response["statusCode"], body_of(response)["code"]) == (410, "EXECUTION_EXPIRED")
    assert stack.invoke("janitor", sample("janitor/clean"))["expired"] == 0


def test_nothing_is_due_before_its_time(stack: Stack) -> None:
    end(stack)
    stack.clock.sleep_ms(29 * DAY_MS)

    assert stack.invoke("janitor", sample("janitor/clean"))["expired"] == 0


def test_a_run_ends_in_time_and_the_next_goes_on(stack: Stack) -> None:
    end(stack)
    stack.clock.sleep_ms(30 * DAY_MS)

    cleaned = janitor.run(stack.services, until_ms=stack.clock.now_ms())
    assert (cleaned.expired, cleaned.is_done) == (0, False)
    assert janitor.run(stack.services, until_ms=stack.clock.now_ms() + 1).expired == 1


def test_a_log_that_cannot_be_read_stands_in_nobodys_way(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    end(stack)
    log = stack.services.log
    first = log.commit_at(LogKey(ACME, CLAIMED), 1)
    assert first is not None
    damaged = LogKey(ACME, CLAIMED[:-1] + "x")  # type: ignore[arg-type]  # another id
    log.append(replace(first, key=damaged, events=b"not a commit"))
    closed_executions.add(stack.services.directory, Closed(key=damaged, due_ms=NOW_MS))
    stack.clock.sleep_ms(30 * DAY_MS)

    cleaned = stack.invoke("janitor", sample("janitor/clean"))

    assert (cleaned["expired"], cleaned["failed"], cleaned["is_done"]) == (1, 1, True)
    assert "cannot expire yet" in caplog.text


def test_more_logs_than_a_page_of_rows_are_all_dealt_with(stack: Stack) -> None:
    for number in range(1_000):
        key = LogKey(ACME, f"gone-{number}")  # type: ignore[arg-type]  # ids that no execution has
        closed_executions.add(stack.services.directory, Closed(key=key, due_ms=NOW_MS))

    assert stack.invoke("janitor", sample("janitor/clean"))["kept"] == 1_000


def test_a_process_that_cannot_let_logs_expire_says_so(stack: Stack) -> None:
    with pytest.raises(ConfigurationError):
        janitor.run(replace(stack.services, retention=None), until_ms=NOW_MS)
