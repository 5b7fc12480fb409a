"""`Programs` of a deployed function: the app named by `FLOWSTRAND_APP`, loaded when a workflow is first asked for."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowstrand.engine.replay.program import Program
    from flowstrand.sdk.app import App, Task
    from flowstrand.sdk.payload_codecs import PayloadCodecs


class HostedPrograms:
    """The workflows and tasks of one app. Author code costs cold-start time, so requests that need none do not import it."""

    def __init__(self, app: str) -> None:
        """`app` is what `App.load` takes: a file or dotted module, and perhaps an attribute."""
        self._spec = app

    def program(self, kind: str) -> Program | None:
        """The workflow of this kind, or None."""
        return self._app.program(kind)

    def kinds(self) -> Collection[str]:
        """Every kind of the app."""
        return self._app.kinds()

    def task(self, kind: str) -> Task | None:
        """The task of this kind, or None."""
        return self._app.task(kind)

    def task_kinds(self) -> Collection[str]:
        """Every kind of task of the app."""
        return self._app.task_kinds()

    @property
    def payloads(self) -> PayloadCodecs:
        """How the app's values are encoded."""
        return self._app.payloads

    @cached_property
    def _app(self) -> App:
        from flowstrand.sdk.app import App

        return App.load(self._spec)


class NoPrograms:
    """What a function hosts that has no app."""

    def program(self, kind: str) -> Program | None:  # noqa: ARG002 - the port's
        """None: there is no code here."""
        return None

    def kinds(self) -> Collection[str]:
        """None at all."""
        return ()

    def task_kinds(self) -> Collection[str]:
        """None either."""
        return ()
