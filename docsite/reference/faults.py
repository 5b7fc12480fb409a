"""Every error: the codes that requests are refused with, and the tree of exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from docsite.page import Page
from docsite.reference.docstrings import of_class
from docsite.reference.table import code
from flowstrand import errors
from flowstrand.http.openapi.refusals import every_refusal

_INTRODUCTION = """# Errors

`code` is stable: programs may branch on it, messages are for people. What is refused has changed nothing, and what comes with 429 or 503
may be repeated after `Retry-After` seconds ([what all routes share](../http-api.md#errors)).

"""


def fault_pages() -> Iterator[Page]:
    yield Page(place=PurePosixPath("reference/errors.md"), text=_INTRODUCTION + _codes() + _exceptions())


def _codes() -> str:
    text = "## Codes of the HTTP API\n\n"
    told = set()
    for refusal in every_refusal():
        anchor = "" if refusal.code in told else f" {{#{refusal.code}}}"
        told.add(refusal.code)
        by_gateway = " API Gateway may give it, too." if refusal.by_gateway else ""
        text += f"### {code(refusal.code)}{anchor}\n\n{refusal.status}. {refusal.meaning}{by_gateway}\n\n"
    return text


def _exceptions() -> str:
    """The tree as errors.py draws it, and what each class says of itself."""
    drawing = (errors.__doc__ or "").partition("\n\n")[2]
    tree = "\n".join(line.removeprefix("    ") for line in drawing.splitlines() if line.startswith("    "))
    text = f"## Exceptions\n\nGrouped by who must act.\n\n```text\n{tree}\n```\n\n"
    for cls in _classes(errors.FlowstrandError):
        told = of_class(cls) if cls.__dict__.get("__doc__") else None
        if told and told.text:
            text += f"### {cls.__name__}\n\n{code(cls.code)}. {told.text}\n\n"
    return text


def _classes(root: type[errors.FlowstrandError]) -> Iterator[type[errors.FlowstrandError]]:
    for each in root.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from _classes(each)
