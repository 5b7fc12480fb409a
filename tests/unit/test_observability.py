"""What is told: exceptions without what they hold, lines that people read, X-Ray that is off, and a page that says all of it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flowstrand.aws import tracing
from flowstrand.errors import ConfigurationError, InvalidInput, NotSerializable, StoreUnavailable
from flowstrand.local import readable_log
from flowstrand.observability import correlation, faults, meter, metrics
from flowstrand.observability.handler import TellingHandler
from tests.unit.template import ROOT

SECRET = "canary"


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """The error, having been raised."""
    try:
        raise error from cause
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "summary"),
    [
        (ValueError(SECRET), "ValueError"),
        (KeyError(SECRET), "KeyError"),
        (StoreUnavailable("could not append"), "StoreUnavailable (STORE_UNAVAILABLE): could not append"),
        (
            ConfigurationError("a variable is missing"),
            "ConfigurationError (CONFIGURATION_ERROR): a variable is missing",
        ),
        (InvalidInput(SECRET, code="INVALID_MESSAGE"), "InvalidInput (INVALID_MESSAGE)"),
        (NotSerializable(SECRET), "NotSerializable (NOT_SERIALIZABLE)"),
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": SECRET}}, "PutItem"),
            "ClientError (AccessDenied)",
        ),
        (ExceptionGroup(SECRET, [ValueError(SECRET)]), "ExceptionGroup"),
    ],
)
def test_an_exception_is_its_name_and_what_is_ours_to_say(error: BaseException, summary: str) -> None:
    assert faults.summary(error) == summary
    assert SECRET not in faults.trace_of(raised(error))


def test_a_trace_has_what_caused_it_and_where() -> None:
    error = raised(StoreUnavailable("away"), raised(ValueError(SECRET)))
    lines = faults.trace_of(error).splitlines()

    assert lines[1:3] == ["ValueError", "which caused"]
    assert lines[-1] == "StoreUnavailable (STORE_UNAVAILABLE): away"
    assert all("in raised" in line for line in (lines[0], lines[-2]))


def test_exceptions_that_cause_each_other_have_an_end() -> None:
    first, second = ValueError(SECRET), KeyError(SECRET)
    first.__cause__, second.__cause__ = second, first

    assert faults.trace_of(first).count("which caused") == 1


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    made = logging.getLogger("flowstrand.test_observability")
    made.propagate = False
    yield made
    made.handlers.clear()
    made.propagate = True


def handler(logger: logging.Logger, **options: bool) -> TellingHandler:
    made = TellingHandler(**options)
    made.setFormatter(readable_log.ReadableFormatter())
    logger.addHandler(made)
    return made


def test_exceptions_among_arguments_are_told_likewise(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    handler(logger)
    logger.warning("not done: %s %r", ValueError(SECRET), StoreUnavailable("away"))
    logger.warning(KeyError(SECRET))

    told = capsys.readouterr().out
    assert SECRET not in told
    assert "not done: ValueError 'StoreUnavailable (STORE_UNAVAILABLE): away'" in told


def test_a_record_is_as_it_was_for_others(logger: logging.Logger) -> None:
    handler(logger)
    kept: list[logging.LogRecord] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record)

    logger.addHandler(Keeping())
    with correlation.about(org="acme"):
        logger.error("no", exc_info=ValueError("mine"))

    assert kept[0].exc_info is not None
    assert "org" not in kept[0].__dict__


def test_authors_loggers_say_what_authors_say(capsys: pytest.CaptureFixture[str]) -> None:
    mine = logging.getLogger("flowstrand.task.charge")
    mine.propagate = False
    handler(mine)
    try:
        with correlation.about(executionId="X"):
            mine.error("it was %s", ValueError("this"))
    finally:
        mine.handlers.clear()
        mine.propagate = True

    assert "it was this (executionId=X)" in capsys.readouterr().out


def test_a_line_for_people(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    handler(logger, to_stderr=True, tells_messages=True)
    with correlation.about(function="resumer", org="dev", executionId="X", wakeSequence=4):
        try:
            raise ValueError("the reason")
        except ValueError:
            logger.exception("a control message failed")

    told = capsys.readouterr().err
    first = told.splitlines()[0]
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} ERROR resumer: a control message failed \(org=dev executionId=X wakeSequence=4\)",
        first,
    )
    assert told.rstrip().endswith("ValueError: the reason")


def test_the_local_servers_output_is_undone() -> None:
    root = logging.getLogger("flowstrand")
    before = root.handlers[:], root.level
    undo = readable_log.install({"POWERTOOLS_LOG_LEVEL": "debug"})
    assert (root.level, len(root.handlers)) == (logging.DEBUG, 1)
    undo()
    assert (root.handlers[:], root.level) == before


def test_the_local_server_tells_what_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    from flowstrand.aws.telemetry import observed

    undo = readable_log.install({"POWERTOOLS_LOG_LEVEL": "DEBUG"})
    try:
        observed("tasks")(lambda event, context: meter.count(metrics.POLLS))({}, None)
    finally:
        undo()

    captured = capsys.readouterr()
    assert "DEBUG tasks: measured Polls=1" in captured.err
    assert captured.out == ""


def test_notes_outside_of_any_block_are_lost() -> None:
    correlation.note(org="acme")

    assert dict(correlation.current()) == {}


def test_x_ray_is_off_unless_the_stack_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tracing.SWITCH, raising=False)

    def answer(event: Any, context: Any) -> str:
        return "answer"

    assert tracing.traced(answer) is answer


def test_where_it_is_on_a_segment_tells_ids_and_neither_answers_nor_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from aws_lambda_powertools import Tracer
    from aws_xray_sdk.core import xray_recorder

    sent: list[str] = []

    class Emitter:
        def send_entity(self, entity: Any) -> None:
            sent.append(entity.serialize())

    monkeypatch.setenv(tracing.SWITCH, "active")
    monkeypatch.setenv("LAMBDA_TASK_ROOT", "/var/task")
    monkeypatch.delenv("POWERTOOLS_TRACE_DISABLED", raising=False)
    monkeypatch.setattr(xray_recorder, "_emitter", Emitter())
    made = Tracer(service="flowstrand", auto_patch=False, disabled=False)
    monkeypatch.setattr(tracing, "tracer", lambda: made)
    xray_recorder.begin_segment("lambda")

    def answer(event: Any, context: Any) -> str:
        with correlation.about(org="acme", executionId="X"):
            tracing.annotate()
        return SECRET

    assert tracing.traced(answer)({}, None) == SECRET
    xray_recorder.end_segment()

    told = "".join(sent)
    assert '"org": "acme"' in told.replace('":"', '": "')
    assert "## answer" in told
    assert SECRET not in told


def test_the_page_has_every_metric_and_no_other() -> None:
    page = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)

    assert rows == [(m.name, m.unit.value, m.source, m.meaning) for m in metrics.ALL]


def test_the_page_has_every_id_that_lines_carry() -> None:
    page = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")

    assert [name for name in correlation.FIELDS if f"`{name}`" not in page] == []


def test_what_is_measured_is_taken_once() -> None:
    meter.count(metrics.POLLS)  # nobody measures: nothing happens
    with meter.measuring() as measured:
        meter.count(metrics.POLLS, 0)
        meter.count(metrics.TURNS_WARM, 2)
        meter.record(metrics.POLL_WAIT, 5)

    assert measured.taken() == {metrics.TURNS_WARM: [2], metrics.POLL_WAIT: [5]}
    assert measured.taken() == {}
