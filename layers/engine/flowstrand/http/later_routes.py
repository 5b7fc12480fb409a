"""`LaterRoutes`: routes of which nothing is imported before the first request for one.

A function that serves many resources is started for one request. What the others need would make that start longer.
"""

from __future__ import annotations

from importlib import import_module

from aws_lambda_powertools.event_handler.api_gateway import Router

from flowstrand.dataclass import dataclass

_PLACE = ["", "api", "orgs", "{org}", "{resource}"].index("{resource}")


@dataclass(frozen=True, slots=True)
class LaterRoutes:
    """A router that is there when it is needed.

    Attributes:
        module: whose `router` has all that the function serves of the resources.
        resources: what follows the org in paths, like `schedules`.
    """

    module: str
    resources: tuple[str, ...]

    def are_of(self, path: str) -> bool:
        """Whether a request for this path may be for one of them."""
        segments = path.split("/")
        return len(segments) > _PLACE and segments[_PLACE] in self.resources

    def router(self) -> Router:
        """The module's, which is imported now if it is not yet."""
        router: Router = import_module(self.module).router
        return router
