"""What the world outside does to an execution: signals it, settles its promises, cancels it. One place knows the use cases."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from flowstrand.engine.events import ErrorInfo
from flowstrand.engine.ids import ExecutionId
from flowstrand.jsonvalue import JsonValue
from flowstrand.testing.world import ORG, World


def signal(world: World, execution: ExecutionId, name: str, value: JsonValue) -> None:
    """Send a signal."""
    _use_case("signals").signal(world.services, ORG, execution, name, value)


def resolve_promise(world: World, promise: str, value: JsonValue) -> bool:
    """Resolve a promise, named by its id or `key:<key>`; returns whether that settled it."""
    settled = _use_case("promises").resolve(world.services, ORG, promise, value)
    return not settled.already_settled


def reject_promise(world: World, promise: str, error: ErrorInfo) -> bool:
    """Reject a promise, named by its id or `key:<key>`; returns whether that settled it."""
    settled = _use_case("promises").reject(world.services, ORG, promise, error)
    return not settled.already_settled


def cancel(world: World, execution: ExecutionId, *, reason: str | None, cascade: bool, force: bool) -> None:
    """Ask an execution to end, or, with `force`, end it."""
    _use_case("cancel").cancel(world.services, ORG, execution, reason=reason, cascade=cascade, force=force)


def _use_case(name: str) -> Any:
    """A module of `flowstrand.service`, imported when a test first needs it."""
    return import_module(f"flowstrand.service.{name}")
