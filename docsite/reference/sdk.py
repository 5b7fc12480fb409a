"""The Python packages: pages of directives that mkdocstrings replaces by what the code and its docstrings say.

Each public name is on exactly one page, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import PurePosixPath
from types import MappingProxyType

import flowstrand
from docsite.page import Page, SiteError
from flowstrand.errors import FlowstrandError

FOLDER = PurePosixPath("reference/sdk")

_AUTHORS = ("workflow", "task", "App", "RetryPolicy", "Handle", "ParentClosePolicy", "MapOutcome", "MapEnd")
_DATA = ("PayloadCodec", "PayloadCodecs", "Compression", "JsonValue")
_OWN_PAGES = ("WorkflowContext", "TaskContext")
_CLIENT = ("Client", "Handle", "TaskHandle")
_SYNC = ("SyncClient", "SyncHandle", "SyncTaskHandle")

_NOT_MADE_BY_READERS = "    options:\n      merge_init_into_class: false\n"
"""Contexts are given: how they are made is nobody's business but the engine's."""

_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "authoring": "Declaring workflows and tasks",
        "workflow-context": "WorkflowContext",
        "task-context": "TaskContext",
        "data": "Data and codecs",
        "exceptions": "Exceptions",
        "client": "Client",
        "sync-client": "SyncClient",
        "client-data": "What clients return",
        "worker": "Worker",
        "testing": "Test kit",
    }
)


def sdk_pages() -> Iterator[Page]:
    """Raises SiteError where a public name is on no page."""
    client = _names("flowstrand.client")
    yield _page("authoring", "flowstrand", _AUTHORS)
    yield _page("workflow-context", "flowstrand", ["WorkflowContext"], options=_NOT_MADE_BY_READERS)
    yield _page("task-context", "flowstrand", ["TaskContext"], options=_NOT_MADE_BY_READERS)
    yield _page("data", "flowstrand", _DATA)
    yield _page("exceptions", "flowstrand", _exceptions())
    yield _page("client", "flowstrand.client", _CLIENT)
    yield _page("sync-client", "flowstrand.client", _SYNC)
    yield _page("client-data", "flowstrand.client", [name for name in client if name not in {*_CLIENT, *_SYNC}])
    yield _page("worker", "flowstrand.worker", _names("flowstrand.worker"))
    yield _page("testing", "flowstrand.testing", _names("flowstrand.testing"))
    placed = {*_AUTHORS, *_DATA, *_OWN_PAGES, *_exceptions()}
    if forgotten := sorted(set(flowstrand.__all__) - placed):
        raise SiteError(f"docsite/reference/sdk.py: no page has {', '.join(forgotten)}")


def _page(name: str, module: str, members: Iterable[str], options: str = "") -> Page:
    text = f"# {_TITLES[name]}\n\n`from {module} import …`\n\n"
    return Page(
        place=FOLDER / f"{name}.md",
        text=text + "".join(f"::: {module}.{member}\n{options}\n" for member in members),
    )


def _exceptions() -> list[str]:
    return [name for name in _names("flowstrand") if _is_exception(getattr(flowstrand, name))]


def _is_exception(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, FlowstrandError)


def _names(module: str) -> list[str]:
    names: list[str] = import_module(module).__all__
    return names
