"""`Functions`: the handlers that deploy to AWS, loaded under the names they have there."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from flowstrand.errors import ConfigurationError
from flowstrand.local.lambda_context import LocalContext

Handler: TypeAlias = Callable[[Any, Any], Any]

NAMES = ("authorizer", "executions", "tasks", "events", "stream", "channels", "resumer", "projector", "janitor")


class Functions:
    """Handlers by the name of their folder in `functions/`."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = dict(handlers)

    @classmethod
    def load(cls) -> Functions:
        """All of them, imported.

        Raises:
            ConfigurationError: one is not installed.
        """
        return cls({name: _handler(name) for name in NAMES})

    def invoke(self, name: str, event: Any) -> Any:
        """Call one as Lambda would; whatever it raises is raised."""
        return self._handlers[name](event, LocalContext(function_name=name))


def _handler(name: str) -> Handler:
    module = f"functions.{name}.app"
    try:
        handler: Handler = importlib.import_module(module).lambda_handler
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise ConfigurationError(f"the handler {module} is not installed") from error
    return handler
