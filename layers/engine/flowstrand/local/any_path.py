"""A route that every path leads to, whatever is in it: Starlette's own convertor for paths stops at a line end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class _Anything(Convertor[str]):
    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


def any_path(endpoint: Callable[[Request], Awaitable[Response]], methods: Sequence[str]) -> Route:
    """The route to `endpoint`."""
    register_url_convertor("anything", _Anything())
    return Route("/{path:anything}", endpoint, methods=list(methods))
