"""The documentation site is whole: every page has its place, every link leads somewhere, and the reference forgets nothing.

Building it is for ./scripts/docs. What is checked here is the Markdown that the build begins with.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath
from types import FunctionType

import pytest
from griffe import Class, Docstring, DocstringSectionKind, GriffeLoader, load_extensions

import flowstrand
import flowstrand.client
import flowstrand.testing
import flowstrand.worker
from docsite import navigation
from docsite.assembly import ROOT, assembled
from docsite.built import check
from docsite.links import Links
from docsite.page import Page, SiteError
from docsite.reference.commands import commands
from flowstrand.engine.events import EventType
from flowstrand.http.openapi.refusals import every_refusal
from flowstrand.service.settings import Settings


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The whole site: assembling it fails where a page has no place, or a link leads nowhere."""
    return {str(page.place): page.text for page in assembled(ROOT)}


def test_every_page_is_in_the_table_of_contents_and_every_link_leads_somewhere(pages: dict[str, str]) -> None:
    assert {
        "index.md",
        "concepts.md",
        "adr/index.md",
        "examples/order-saga.md",
        "project/changelog.md",
    } <= pages.keys()


def test_no_link_leaves_the_site_for_the_repository(pages: dict[str, str]) -> None:
    assert [place for place, text in pages.items() if "](../" in text and place.count("/") == 0] == []


def test_the_reference_has_every_operation_with_a_sample_where_there_is_one(pages: dict[str, str]) -> None:
    executions = pages["reference/http/executions.md"]
    assert "## Start an execution {#startExecution}" in executions
    assert 'curl -X POST "$FLOWSTRAND_URL/api/orgs/acme/workflow-executions"' in executions
    assert "[`IDEMPOTENCY_KEY_REUSED`](../errors.md#IDEMPOTENCY_KEY_REUSED)" in executions
    assert "| `kind` | string | matches" in executions


def test_the_reference_has_what_each_operation_answers(pages: dict[str, str]) -> None:
    started = pages["reference/http/executions.md"].partition("{#startExecution}")[2].partition("\n## ")[0]
    body = "`application/json`: [ExecutionStarted](schemas.md#ExecutionStarted)"
    assert f"| 201 | An execution began. | {body} | `Location` |" in started
    assert "| `idempotencyKeyNew` | boolean |" in started
    error = "`application/json`: [Error](schemas.md#Error)"
    assert f"| 401 | [`UNAUTHENTICATED`](../errors.md#UNAUTHENTICATED) | {error} | `WWW-Authenticate` |" in started
    assert "| 429 | [`QUOTA_EXCEEDED`](../errors.md#QUOTA_EXCEEDED) |" in started


def test_the_reference_has_every_status_and_code_of_every_operation(pages: dict[str, str]) -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    text = "\n".join(pages.values())
    missing = []
    for operation in (each for methods in document["paths"].values() for each in methods.values()):
        _, _, told = text.partition(f"{{#{operation['operationId']}}}")
        told = told.partition("\n## ")[0]
        for status, response in operation["responses"].items():
            (row,) = [line for line in told.splitlines() if line.startswith(f"| {status} |")] or [""]
            answer = response.get("$ref", "").rpartition("/")[2]
            described = document["components"]["responses"][answer] if answer else response
            codes = re.findall(r"^`([A-Z_]+)`:", described["description"], re.MULTILINE)
            missing += [
                (operation["operationId"], status, code) for code in codes or [""] if code not in row or not row
            ]
    assert missing == []


def test_the_reference_has_every_event_with_what_is_said_of_its_fields(pages: dict[str, str]) -> None:
    text = pages["reference/events.md"]
    assert [type for type in EventType if f"{{#{type.value}}}" not in text] == []
    assert "| `leaseEndsAt` | string, date-time | when the attempt is given up unless a heartbeat" in text


def test_the_reference_has_every_code_command_and_number(pages: dict[str, str]) -> None:
    assert [each.code for each in every_refusal() if f"{{#{each.code}}}" not in pages["reference/errors.md"]] == []
    assert [name for name, _ in commands() if f"## `{name}`" not in pages["reference/commands.md"]] == []
    assert [
        name for name in Settings.__slots__ if f"`FLOWSTRAND_{name.upper()}`" not in pages["reference/settings.md"]
    ] == []


@pytest.mark.parametrize("module", ["flowstrand", "flowstrand.client", "flowstrand.testing", "flowstrand.worker"])
def test_the_reference_has_every_public_name(module: str, pages: dict[str, str]) -> None:
    names = {
        "flowstrand": flowstrand.__all__,
        "flowstrand.client": flowstrand.client.__all__,
        "flowstrand.testing": flowstrand.testing.__all__,
        "flowstrand.worker": flowstrand.worker.__all__,
    }[module]
    sdk = "\n".join(text for place, text in pages.items() if place.startswith("reference/sdk/"))
    assert [name for name in names if sdk.count(f"::: {module}.{name}\n") != 1] == []


@pytest.mark.parametrize("module", ["flowstrand", "flowstrand.client", "flowstrand.testing", "flowstrand.worker"])
def test_docstrings_of_the_reference_speak_of_parameters_that_there_are(module: str) -> None:
    unknown = [
        f"{function.__qualname__}: {name}"
        for function in public_functions(module)
        for section in Docstring(inspect.cleandoc(function.__doc__ or "")).parse("google", warnings=False)
        if section.kind is DocstringSectionKind.parameters
        for name in (parameter.name for parameter in section.value)
        if name.lstrip("*") not in inspect.signature(function).parameters
    ]
    assert unknown == []


def public_functions(module: str) -> Iterator[FunctionType]:
    """What readers may call: functions, and the methods of classes, wherever these are from."""
    for name in import_module(module).__all__:
        thing = getattr(import_module(module), name)
        if inspect.isfunction(thing):
            yield thing
        elif inspect.isclass(thing):
            for _, method in inspect.getmembers(thing, inspect.isfunction):
                if method.__module__.startswith("flowstrand."):
                    yield method


def test_the_reference_shows_parameters_of_what_the_engine_declares_as_a_dataclass(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "__init__.py").write_text(
        "from flowstrand.dataclass import dataclass\n\n\n"
        "@dataclass(frozen=True, slots=True, kw_only=True)\nclass Book:\n    pages: int\n",
        encoding="utf-8",
    )
    extensions = load_extensions(str(ROOT / "docsite" / "declared.py"))
    book = GriffeLoader(search_paths=[tmp_path], extensions=extensions).load("shelf")["Book"]
    assert isinstance(book, Class)
    assert [parameter.name for parameter in book.parameters] == ["self", "pages"]


def test_the_reference_has_every_parameter_and_output_of_the_stack(pages: dict[str, str]) -> None:
    assert "| `LogRetentionDays` | `30` |" in pages["reference/stack.md"]
    assert "| `ApiUrl` |" in pages["reference/stack.md"]


# --- what is refused ------------------------------------------------------------------------------------------------


def test_pages_that_are_not_listed_listed_twice_or_not_there_are_told() -> None:
    a, b, c = PurePosixPath("a.md"), PurePosixPath("b.md"), PurePosixPath("c.md")
    with pytest.raises(SiteError) as faults:
        navigation.check([a, a, b], [a, c])
    assert str(faults.value).splitlines() == [
        "nav: b.md is listed, and is no page",
        "nav: c.md is a page, and is not listed",
        "nav: a.md is listed twice",
    ]


@pytest.fixture
def relinked(tmp_path: Path) -> Callable[[str], str]:
    (tmp_path / "docs").mkdir()
    for name in ("docs/one.md", "docs/two.md", "LICENSE"):
        (tmp_path / name).touch()
    places = {PurePosixPath("docs/two.md"): PurePosixPath("guides/two.md")}
    links = Links(root=tmp_path, places=places)
    return lambda text: links.rewritten(
        Page(place=PurePosixPath("one.md"), text=text, source=PurePosixPath("docs/one.md"))
    )


def test_links_lead_to_where_the_file_is_in_the_site(relinked: Callable[[str], str]) -> None:
    assert relinked("[`two`](two.md#there), ![](two.md)") == "[`two`](guides/two.md#there), ![](guides/two.md)"
    assert relinked("[here](#below) [away](https://example.com)") == "[here](#below) [away](https://example.com)"


def test_links_to_files_that_the_site_does_not_have_keep_their_words(relinked: Callable[[str], str]) -> None:
    assert relinked("See [the licence](../LICENSE).") == "See the licence."


def test_links_in_code_are_code(relinked: Callable[[str], str]) -> None:
    assert relinked("```md\n[two](no.md)\n```\n") == "```md\n[two](no.md)\n```\n"


def test_a_link_to_no_file_is_a_fault(relinked: Callable[[str], str]) -> None:
    with pytest.raises(SiteError, match=r"docs/one.md: a link leads to three.md, which does not exist"):
        relinked("[three](three.md)")


def test_a_built_page_that_fetches_from_elsewhere_or_leads_nowhere_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<script src="https://cdn.example.com/x.js"></script><a href="other.html#there">o</a><a href="gone.html">g</a>'
        '<a href="https://example.com">fine</a>'
    )
    (tmp_path / "other.html").write_text('<h1 id="here">Here</h1>')
    with pytest.raises(SiteError) as faults:
        check(tmp_path)
    assert str(faults.value).splitlines() == [
        "index.html: fetches https://cdn.example.com/x.js",
        "index.html: leads to other.html#there, where there is no such place",
        "index.html: leads to gone.html, which does not exist",
    ]


def test_a_built_site_that_is_whole_is_counted(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<a href="other.html#here">o</a><img src="data:image/png;base64,AA==">')
    (tmp_path / "other.html").write_text('<h1 id="here">Here</h1>')
    assert check(tmp_path) == 2
