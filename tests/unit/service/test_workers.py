"""Registrations: what a worker serves, what its queue lacks, and which workflows that makes known."""

from __future__ import annotations

import pytest

from flowstrand.engine.ids import OrgId
from flowstrand.errors import InvalidInput
from flowstrand.service import definitions, workers
from flowstrand.service.workers import Registration
from tests.functions.stack import Stack

ACME, OTHER = OrgId("acme"), OrgId("other")


@pytest.fixture
def stack() -> Stack:
    return Stack()


def registration(*task_kinds: str, queue: str = "default", workflow_kinds: tuple[str, ...] = ()) -> Registration:
    return Registration(name="w", queues=(queue,), task_kinds=task_kinds, workflow_kinds=workflow_kinds)


def test_a_worker_that_serves_everything_misses_nothing(stack: Stack) -> None:
    workers.register(stack.services, ACME, registration("a", "b"))

    assert workers.register(stack.services, ACME, registration("b", "a")).missing_kinds == ()


def test_a_worker_hears_which_kinds_of_its_queue_it_lacks(stack: Stack) -> None:
    workers.register(stack.services, ACME, registration("c", "a"))

    assert workers.register(stack.services, ACME, registration("b")).missing_kinds == ("a", "c")


def test_kinds_of_other_queues_and_orgs_do_not_count(stack: Stack) -> None:
    workers.register(stack.services, ACME, registration("a", queue="mail"))
    workers.register(stack.services, OTHER, registration("b"))

    assert workers.register(stack.services, ACME, registration("c")).missing_kinds == ()


def test_more_kinds_than_a_page_are_all_known(stack: Stack) -> None:
    kinds = tuple(f"kind-{n:03}" for n in range(230))
    workers.register(stack.services, ACME, registration(*kinds))

    assert workers.served_kinds(stack.services.directory, ACME, "default") == frozenset(kinds)


def test_every_process_gets_an_id_of_its_own(stack: Stack) -> None:
    first = workers.register(stack.services, ACME, registration("a")).worker_id
    second = workers.register(stack.services, ACME, registration("a")).worker_id

    assert first != second
    assert first.startswith("w-")


def test_a_worker_that_registers_again_keeps_its_id(stack: Stack) -> None:
    first = workers.register(stack.services, ACME, registration("a"))
    again = Registration(name="w", queues=("default",), task_kinds=("a",), worker_id=first.worker_id)

    assert workers.register(stack.services, ACME, again).worker_id == first.worker_id


@pytest.mark.parametrize(
    "wrong",
    [
        Registration(name="a#b", queues=("default",), task_kinds=()),
        Registration(name="w", queues=("a/b",), task_kinds=()),
        Registration(name="w", queues=("default",), task_kinds=("a#b",)),
        Registration(name="w", queues=("default",), task_kinds=(), workflow_kinds=("",)),
        Registration(name="w", queues=("default",), task_kinds=(), worker_id="a b"),
    ],
)
def test_what_is_not_a_name_registers_nothing(stack: Stack, wrong: Registration) -> None:
    with pytest.raises(InvalidInput):
        workers.register(stack.services, ACME, wrong)

    assert not stack.services.directory.scan("acme#workers")


def test_a_workflow_is_known_once_deployed_or_registered(stack: Stack) -> None:
    assert definitions.find_workflow(stack.services, ACME, "order")
    assert not definitions.find_workflow(stack.services, ACME, "remote")

    workers.register(stack.services, ACME, registration("a", workflow_kinds=("remote",)))

    assert definitions.find_workflow(stack.services, ACME, "remote")
    assert not definitions.find_workflow(stack.services, OTHER, "remote")
