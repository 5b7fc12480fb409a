"""Approvals: in time, after the escalation, never."""

from __future__ import annotations

from datetime import timedelta

from examples.human_approval.app import Answer, Expense, Outcome, Question, app, approve, ask
from flowstrand.testing import Environment

EXPENSE = Expense(id="E-7", amount_cents=4_200, approver="ann", manager="bob")


async def test_an_answer_ends_the_waiting() -> None:
    async with Environment(app=app) as env:
        execution = await env.start(approve, EXPENSE)
        await env.resolve_promise(await env.promise(execution, "answer"), Answer(by="ann", approved=True))
        assert await execution.result() == Outcome(approved=True, decided_by="ann", escalated=False)


async def test_whoever_knows_the_expense_can_answer_by_its_key() -> None:
    async with Environment(app=app) as env:
        execution = await env.start(approve, EXPENSE)
        assert await env.resolve_promise("key:expense-E-7", Answer(by="ann", approved=False))
        assert await execution.result() == Outcome(approved=False, decided_by="ann", escalated=False)


async def test_after_two_days_the_manager_is_asked_too() -> None:
    asked: list[str] = []
    async with Environment(app=app) as env:
        env.fake(ask, lambda _ctx, question: asked.append(Question.model_validate(question).to))
        execution = await env.start(approve, EXPENSE)
        await env.advance(timedelta(days=2) - timedelta(seconds=1))
        assert asked == ["ann"]
        await env.advance(timedelta(seconds=1))
        assert asked == ["ann", "bob"]
        await env.resolve_promise("key:expense-E-7", Answer(by="bob", approved=True))
        assert await execution.result() == Outcome(approved=True, decided_by="bob", escalated=True)


async def test_without_an_answer_it_is_refused_after_a_week() -> None:
    async with Environment(app=app) as env:
        began = env.now
        assert await env.start_and_wait(approve, EXPENSE) == Outcome(approved=False, escalated=True)
        assert env.now - began == timedelta(days=7)
