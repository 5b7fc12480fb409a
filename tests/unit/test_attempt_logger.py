"""`ctx.logger`: what a process logs and what is kept of an attempt are two things, and neither can fail the task."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.schema import to_json
from flowstrand.engine.task_log import MAX_BATCH_BYTES, LogLevel, LogRecord
from flowstrand.sdk.attempt_logger import AttemptLogger

IDS = {"task_execution_id": "e.t1", "workflow_execution_id": "e", "attempt": 2}
NAME = "flowstrand.task.charge"


@pytest.fixture
def kept() -> list[LogRecord]:
    return []


@pytest.fixture
def logger(kept: list[LogRecord]) -> AttemptLogger:
    return AttemptLogger(NAME, IDS, keep=kept.append)


@pytest.fixture
def process() -> Iterator[logging.Logger]:
    """The logger of the process, quiet unless a test says otherwise."""
    process = logging.getLogger(NAME)
    process.setLevel(logging.CRITICAL)
    yield process
    process.setLevel(logging.NOTSET)


@pytest.mark.usefixtures("process")
def test_what_is_kept_does_not_depend_on_what_the_process_logs(
    kept: list[LogRecord], logger: AttemptLogger, caplog: pytest.LogCaptureFixture
) -> None:
    logger.debug("no")
    logger.info("charging %d for %s", 7, "ada")
    assert [(one.level, one.message) for one in kept] == [(LogLevel.INFO, "charging 7 for ada")]
    assert caplog.records == []
    assert logger.isEnabledFor(logging.INFO)
    assert not logger.isEnabledFor(logging.DEBUG)


def test_what_the_process_logs_does_not_depend_on_what_is_kept(
    kept: list[LogRecord], process: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    logger = AttemptLogger(NAME, IDS, keep=kept.append, level=logging.ERROR)
    with caplog.at_level(logging.DEBUG, logger=process.name):
        logger.debug("seen", extra={"order": 7})
    [seen] = caplog.records
    assert (seen.name, seen.getMessage(), seen.__dict__["attempt"], seen.__dict__["order"]) == (NAME, "seen", 2, 7)
    assert (seen.filename, seen.funcName) == (
        "test_attempt_logger.py",
        "test_what_the_process_logs_does_not_depend_on_what_is_kept",
    )
    assert kept == []


def test_a_handler_below_a_quiet_logger_hears_nothing_more_than_before(
    logger: AttemptLogger, process: logging.Logger
) -> None:
    heard: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    handler = Handler()
    process.addHandler(handler)
    try:
        logger.info("kept alone")
        logger.critical("both")
    finally:
        process.removeHandler(handler)
    assert heard == ["both"]


def test_without_anybody_who_keeps_it_is_the_processs_logging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger=NAME):
        AttemptLogger(NAME, IDS).info("hello", extra={"order": 7})
    assert [(one.getMessage(), one.__dict__["order"]) for one in caplog.records] == [("hello", 7)]


def test_extra_is_kept_as_fields_without_the_ids(kept: list[LogRecord], logger: AttemptLogger) -> None:
    logger.warning("declined", extra={"order": {"id": 7}, "amount": 1.5, "attempt": "not this"})
    assert kept[0].fields == {"order": {"id": 7}, "amount": 1.5}
    logger.warning("bare")
    assert kept[1].fields is None


def test_an_exception_is_kept_with_its_stack(kept: list[LogRecord], logger: AttemptLogger) -> None:
    try:
        raise ValueError("no funds")
    except ValueError:
        logger.exception("declined")
    error = kept[0].exception
    assert error is not None
    assert (kept[0].level, error.type, error.message) == (LogLevel.ERROR, "ValueError", "no funds")
    assert "raise ValueError" in (error.stack or "")


@pytest.mark.parametrize(
    ("number", "level"),
    [(1, "DEBUG"), (20, "INFO"), (25, "INFO"), (30, "WARNING"), (40, "ERROR"), (55, "CRITICAL")],
)
def test_a_level_of_ones_own_is_the_nearest_below(number: int, level: str) -> None:
    kept: list[LogRecord] = []
    AttemptLogger(NAME, IDS, keep=kept.append, level=0).log(number, "hello")
    assert [one.level for one in kept] == [LogLevel(level)]


def test_what_is_cut_says_so(kept: list[LogRecord], logger: AttemptLogger) -> None:
    logger.info("x" * 10_000)
    assert kept[0].message == "x" * 8_000 + " … (2000 more characters)"
    logger.info("hello", extra={"much": "x" * 10_000})
    assert kept[1].fields == {"omitted": "10012 bytes of fields"}


def test_a_field_that_is_nested_deeply_is_kept_as_its_text(kept: list[LogRecord], logger: AttemptLogger) -> None:
    deep: list[Any] = []
    for _ in range(30):
        deep = [deep]
    logger.info("hello", extra={"deep": deep, "shallow": [[1]]})
    assert kept[0].fields == {"deep": "[" * 31 + "]" * 31, "shallow": [[1]]}


class Awkward:
    """Whatever is asked of it, it raises."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Handed:
    """Code that hands something awkward to its logger."""

    values: tuple[Any, ...] = (
        Awkward(),
        float("nan"),
        {1: 2},
        {(1, 2): 3},
        "\ud800",
        b"bytes",
        object(),
    )


def test_nothing_that_is_logged_can_fail_the_task(kept: list[LogRecord], logger: AttemptLogger) -> None:
    circle: list[Any] = []
    circle.append(circle)
    for value in (*Handed.values, circle):
        logger.info("here is %s", value)
        logger.info("here is", extra={"it": value})
        logger.info("%d and %d", value)  # noqa: PLE1206 - code that is wrong
        logger.info(value)
    assert len(kept) == 4 * (len(Handed.values) + 1)
    json.dumps([to_json(one) for one in kept], ensure_ascii=False).encode()


@given(message=st.text(max_size=30), repeat=st.integers(1, 2_000), fields=st.dictionaries(st.text(), st.text()))
def test_every_record_is_short_enough_for_a_batch(message: str, repeat: int, fields: dict[str, str]) -> None:
    kept: list[LogRecord] = []
    logger = AttemptLogger(NAME, IDS, keep=kept.append)
    try:
        raise ValueError(message * repeat)
    except ValueError:
        logger.exception(
            "%s", message * repeat, extra={f"f{number}": value for number, value in enumerate(fields.values())}
        )
    assert len(json.dumps(to_json(kept[0]))) < MAX_BATCH_BYTES
