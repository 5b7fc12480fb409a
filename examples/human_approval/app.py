"""An expense that somebody must approve: a promise that a person keeps, and a timer that asks their manager."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel

from flowstrand import App, PromiseTimeout, TaskContext, WorkflowContext, task, workflow

ESCALATE_AFTER = timedelta(days=2)
GIVE_UP_AFTER = timedelta(days=7)


class Expense(BaseModel):
    """Money that somebody has spent for the company."""

    id: str
    amount_cents: int
    approver: str
    manager: str


class Question(BaseModel):
    """What a person is asked, and the promise that their answer resolves."""

    to: str
    about: Expense
    promise_id: str


class Answer(BaseModel):
    """What a person says."""

    by: str
    approved: bool


class Outcome(BaseModel):
    """What became of an expense."""

    approved: bool
    decided_by: str | None = None
    escalated: bool


@task(name="ask")
async def ask(ctx: TaskContext, question: Question) -> None:
    """Send a message with two buttons; each resolves the promise."""


@workflow(name="expense-approval")
async def approve(ctx: WorkflowContext, expense: Expense) -> Outcome:
    """Ask the approver; after two days their manager, too; after a week, the answer is no."""
    answer = ctx.promise("answer", Answer, key=f"expense-{expense.id}", timeout=GIVE_UP_AFTER)
    escalation = ctx.sleep(ESCALATE_AFTER)
    await ctx.schedule(ask, Question(to=expense.approver, about=expense, promise_id=answer.id))

    escalated = await ctx.select(answer, escalation) is escalation
    if escalated:
        await ctx.schedule(ask, Question(to=expense.manager, about=expense, promise_id=answer.id))
    try:
        given = await answer
    except PromiseTimeout:
        return Outcome(approved=False, escalated=escalated)
    return Outcome(approved=given.approved, decided_by=given.by, escalated=escalated)


app = App(workflows=[approve], tasks=[ask])
