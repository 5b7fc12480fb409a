"""Trace contexts are read as W3C Trace Context says, and what derives from a log is always the same."""

from __future__ import annotations

import pytest

from flowstrand.engine import trace_context
from flowstrand.engine.trace_context import TraceContext, parse

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{SPAN}-01"


def test_a_valid_one_is_taken_apart() -> None:
    context = parse([f" {GIVEN} "], ["congo=t61rcWkgMzE"])

    assert context == TraceContext(traceparent=GIVEN, tracestate="congo=t61rcWkgMzE")
    assert (context.trace_id, context.span_id, context.is_sampled) == (TRACE, SPAN, True)


@pytest.mark.parametrize(
    "given",
    [
        [],
        [""],
        [GIVEN, GIVEN],
        [GIVEN.upper()],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"ff-{TRACE}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN}-01-more"],
        [f"00-{TRACE}-{SPAN}-1"],
        [f"00-{TRACE[:-1]}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN}g-01"],
        [f"cc-{TRACE}-{SPAN}-01.more"],
        ["nonsense"],
    ],
)
def test_one_that_is_not_valid_is_none(given: list[str]) -> None:
    assert parse(given, ["congo=x"]) is None


def test_a_later_version_is_read_as_far_as_this_one_goes() -> None:
    context = parse([f"cc-{TRACE}-{SPAN}-ff-what-the-future-holds"])

    assert context == TraceContext(traceparent=f"00-{TRACE}-{SPAN}-03")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["a=1,b=2", "c=3"], "a=1,b=2,c=3"),
        ([" a=1 ,\tb=2,, "], "a=1,b=2"),
        (["t@v=1,a*/-_=x y"], "t@v=1,a*/-_=x y"),
        ([], None),
        ([""], None),
        (["a"], None),
        (["A=1"], None),
        (["a=1,a=2"], None),
        (["a=\x01"], None),
        ([",".join(f"k{n}=1" for n in range(33))], None),
        ([f"a=1,long={'x' * 200},{','.join(f'k{n}={chr(120) * 90}' for n in range(4))}"], "a=1,"),
    ],
)
def test_a_tracestate_is_one_list_or_none(given: list[str], kept: str | None) -> None:
    context = parse([GIVEN], given)

    assert context is not None
    if kept is not None and kept.endswith(","):
        assert context.tracestate is not None
        assert context.tracestate.startswith(kept)
        assert "long" not in context.tracestate
        assert len(context.tracestate) <= 512
    else:
        assert context.tracestate == kept


def test_what_is_below_a_span_has_it_for_its_parent() -> None:
    below = TraceContext(traceparent=GIVEN, tracestate="a=1").below("00f067aa0ba902b7")

    assert below == TraceContext(traceparent=f"00-{TRACE}-00f067aa0ba902b7-01", tracestate="a=1")


def test_no_two_things_have_one_span() -> None:
    spans = [
        trace_context.execution_span("X.c1"),
        trace_context.operation_span("X", "c", 1),
        trace_context.operation_span("X", "m", 1),
        trace_context.task_span("X.t1"),
        trace_context.attempt_span("X.t1", 1),
        trace_context.attempt_span("X.t1", 2),
    ]

    assert len({*spans}) == len(spans)
    assert {len(span) for span in spans} == {16}
    assert trace_context.execution_span("X") == trace_context.execution_span("X")
    assert len(trace_context.trace_id_of("X")) == 32
