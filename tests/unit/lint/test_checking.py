"""What findings say, where they point, and which rules are asked."""

from __future__ import annotations

import pytest

from flowstrand.errors import ConfigurationError
from flowstrand.lint import Finding, check_source
from flowstrand.lint.selection import selected

WORKFLOW = """
from datetime import datetime
from uuid import uuid4
from flowstrand import workflow

def label():
    return f"{uuid4()}"

@workflow(name="order")
async def place(ctx, order):
    return label(), datetime.now()
"""


def found(text: str) -> list[Finding]:
    return check_source("shop.py", text)


def test_a_finding_names_the_code_the_workflow_the_way_there_and_the_call_to_use() -> None:
    by_a_call, direct = found(WORKFLOW)
    assert direct.message == 'datetime.now() in workflow "order": use ctx.current_time()'
    assert by_a_call.message == ('uuid4() in workflow "order" (by label() at line 11): use ctx.random_uuid()')


def test_a_finding_points_at_the_line_and_column_where_the_call_begins() -> None:
    by_a_call, direct = found(WORKFLOW)
    assert (direct.path, direct.line, direct.column) == ("shop.py", 11, 21)
    assert by_a_call.line == 7


def test_columns_count_characters() -> None:
    text = WORKFLOW.replace("label(), datetime", '"ä", datetime')
    assert [finding.column for finding in found(text)] == [17]


@pytest.mark.parametrize("text", ["def f(:\n", "x = (\n", "a\0b", "'''open\n"])
def test_what_is_not_python_is_one_finding(text: str) -> None:
    (finding,) = found(text)
    assert finding.rule == "FS001"
    assert "not Python" in finding.message


def test_a_function_that_calls_itself_is_followed_once() -> None:
    text = WORKFLOW.replace('return f"{uuid4()}"', "return label() + label()")
    assert [finding.rule for finding in found(text)] == ["FS101"]


def test_names_that_refer_to_each_other_in_a_circle_are_let_pass() -> None:
    text = WORKFLOW.replace("def label():", "a = b\nb = a\nclass A(A): ...\ndef label():\n    A().x()\n    a()\n")
    assert [finding.rule for finding in found(text)] == ["FS103", "FS101"]


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        ((), (), ["FS103", "FS101"]),
        (("FS101",), (), ["FS101"]),
        (("FS1",), ("FS103",), ["FS101"]),
        (("ALL",), (), ["FS103", "FS101"]),
        (("FS2",), (), []),
        ((), ("FS1",), []),
        ((), ("ALL",), []),
    ],
)
def test_rules_are_selected_and_ignored_by_how_their_ids_begin(
    select: tuple[str, ...], ignore: tuple[str, ...], expected: list[str]
) -> None:
    assert [finding.rule for finding in check_source("x.py", WORKFLOW, selected(select, ignore))] == expected


@pytest.mark.parametrize("id", ["FS9", "", "E501", "fs101"])
def test_a_rule_that_there_is_not_cannot_be_selected_or_ignored(id: str) -> None:
    with pytest.raises(ConfigurationError, match="no rule"):
        selected([id])
    with pytest.raises(ConfigurationError, match="no rule"):
        selected([], [id])


def test_output_is_told_only_when_selected() -> None:
    text = WORKFLOW.replace("label(), datetime.now()", "print(order)")
    assert found(text) == []
    (finding,) = check_source("x.py", text, selected(["FS304"]))
    assert finding.message == 'print() in workflow "order": use ctx.logger, which is silent on replay'
