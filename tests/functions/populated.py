"""`Populated`: the world of the sample events, made once in a process; a test gets a copy, for a tenth of the price."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from flowstrand.local.stores import stores_in
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.queues.port import ControlQueue, TaskQueue, Timers
from tests.functions.stack import Stack

_QUEUES = ("control", "tasks", "timers")


class Populated:
    """A stack whose database is copied as it is, and whose queues are told again what the first ones were told."""

    def __init__(self) -> None:
        self._database = SqliteDatabase.in_memory()
        self._told: list[Callable[[Stack], object]] = []
        self._made = Stack(stores_in(self._database))
        control, tasks, timers = (_Recorder(self._made, name, self._told) for name in _QUEUES)
        self._made.services = replace(
            self._made.services,
            control=cast(ControlQueue, control),
            tasks=cast(TaskQueue, tasks),
            timers=cast(Timers, timers),
        )
        self._made.use(self._made.services)
        try:
            self._made.populate()
        finally:
            self._made.close()

    def copy(self) -> Stack:
        """As if it had been populated itself, in a process that has started since: no coroutine is in memory."""
        database = SqliteDatabase.in_memory()
        _connection(self._database).backup(_connection(database))
        copy = Stack(stores_in(database))
        for tell in self._told:
            tell(copy)
        copy.go_on_from(self._made)
        return copy


def _connection(database: SqliteDatabase) -> sqlite3.Connection:
    assert database._shared is not None
    return database._shared.connection


class _Recorder:
    """One of a stack's queues, and what is asked of it."""

    def __init__(self, stack: Stack, name: str, told: list[Callable[[Stack], object]]) -> None:
        self._queue = getattr(stack.services, name)
        self._name = name
        self._told = told

    def __getattr__(self, operation: str) -> Callable[..., object]:
        def ask(*arguments: Any, **options: Any) -> object:
            self._told.append(
                lambda on: getattr(getattr(on.services, self._name), operation)(*arguments, **options)
            )
            answer: object = getattr(self._queue, operation)(*arguments, **options)
            return answer

        return ask
