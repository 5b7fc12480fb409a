"""All pages of the reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from docsite.page import Page
from docsite.reference.commands import command_pages
from docsite.reference.events import event_pages
from docsite.reference.faults import fault_pages
from docsite.reference.http import http_pages
from docsite.reference.sdk import sdk_pages
from docsite.reference.settings import setting_pages
from docsite.reference.stack import stack_pages


def reference_pages(root: Path) -> Iterator[Page]:
    yield from http_pages(root)
    yield from sdk_pages()
    yield from event_pages(root)
    yield from fault_pages()
    yield from command_pages()
    yield from setting_pages(root)
    yield from stack_pages(root)
