"""The test kit's servers for attempts: the use cases, carried out in every world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from flowstrand.hosting.server import InProcessServer
from flowstrand.service.container import Services
from flowstrand.testing.faults import WorkerDied
from flowstrand.testing.world import ORG, World

T = TypeVar("T")


class Actor(Protocol):
    """Whoever carries out what is asked of every world."""

    def act(self, action: Callable[[World], T]) -> T:
        """Do it, and let what follows happen."""
        ...


def server_of(actor: Actor, *, is_cut_off: bool = False) -> InProcessServer:
    """A server that lets `actor` do what attempts ask for. With `is_cut_off`, a worker dies when it has something to report."""

    async def perform(action: Callable[[Services], T]) -> T:
        return actor.act(lambda world: action(world.services))

    async def die(action: Callable[[Services], T]) -> T:  # noqa: ARG001 - in place of `perform`
        raise WorkerDied

    return InProcessServer(ORG, perform, report=die if is_cut_off else perform)
