"""The HTTP API, from docs/openapi.json: a page for each group of operations, one for what goes in and out, one for refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from docsite.page import Page
from docsite.reference.answers import Answers, Node
from docsite.reference.samples import Operation, samples
from docsite.reference.schema import Schemas
from docsite.reference.table import code, table

FOLDER = PurePosixPath("reference/http")


def http_pages(root: Path) -> Iterator[Page]:
    document = json.loads((root / "docs" / "openapi.json").read_text(encoding="utf-8"))
    api = Api(document=document, samples=samples(root / "events"))
    yield Page(place=FOLDER / "index.md", text=api.overview())
    for tag in document["tags"]:
        yield Page(place=FOLDER / f"{tag['name']}.md", text=api.group(tag))
    yield Page(place=FOLDER / "schemas.md", text=api.all_schemas())


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    document: Node
    samples: dict[Operation, list[tuple[str, str]]]

    @property
    def schemas(self) -> Schemas:
        return Schemas(by_name=self.document["components"]["schemas"], page="schemas.md")

    def operations(self, tag: str) -> Iterator[tuple[str, str, Node]]:
        for path, operations in self.document["paths"].items():
            for method, operation in operations.items():
                if tag in operation["tags"]:
                    yield method, path, operation

    def overview(self) -> str:
        info = self.document["info"]
        text = f"# HTTP API\n\n{info['description']}\n\n"
        text += (
            f"Version {info['version']}, OpenAPI {self.document['openapi']}: [openapi.json](../../openapi.json). "
        )
        text += "What all routes share is on [a page of its own](../../http-api.md).\n\n"
        for tag in self.document["tags"]:
            text += f"## {tag['name'].capitalize()}\n\n{tag['description']}\n\n"
            text += table(
                ("operation", ""),
                [
                    (
                        f"[{operation['summary']}]({tag['name']}.md#{operation['operationId']})",
                        code(f"{method.upper()} {path}"),
                    )
                    for method, path, operation in self.operations(tag["name"])
                ],
            )
        return text

    def group(self, tag: Node) -> str:
        text = f"# {tag['name'].capitalize()}\n\n{tag['description']}\n\n"
        return text + "".join(self._operation(*each) for each in self.operations(tag["name"]))

    def _operation(self, method: str, path: str, operation: Node) -> str:
        text = f"## {operation['summary']} {{#{operation['operationId']}}}\n\n"
        text += f"```http\n{method.upper()} {path}\n```\n\n"
        text += f"{operation['description']}\n\n" if "description" in operation else ""
        text += f"Takes {_credentials(operation['security'])}.\n\n"
        text += self._parameters(operation)
        text += self._body(operation)
        text += self._samples(method, path)
        return text + self._answers(operation)

    def _parameters(self, operation: Node) -> str:
        rows = []
        for parameter in map(self._resolved, operation.get("parameters", [])):
            optional = "" if parameter["required"] else " (optional)"
            remarks = self.schemas.remarks(parameter["schema"] | {"description": parameter.get("description", "")})
            rows.append(
                (
                    code(parameter["name"]) + optional,
                    parameter["in"],
                    self.schemas.words(parameter["schema"]),
                    remarks,
                )
            )
        return table(("parameter", "in", "value", ""), rows)

    def _body(self, operation: Node) -> str:
        if "requestBody" not in operation:
            return ""
        text = "**Body**"
        for media, content in operation["requestBody"]["content"].items():
            schema = content.get("schema", {})
            text += f", {code(media)}: {self.schemas.words(schema) if schema else 'anything'}"
            if "$ref" in schema:
                text += ".\n\n" + self.schemas.properties(self._resolved(schema))
        return text.rstrip() + "\n\n"

    def _samples(self, method: str, path: str) -> str:
        shown = self.samples.get((method, path), [])
        return "".join(f"**Example**, {name}:\n\n```sh\n{command}\n```\n\n" for name, command in shown)

    def _answers(self, operation: Node) -> str:
        return Answers(by_status=operation["responses"], schemas=self.schemas, resolved=self._resolved).text()

    def all_schemas(self) -> str:
        text = "# What goes in and out\n\nEvery object of the API, by name.\n\n"
        for name, schema in sorted(self.schemas.by_name.items()):
            if not name.endswith("Event"):
                text += f"## {name} {{#{name}}}\n\n{schema.get('description', '')}\n\n"
                text += self.schemas.properties(schema) or f"{self.schemas.words(schema).capitalize()}.\n\n"
        events = sorted(name for name in self.schemas.by_name if name.endswith("Event"))
        text += "## Events\n\nWhat `data` holds of each type is told [among the events](../events.md).\n\n"
        return text + "".join(f'<a id="{name}"></a>' for name in events) + "\n"

    def _resolved(self, node: Node) -> Node:
        if "$ref" not in node:
            return node
        found = self.document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return found


def _credentials(security: list[Node]) -> str:
    """What a request shows: keys name the principal that they are for."""
    said = []
    for option in security:
        for scheme, principals in option.items():
            of = " or a ".join(principals)
            said.append(f"the key of a {of}" if scheme == "apiKey" and of else f"a {scheme}" if of == "" else of)
    return ", or ".join(said) if said else "no credentials"
