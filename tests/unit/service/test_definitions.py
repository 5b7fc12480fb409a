"""Which definitions an org has: the app's, and those that workers have registered, a page at a time."""

from __future__ import annotations

import dataclasses

import pytest

from flowstrand import App, Compression, WorkflowContext, workflow
from flowstrand.engine.ids import OrgId
from flowstrand.jsonvalue import JsonObject
from flowstrand.service import definitions, workers
from flowstrand.service.definitions import DefinitionPage, Manifest
from flowstrand.service.workers import Registration
from tests.functions.stack import NOW_MS, Stack

ACME, OTHER = OrgId("acme"), OrgId("other")
SCHEMA: JsonObject = {"type": "object"}


@workflow(name="order")
async def order(_ctx: WorkflowContext, amount: int) -> str:
    """Take an order."""
    return str(amount)


@pytest.fixture
def stack() -> Stack:
    return Stack()


def registration(
    *tasks: Manifest, workflows: tuple[Manifest, ...] = (), queue: str = "default", kinds: tuple[str, ...] = ()
) -> Registration:
    return Registration(name="w", queues=(queue,), task_kinds=kinds, tasks=tasks, workflows=workflows)


def kinds(page: DefinitionPage) -> list[str]:
    return [known.manifest.kind for known in page.definitions]


def test_a_registered_task_is_listed_with_all_that_its_worker_said(stack: Stack) -> None:
    charge = Manifest(
        kind="charge",
        content_hash="a1",
        input_schema=SCHEMA,
        output_schema={},
        queue="slow",
        description="Charge.",
    )
    workers.register(stack.services, ACME, registration(charge))

    (known,) = definitions.tasks(stack.services, ACME).definitions
    assert known.manifest == charge
    assert (known.is_deployed, known.registered_at_ms) == (False, NOW_MS)


def test_a_task_waits_on_its_own_queue_or_else_its_workers(stack: Stack) -> None:
    workers.register(
        stack.services, ACME, registration(Manifest(kind="a"), Manifest(kind="b", queue="own"), queue="mail")
    )

    assert [k.manifest.queue for k in definitions.tasks(stack.services, ACME).definitions] == ["mail", "own"]


def test_a_kind_with_a_definition_counts_as_served(stack: Stack) -> None:
    workers.register(stack.services, ACME, registration(Manifest(kind="a")))

    assert workers.served_kinds(stack.services.directory, ACME, "default") == {"a"}


def test_a_kind_alone_takes_nothing_from_what_is_known(stack: Stack) -> None:
    workers.register(stack.services, ACME, registration(Manifest(kind="a", input_schema=SCHEMA)))
    workers.register(stack.services, ACME, registration(kinds=("a", "b")))

    first, second = definitions.tasks(stack.services, ACME).definitions
    assert first.manifest.input_schema == SCHEMA
    assert second.manifest == Manifest(kind="b", queue="default")


def test_the_newest_registration_is_what_is_known(stack: Stack) -> None:
    workers.register(stack.services, ACME, registration(Manifest(kind="a", content_hash="1")))
    workers.register(stack.services, ACME, registration(Manifest(kind="a", content_hash="2")))

    assert [k.manifest.content_hash for k in definitions.tasks(stack.services, ACME).definitions] == ["2"]


@pytest.mark.parametrize("codec", [None, Compression()], ids=["plain", "encoded"])
def test_workflows_of_the_deployed_app_are_listed_beside_registered_ones(
    stack: Stack, codec: Compression | None
) -> None:
    services = dataclasses.replace(stack.services, programs=App(workflows=[order], codec=codec))
    remote = Manifest(kind="remote", output_schema=SCHEMA)
    workers.register(services, ACME, registration(workflows=(remote, Manifest(kind="order", content_hash="x"))))

    deployed, registered = definitions.workflows(services, ACME).definitions
    assert (deployed.is_deployed, registered.is_deployed) == (True, False)
    assert deployed.manifest == Manifest(
        kind="order",
        content_hash=order.content_hash,
        input_schema={"type": "integer"},
        output_schema={"type": "string"},
        description="Take an order.",
    )
    assert registered.manifest == remote


def test_a_program_that_cannot_describe_itself_is_listed_by_its_kind(stack: Stack) -> None:
    known = definitions.workflows(stack.services, ACME).definitions
    assert [one.manifest for one in known] == [Manifest(kind="approval"), Manifest(kind="order")]


def test_another_org_sees_the_deployed_app_and_nothing_else(stack: Stack) -> None:
    workers.register(stack.services, ACME, registration(Manifest(kind="a"), workflows=(Manifest(kind="remote"),)))

    assert kinds(definitions.workflows(stack.services, OTHER)) == ["approval", "order"]
    assert kinds(definitions.tasks(stack.services, OTHER)) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 50])
def test_pages_together_hold_everything_once_and_in_order(stack: Stack, limit: int) -> None:
    names = ["a", "approval", "b", "order", "p", "q", "r/s", "z"]
    remote = tuple(Manifest(kind=name) for name in names if name not in stack.services.programs.kinds())
    workers.register(stack.services, ACME, registration(workflows=remote))

    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = definitions.workflows(stack.services, ACME, after=after, limit=limit)
        assert 0 < len(page.definitions) <= limit
        found += kinds(page)
        after = page.next_after
    assert found == names
