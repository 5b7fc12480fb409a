"""`Application`: Powertools routing with our authentication and errors around every route, on any number of threads.

    router = Router()

    @router.get(f"{ORG}/workflow-executions/<execution_id>")
    def get(request: Request, org: str, execution_id: str) -> Response[str]:
        call = call_of(request)
        ...
        return json_response(200, {...})

    application = Application("executions", Principal.USER, [router], services)
    application.resolve(event, context)

A route receives `request` and its path parameters by name. By the time it runs, the caller is known, belongs to the
org of the path and holds the application's principal. Whatever it raises becomes a response by `http.errors`.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver, Response, Router
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.request import Request
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.http.authentication import authorize, authorize_reader, identity_of
from flowstrand.http.cors import cors_headers
from flowstrand.http.errors import error_response, no_route
from flowstrand.http.later_routes import LaterRoutes
from flowstrand.service.container import Services
from flowstrand.service.keys import Identity, Principal
from flowstrand.service.tickets import Scope

ORG = "/api/orgs/<org>"
"""What every route of an org begins with."""

_CALL = "flowstrand_call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An authorized request: what it may use, and for whom."""

    services: Services
    identity: Identity

    @property
    def org(self) -> OrgId:
        """The caller's org, which is the path's."""
        return self.identity.org


def call_of(request: Request) -> Call:
    """The call that a route is serving."""
    return cast("Call", request.context[_CALL])


class Application:
    """The routes of one Lambda function.

    Powertools keeps the event being served on a class, and a route's state on its resolver: right where one process
    serves one request at a time, and a leak between callers anywhere else. So each thread gets a resolver of its own.
    """

    def __init__(
        self,
        name: str,
        principal: Principal,
        routers: Sequence[Router | LaterRoutes],
        services: Callable[[], Services],
        *,
        scope_of: Callable[[Mapping[str, str]], Scope] | None = None,
    ) -> None:
        """Collect the routes; no request is needed to know them.

        Args:
            name: of the function, for logs.
            principal: what every caller of these routes must be.
            routers: its routes; those of a resource that is asked for rarely may be imported when it is.
            services: asked at each request.
            scope_of: what a route reads, by the parameters of its path, where tickets are taken; None where they are not.
        """
        self.logger = logging.getLogger(f"flowstrand.{name}")
        self._principal = principal
        self.routers = routers
        self._services = services
        self._scope_of = scope_of
        self._building = threading.Lock()
        self._local = threading.local()

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Serve one API Gateway proxy event; returns the proxy response. Never raises for what a caller can cause."""
        response = self._resolver(str(event.get("path"))).resolve(event, context)
        response["multiValueHeaders"] |= {name: [value] for name, value in cors_headers().items()}
        return response

    def routes(self) -> frozenset[tuple[str, str]]:
        """Every `(method, path)`, parameters written as `<name>`."""
        rules = self._resolver(path=None).methods.items()
        return frozenset((method, rule) for rule, methods in rules for method in methods)

    def _resolver(self, path: str | None) -> _Resolver:
        """This thread's, with the routes that a request for `path` may need; None for all."""
        resolver: _Resolver | None = getattr(self._local, "resolver", None)
        if resolver is None:
            resolver = self._local.resolver = self._build()
        if needed := [later for later in resolver.later if path is None or later.are_of(path)]:
            self._include(resolver, [later.router() for later in needed])
            resolver.later = [later for later in resolver.later if later not in needed]
        return resolver

    def _build(self) -> _Resolver:
        resolver = _Resolver(debug=False)
        self._include(resolver, [router for router in self.routers if isinstance(router, Router)])
        resolver.later = [later for later in self.routers if isinstance(later, LaterRoutes)]
        resolver.use([self._authentication()])
        resolver.exception_handler(Exception)(lambda error: error_response(error, self.logger))
        resolver.not_found(lambda _: no_route(resolver.methods_of(resolver.current_event.path)))
        return resolver

    def _include(self, resolver: _Resolver, routers: Sequence[Router]) -> None:
        with self._building:
            for router in routers:
                resolver.include_router(router)
            # A router that another thread's resolver has included brings that resolver's context with it.
            resolver.context.clear()

    def _authentication(self) -> Callable[[APIGatewayRestResolver, NextMiddleware], Response[Any]]:
        """The middleware; a function, because Powertools keeps what it learns of a middleware on it."""

        def authenticate(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
            event, parameters = app.current_event.raw_event, app.request.path_parameters
            if "org" in parameters:
                identity = self._caller(event, {name: unquote(value) for name, value in parameters.items()})
                app.context[_CALL] = Call(services=self._services(), identity=identity)
            else:
                identity_of(event)
            return next_middleware(app)

        return authenticate

    def _caller(self, event: Mapping[str, Any], parameters: Mapping[str, str]) -> Identity:
        if self._scope_of is None:
            return authorize(event, org=parameters["org"], principal=self._principal)
        return authorize_reader(event, org=parameters["org"], scope=self._scope_of(parameters))


class _Resolver(APIGatewayRestResolver):
    """A resolver that holds its own event, and remembers its routes."""

    def __init__(self, *, debug: bool) -> None:
        self.methods: dict[str, set[str]] = {}
        self.later: list[LaterRoutes] = []
        self._event: APIGatewayProxyEvent | None = None
        super().__init__(debug=debug)

    @property
    def current_event(self) -> APIGatewayProxyEvent:
        """The event that this resolver, and so this thread, is serving."""
        if self._event is None:
            raise RuntimeError("no request is being served")
        return self._event

    @current_event.setter
    def current_event(self, value: BaseProxyEvent) -> None:
        self._event = APIGatewayProxyEvent(value.raw_event)

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Serve `event`."""
        self._event = APIGatewayProxyEvent(dict(event))
        try:
            return super().resolve(event, context)
        finally:
            self._event = None

    def route(self, rule: str, method: str | list[str] | tuple[str], *args: Any, **options: Any) -> Any:
        """Register a route; see Powertools."""
        names = (method,) if isinstance(method, str) else method
        self.methods.setdefault(rule, set()).update(name.upper() for name in names)
        return super().route(rule, method, *args, **options)

    def methods_of(self, path: str) -> set[str]:
        """The methods of the routes with this path; none if there is no such route.

        A name in a path goes before the id that could stand there, as it does in API Gateway.
        """
        found = [rule for rule in self.methods if re.fullmatch(re.sub(r"<\w+>", "[^/]+", rule) + "/*", path)]
        fewest = min((rule.count("<") for rule in found), default=0)
        return {method for rule in found if rule.count("<") == fewest for method in self.methods[rule]}
