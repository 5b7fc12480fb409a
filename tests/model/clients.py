"""Clients, as the world has them: they cancel executions that they have not started, settle promises too often, and never give up."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from flowstrand.engine.events import ErrorInfo
from flowstrand.errors import Conflict, NotFound
from flowstrand.service import promises, retrying
from flowstrand.service.cancel import cancel
from flowstrand.service.container import Services
from flowstrand.service.promises import Settled
from flowstrand.service.signals import signal
from tests.model.violation import Violation
from tests.model.workforce import ORG

if TYPE_CHECKING:
    from tests.model.world import World


class Clients:
    """Every client of a world.

    Attributes:
        cancels, settles, words: how often they will still ask for a cancellation, settle a promise, and send a signal.
        retries: how often they will still retry an execution that has failed.
        promises: ids of promises that they know of.
        cancelled: the sequence that each request of an execution got: a repetition must get the same.
        heard: the sequence that each signal got.
        settled: the sequence that settled each promise, as they were told.
        retried: the execution that each request for a retry has begun.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self.cancels = world.random.choice((0, 0, 0, 1, 3))
        self.settles = world.random.choice((0, 2, 8))
        self.words = world.random.choice((0, 3, 12))
        self.promises: list[str] = []
        self.cancelled: dict[tuple[str, str], int] = {}
        self.settled: dict[str, int] = {}
        self.heard: dict[int, int] = {}
        self.retried: dict[str, str] = {}
        self._whim = Random(
            f"retries {seed}"
        )  # its own, so that the other worlds are what they were before there were retries
        self.retries = self._whim.choice((0, 0, 1, 2))
        self._said = 0

    def cancel(self) -> None:
        """Ask for some execution to end, and sometimes ask again."""
        self.cancels -= 1
        random = self._world.random
        execution = random.choice(self._world.executions())
        force, cascade = random.random() < 0.4, random.random() < 0.8
        self._ask(execution, f"r{self.cancels}", force=force, cascade=cascade)

    def _ask(self, execution: str, request_id: str, *, force: bool, cascade: bool) -> None:
        def ask(services: Services) -> int | None:
            try:
                return cancel(services, ORG, execution, force=force, cascade=cascade, request_id=request_id)
            except Conflict:
                return None

        def again() -> None:
            self._ask(execution, request_id, force=force, cascade=cascade)

        def note(sequence: int | None) -> None:
            if sequence is None:
                return
            known = self.cancelled.setdefault((execution, request_id), sequence)
            if known != sequence:
                raise Violation(f"a repeated cancel of {execution} got {sequence} after {known}")
            if self._world.random.random() < self._world.climate.repeat:
                again()

        self._world.spawn(f"cancel {execution} {request_id}", ask, note, again)

    def wants_to_retry(self) -> bool:
        """Whether somebody would retry an execution now."""
        return self.retries > 0 and self._whim.random() < 0.05

    def retry(self) -> bool:
        """Retry some execution that has failed; says whether there was one."""
        failed = self._world.failed()
        if not failed or not self.retries:
            return False
        self.retries -= 1
        self._retry(self._whim.choice(failed), f"again{self.retries}")
        return True

    def _retry(self, execution: str, request_id: str) -> None:
        def ask(services: Services) -> str:
            retried = retrying.retry(services, ORG, execution, request_id=request_id)
            return retried.snapshot.workflow_execution_id

        def again() -> None:
            self._retry(execution, request_id)

        def note(begun: str) -> None:
            known = self.retried.setdefault(request_id, begun)
            if known != begun:
                raise Violation(f"a repeated retry of {execution} began {begun} after {known}")
            if self._whim.random() < self._world.climate.repeat:
                again()

        self._world.spawn(f"retry {execution} {request_id}", ask, note, again)

    def say(self) -> None:
        """Send a signal to some execution, whether it waits for one or not."""
        self.words -= 1
        self.say_to(self._world.random.choice(self._world.executions()))

    def say_to(self, execution: str) -> None:
        """Send a signal, until there is an answer."""
        self._said += 1
        word = self._said

        def send() -> None:
            self._world.spawn(f"say {word} to {execution}", give, note, send)

        def give(services: Services) -> int | None:
            try:
                return signal(services, ORG, execution, "word", word, request_id=f"w{word}")
            except Conflict:
                return None

        def note(sequence: int | None) -> None:
            if sequence is None:
                return
            known = self.heard.setdefault(word, sequence)
            if known != sequence:
                raise Violation(f"a repeated signal got {sequence} after {known}")
            if self._world.random.random() < self._world.climate.repeat:
                send()

        send()

    def settle(self) -> None:
        """Settle a promise that may have been settled, has timed out or has lost its execution."""
        self.settles -= 1
        random = self._world.random
        promise = random.choice(self.promises)
        address = random.choice((promise, promise, "key:k", "key:l"))
        resolves = random.random() < 0.7

        def give(services: Services) -> Settled | None:
            try:
                if resolves:
                    return promises.resolve(services, ORG, address, "given")
                return promises.reject(services, ORG, address, ErrorInfo(type="Denied", message=""))
            except (Conflict, NotFound) as refused:
                if isinstance(refused, NotFound) and address == promise:
                    raise
                return None

        def again() -> None:
            self.settles += 1

        def note(answer: Settled | None) -> None:
            if answer is None or address != promise:
                return
            known = self.settled.setdefault(promise, answer.sequence)
            if known != answer.sequence:
                raise Violation(f"{promise} was settled by {answer.sequence} and by {known}")

        self._world.spawn(f"settle {address}", give, note, again)
