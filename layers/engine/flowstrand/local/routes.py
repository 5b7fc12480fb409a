"""The route table: which function serves which resource, as the API in the stack's template has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from urllib.parse import unquote

from flowstrand.dataclass import dataclass


class Manner(Enum):
    """How a route is served."""

    QUICK = "quick"
    """Answers at once."""
    WAITING = "waiting"
    """May hold its thread for the length of a long-poll."""
    STREAMING = "streaming"
    """Answers over time."""
    REFUSING = "refusing"
    """Answers at once that the method is not for this resource, which API Gateway would say is not there."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a resource (`/api/orgs/{org}/…`), and the function behind them."""

    method: str
    resource: str
    function: str
    manner: Manner = Manner.QUICK
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        expression = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.resource))
        object.__setattr__(self, "pattern", re.compile(expression + "/?"))


_ORG = "/api/orgs/{org}"
_EXECUTIONS = f"{_ORG}/workflow-executions"
_PROMISES = f"{_ORG}/promises/{{promiseId}}"
_SCHEDULES = f"{_ORG}/schedules"
_STANDALONE = f"{_ORG}/task-executions"
_TASKS = f"{_STANDALONE}/{{taskId}}"
_STREAMS = "/v1/stream/orgs/{org}"
_CHANNELS = f"{_STREAMS}/channels/{{name}}"

ROUTES = (
    Route("POST", _EXECUTIONS, "executions"),
    Route("GET", _EXECUTIONS, "executions"),
    Route("POST", f"{_EXECUTIONS}/signal-with-start", "executions"),
    Route("GET", f"{_EXECUTIONS}/{{executionId}}", "executions"),
    Route("GET", f"{_EXECUTIONS}/{{executionId}}/state", "executions"),
    Route("GET", f"{_EXECUTIONS}/{{executionId}}/tasks", "executions"),
    Route("GET", f"{_EXECUTIONS}/{{executionId}}/children", "executions"),
    Route("POST", f"{_EXECUTIONS}/{{executionId}}/signal", "executions"),
    Route("POST", f"{_EXECUTIONS}/{{executionId}}/cancel", "executions"),
    Route("POST", f"{_EXECUTIONS}/{{executionId}}/retry", "executions"),
    Route("POST", f"{_PROMISES}/resolve", "executions"),
    Route("POST", f"{_PROMISES}/reject", "executions"),
    Route("GET", f"{_EXECUTIONS}/{{executionId}}/events", "events", Manner.WAITING),
    Route("GET", f"{_EXECUTIONS}/{{executionId}}/stream", "stream", Manner.STREAMING),
    Route("GET", f"{_ORG}/events/stream", "stream", Manner.STREAMING),
    Route("POST", f"{_ORG}/stream-tickets", "executions"),
    Route("GET", f"{_EXECUTIONS}/{{executionId}}/stream/consolidated", "stream", Manner.STREAMING),
    Route("POST", _SCHEDULES, "executions"),
    Route("GET", _SCHEDULES, "executions"),
    Route("GET", f"{_SCHEDULES}/{{scheduleId}}", "executions"),
    Route("PUT", f"{_SCHEDULES}/{{scheduleId}}", "executions"),
    Route("DELETE", f"{_SCHEDULES}/{{scheduleId}}", "executions"),
    Route("POST", f"{_SCHEDULES}/{{scheduleId}}/pause", "executions"),
    Route("POST", f"{_SCHEDULES}/{{scheduleId}}/resume", "executions"),
    Route("POST", f"{_SCHEDULES}/{{scheduleId}}/trigger", "executions"),
    Route("GET", f"{_SCHEDULES}/{{scheduleId}}/runs", "executions"),
    Route("GET", f"{_ORG}/workflow-definitions", "executions"),
    Route("GET", f"{_ORG}/task-definitions", "executions"),
    Route("GET", f"{_ORG}/workers", "executions"),
    Route("GET", f"{_ORG}/queues", "executions"),
    Route("GET", f"{_ORG}/queues/{{queue}}", "executions"),
    Route("PUT", f"{_ORG}/queues/{{queue}}", "executions"),
    Route("POST", f"{_ORG}/workers", "tasks"),
    Route("POST", f"{_ORG}/workers/{{workerId}}/heartbeat", "tasks"),
    Route("POST", f"{_ORG}/queues/{{queue}}/poll", "tasks", Manner.WAITING),
    Route("POST", _STANDALONE, "executions"),
    Route("GET", _TASKS, "executions"),
    Route("DELETE", _TASKS, "executions"),
    Route("GET", f"{_TASKS}/attempts", "executions"),
    Route("GET", f"{_TASKS}/logs", "executions"),
    Route("GET", f"{_TASKS}/events", "events", Manner.WAITING),
    Route("GET", f"{_TASKS}/stream", "stream", Manner.STREAMING),
    Route("POST", f"{_ORG}/payloads", "executions"),
    Route("GET", f"{_ORG}/payloads/{{payloadId}}", "executions"),
    Route("POST", f"{_TASKS}/payloads", "tasks"),
    Route("POST", f"{_TASKS}/complete", "tasks"),
    Route("POST", f"{_TASKS}/fail", "tasks"),
    Route("POST", f"{_TASKS}/heartbeat", "tasks"),
    Route("POST", f"{_TASKS}/stream", "tasks"),
    *(
        Route(method, resource, function, manner)
        for resource in (f"{_STREAMS}/executions/{{executionId}}", f"{_STREAMS}/events")
        for method, function, manner in (
            ("GET", "stream", Manner.STREAMING),
            ("HEAD", "stream", Manner.STREAMING),
            ("PUT", "channels", Manner.REFUSING),
            ("POST", "channels", Manner.REFUSING),
            ("DELETE", "channels", Manner.REFUSING),
        )
    ),
    Route("GET", _CHANNELS, "stream", Manner.STREAMING),
    Route("HEAD", _CHANNELS, "stream", Manner.STREAMING),
    Route("PUT", _CHANNELS, "channels"),
    Route("POST", _CHANNELS, "channels"),
    Route("DELETE", _CHANNELS, "channels"),
    Route("POST", f"{_TASKS}/logs", "tasks"),
)


def match(method: str, raw_path: str) -> tuple[Route, Mapping[str, str]] | None:
    """The route of a request and its path parameters, decoded; `raw_path` is still percent-encoded.

    The path is split before it is decoded, as API Gateway does, so that an encoded slash stays inside its parameter.
    """
    for route in _at(raw_path):
        found = route.pattern.fullmatch(raw_path) if route.method == method else None
        if found:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def methods_at(raw_path: str) -> frozenset[str]:
    """The methods that some route has for this path, and serves."""
    return frozenset(route.method for route in _at(raw_path) if route.manner is not Manner.REFUSING)


def _at(raw_path: str) -> list[Route]:
    """The routes of the one resource that a path means: where a name stands in the path, not the id that it could be."""
    found = [route for route in ROUTES if route.pattern.fullmatch(raw_path)]
    fewest = min((route.pattern.groups for route in found), default=0)
    return [route for route in found if route.pattern.groups == fewest]
