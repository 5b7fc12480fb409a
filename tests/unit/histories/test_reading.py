"""A file that was changed, cut off, or put together by somebody else is refused; nothing in it is believed unchecked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.events import WorkflowCompleted, WorkflowStatus
from flowstrand.errors import HistoryRefused, LogCorrupted
from flowstrand.histories.history import History, TaskLogBatch
from flowstrand.histories.reading import is_export, read, read_file
from flowstrand.histories.writing import HistoryWriter, history_of
from flowstrand.log.packing import pack_events
from tests.unit.operations.exported import LARGE, NOW_MS, RECORD, completed, exported, file_of, lines_of, log
from tests.unit.service.service_world import ServiceWorld

WORLD = ServiceWorld()
FIRST, SECOND = completed(WORLD), completed(WORLD, "half of a pair: \ud83d")
log(WORLD, FIRST, TaskLogBatch(position=1, attempt=1, number=1, records=(RECORD, RECORD)))
LINES = file_of(WORLD, FIRST, SECOND)
HISTORIES = exported(WORLD, FIRST, SECOND)


def refusal(lines: list[str]) -> str:
    with pytest.raises(HistoryRefused) as refused:
        list(read(lines))
    return refused.value.code


def test_a_file_begins_with_what_it_is() -> None:
    assert is_export(LINES[0])
    assert json.loads(LINES[0])["version"] == 2
    assert [is_export(line) for line in (LINES[1], "{}", "[]", "no JSON", "")] == [False] * 5


def test_a_file_reads_back_as_it_was_written() -> None:
    assert lines_of(list(read(LINES))) == LINES
    assert [history.key for history in HISTORIES] == [history.key for history in read(LINES)]


def test_any_value_of_a_user_survives() -> None:
    assert HISTORIES[1].events[0].data == WORLD.events(SECOND)[0].data


@given(st.data())
def test_a_changed_character_is_noticed(data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(LINES) - 1))
    line = LINES[place]
    column = data.draw(st.integers(0, len(line) - 2))
    letter = data.draw(st.sampled_from('abc019 {}\\"').filter(lambda letter: letter != line[column]))
    changed = f"{line[:column]}{letter}{line[column + 1 :]}"
    if json_of(changed) == json_of(line):
        return  # a space is a space
    assert refusal([*LINES[:place], changed, *LINES[place + 1 :]])


def json_of(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


@given(st.integers(0, len(LINES) - 1))
def test_a_file_that_is_cut_off_is_noticed(kept: int) -> None:
    assert refusal(LINES[:kept]) == "INVALID_EXPORT"
    assert refusal([*LINES[:kept], LINES[kept][:-1]]) == "INVALID_EXPORT"


@given(st.integers(1, len(LINES) - 1))
def test_a_missing_line_is_noticed(place: int) -> None:
    if json.loads(LINES[place])["type"] == "payload":
        return  # it is noticed where it is looked for
    assert refusal([*LINES[:place], *LINES[place + 1 :]]) == "INVALID_EXPORT"


def test_a_line_behind_the_last_is_noticed() -> None:
    assert refusal([*LINES, LINES[-1]]) == "INVALID_EXPORT"


def test_a_newer_version_says_that_it_is_newer() -> None:
    assert refusal([LINES[0].replace('"version":2', '"version":3'), *LINES[1:]]) == "EXPORT_TOO_NEW"


@pytest.mark.parametrize(
    "first", ["{}\n", '{"type":"header"}\n', '{"type":"header","format":"else","version":1}\n']
)
def test_what_does_not_begin_like_an_export_is_none(first: str) -> None:
    assert refusal([first, *LINES[1:]]) == "INVALID_EXPORT"


def test_a_payload_that_is_not_what_it_says_is_refused() -> None:
    place = next(n for n, line in enumerate(LINES) if '"payload"' in line)
    assert (
        refusal([*LINES[:place], LINES[place].replace("large", "small", 1), *LINES[place + 1 :]])
        == "INVALID_EXPORT"
    )


def test_a_payload_that_is_missing_is_missed() -> None:
    lines = [line for line in LINES if json.loads(line)["type"] != "payload"]
    histories = list(read(lines))
    for use in (histories[0].require_sound, histories[0].with_values):
        with pytest.raises(HistoryRefused) as refused:
            use()
        assert refused.value.code == "PAYLOAD_MISSING"


Change = Callable[[History], History]


def _without_first(history: History) -> History:
    return history_of(history.key, history.commits[1:], history.payloads)


def _with_a_gap(history: History) -> History:
    return replace(history, commits=(history.commits[0], *history.commits[2:]))


def _backwards_in_time(history: History) -> History:
    first, *others = history.commits
    return replace(history, commits=(replace(first, written_at_ms=others[-1].written_at_ms + 1), *others))


def _going_on(history: History) -> History:
    last = history.commits[-1]
    end = WorkflowCompleted(
        workflow_execution_id=history.key.execution_id,
        kind="order",
        status=WorkflowStatus.COMPLETED,
        output=None,
        horizon=1,
    )
    more = replace(last, sequence=last.last_sequence + 1, count=1, events=pack_events([end]))
    return replace(history, commits=(*history.commits, more))


def _of_another(history: History) -> History:
    return replace(history, key=replace(history.key, execution_id=HISTORIES[1].key.execution_id))


def _empty(history: History) -> History:
    return replace(history, commits=())


@pytest.mark.parametrize(
    "change", [_with_a_gap, _backwards_in_time, _going_on, _of_another, _empty], ids=lambda change: change.__name__
)
def test_a_log_that_nobody_can_have_written_is_refused(change: Change) -> None:
    with pytest.raises(HistoryRefused) as refused:
        change(HISTORIES[0]).require_sound()
    assert refused.value.code == "INVALID_EXPORT"


def test_a_log_without_its_beginning_cannot_even_be_written() -> None:
    with pytest.raises(LogCorrupted, match="no log begins with TASK_CREATED"):
        _without_first(HISTORIES[0])


def test_payloads_may_lie_beside_the_file(tmp_path: Path) -> None:
    file, folder = tmp_path / "order.jsonl", tmp_path / "order.jsonl.payloads"
    with (
        file.open("w") as lines,
        HistoryWriter(lines, now_ms=NOW_MS, version="0", payload_folder=folder) as writer,
    ):
        writer.write(HISTORIES[0])
    assert LARGE not in file.read_text()
    [history] = read_file(file)
    assert history.payloads == HISTORIES[0].payloads
    [payload] = folder.iterdir()
    payload.unlink()
    with pytest.raises(HistoryRefused) as refused:
        list(read_file(file))
    assert refused.value.code == "PAYLOAD_MISSING"


def test_bytes_that_are_no_text_survive() -> None:
    body = b'"\xed\xa0\xbd"'
    history = replace(HISTORIES[0], payloads={sha256(body).hexdigest(): body})
    lines = lines_of([history])
    assert any("base64" in line for line in lines)
    [read_back] = read(lines)
    assert read_back.payloads == history.payloads


def test_a_payload_under_anothers_name_is_refused() -> None:
    history = replace(HISTORIES[0], payloads={"ec" * 32: b'"small"'})
    assert refusal(lines_of([history])) == "INVALID_EXPORT"


@pytest.mark.parametrize(
    "change", [{"position": -1}, {"attempt": 0}, {"batch": "1"}, {"records": [{"level": "LOUD"}]}]
)
def test_a_task_log_that_nobody_can_have_written_is_refused(change: dict[str, Any]) -> None:
    place = next(n for n, line in enumerate(LINES) if json.loads(line)["type"] == "taskLog")
    changed = json.dumps(json.loads(LINES[place]) | change) + "\n"
    assert refusal([*LINES[:place], changed, *LINES[place + 1 :]]) == "INVALID_EXPORT"


def test_a_file_that_is_not_there_is_refused_like_any(tmp_path: Path) -> None:
    with pytest.raises(HistoryRefused, match="cannot be read"):
        list(read_file(tmp_path / "nothing.jsonl"))


@pytest.mark.parametrize("folder", ["/etc", "../elsewhere", "a/b", "..", 1])
def test_payloads_are_looked_for_beside_the_file_and_nowhere_else(tmp_path: Path, folder: object) -> None:
    header = json.loads(LINES[0]) | {"payloadFolder": folder}
    with pytest.raises(HistoryRefused, match="no folder beside it"):
        list(read([json.dumps(header) + "\n", *LINES[1:]], beside=tmp_path))
