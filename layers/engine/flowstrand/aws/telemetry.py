"""What every function tells of itself, set up once: JSON logs with ids, metrics, and traces where the stack wants them.

    @observed("resumer")
    def lambda_handler(event, context): ...

Modules log with `logging.getLogger("flowstrand.…")` and count with `flowstrand.observability.meter`; neither knows of AWS. The local
server runs the same handlers and installs an output of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, TypeAlias, TypeVar, cast

from aws_lambda_powertools import Logger

from flowstrand.aws import emf, tracing
from flowstrand.dataclass import dataclass
from flowstrand.errors import OperatorError
from flowstrand.http.request_ids import request_ids
from flowstrand.observability import correlation, faults
from flowstrand.observability.handler import ROOT, TellingHandler
from flowstrand.observability.meter import Measured, measuring
from flowstrand.observability.metrics import Metric

Report: TypeAlias = Callable[[Mapping[Metric, list[float]], correlation.Ids], None]
HandlerT = TypeVar("HandlerT", bound=Callable[[Any, Any], Any])
ContextT = TypeVar("ContextT")
ResultT = TypeVar("ResultT")

UNAUTHORIZED = "Unauthorized"
"""What the authorizer raises in order to say 401; no fault of anybody's."""

_logger = logging.getLogger("flowstrand.function")


class InvocationFailed(Exception):
    """What Lambda is told of an exception that nobody has dealt with; the log has the rest."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where logs and metrics go.

    Attributes:
        prepare: called before each invocation; makes sure of the logs.
        report: takes what was measured in one.
    """

    prepare: Callable[[], object]
    report: Report


@cache
def configure() -> Logger:
    """Have everything below `flowstrand` logged as JSON, one object a line, by Powertools; once per process."""
    return Logger(
        service=ROOT,  # also the name of the logger: what stands below it in the tree writes by its handler
        logger_handler=TellingHandler(),
        utc=True,
        use_rfc3339=True,
        serialize_stacktrace=False,
    )


_outputs: list[Output] = [Output(configure, emf.write)]


def install(output: Output) -> Callable[[], None]:
    """Have handlers of this process write to `output`; returns how to undo it."""
    _outputs.append(output)
    return lambda: _outputs.remove(output)


def observed(function: str) -> Callable[[HandlerT], HandlerT]:
    """Run a handler so that its logs, metrics and traces say whose they are.

    An exception that it lets through is logged, once, and what Lambda writes of it holds no message but ours.
    """

    def observe(handler: HandlerT) -> HandlerT:
        within = cache(lambda: tracing.traced(reporting(handler)))

        @wraps(handler)
        def run(event: Any, context: Any) -> Any:
            with invocation(function, event, context):
                return within()(event, context)

        return cast("HandlerT", run)

    return observe


@contextmanager
def invocation(function: str, event: Any, context: Any) -> Iterator[Measured]:
    """One invocation: what its logs carry, and what is measured in it, reported at its end."""
    output = _outputs[-1]
    output.prepare()
    ids = request_ids(event) if isinstance(event, Mapping) else {}
    request_id = getattr(context, "aws_request_id", None)
    about = correlation.about(afresh=True, function=function, lambdaRequestId=request_id, **ids)
    with about, measuring() as measured:
        try:
            yield measured
        finally:
            output.report(measured.taken(), correlation.current())


def report(measured: Measured, ids: correlation.Ids) -> None:
    """Report what was measured outside of an invocation: while a body was sent."""
    _outputs[-1].report(measured.taken(), ids)


def reporting(handler: Callable[[Any, ContextT], ResultT]) -> Callable[[Any, ContextT], ResultT]:
    """The handler, with whatever it lets through logged, and told to Lambda without what it may hold."""

    @wraps(handler)
    def run(event: Any, context: ContextT) -> ResultT:
        try:
            return handler(event, context)
        except Exception as error:
            if str(error) == UNAUTHORIZED:
                raise
            _logger.exception("the invocation failed")
            if isinstance(error, OperatorError):
                raise
            raise InvocationFailed(faults.name_of(error)) from None
        finally:
            tracing.annotate()

    return run
