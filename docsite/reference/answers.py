"""What an operation answers: each status with its headers and the shape of its body, and the codes of refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from docsite.reference.schema import Schemas
from docsite.reference.table import code, table
from flowstrand.http.openapi.refusals import every_refusal

Node: TypeAlias = dict[str, Any]
"""A part of the document, whose own validator says that it is well formed."""

_CODES = re.compile(r"`([A-Z_]+)`:")
_REFUSED = "400"
"""The first status, as text, that says that a request has changed nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Those of one operation.

    Attributes:
        by_status: the responses, references among them.
        resolved: what a reference of the document stands for; what is none, itself.
    """

    by_status: dict[str, Node]
    schemas: Schemas
    resolved: Callable[[Node], Node]

    def text(self) -> str:
        """Its answers in a table, the shapes of their bodies, and its refusals in a table of their own."""
        answers = table(("answer", "", "body", "headers"), self._rows(refused=False))
        refusals = table(("refusal", "code", "body", "headers"), self._rows(refused=True))
        return answers + self._shapes() + refusals

    def _rows(self, *, refused: bool) -> Iterator[tuple[str, str, str, str]]:
        for status, answer in self._of(refused=refused):
            said = _linked_codes(answer["description"]) if refused else answer["description"]
            yield status, said, self._bodies(answer), ", ".join(map(code, answer.get("headers", {})))

    def _bodies(self, answer: Node) -> str:
        """What a body is; of one that refers to a schema and says more of it, the schema."""
        return ", ".join(
            f"{code(media)}: {self.schemas.words(content['schema'])}" if content.get("schema") else code(media)
            for media, content in answer.get("content", {}).items()
        )

    def _shapes(self) -> str:
        """What is in the bodies of answers, each shape once."""
        references: dict[str, Node] = {}
        for _, answer in self._of(refused=False):
            for content in answer.get("content", {}).values():
                schema = content.get("schema", {})
                references |= {schema["$ref"]: schema} if "$ref" in schema else {}
        return "".join(self._shape(schema) for schema in references.values())

    def _shape(self, reference: Node) -> str:
        schema = self.resolved(reference)
        described = schema.get("description", "")
        text = f"**{self.schemas.words(reference)}**{': ' if described else ''}{described}\n\n"
        return text + self.schemas.properties(schema)

    def _of(self, *, refused: bool) -> Iterator[tuple[str, Node]]:
        for status, response in self.by_status.items():
            if (status >= _REFUSED) is refused:
                yield status, self.resolved(response)


def _linked_codes(description: str) -> str:
    """The codes that a refusal's description explains, each a link to where it is explained for all operations."""
    known = {refusal.code for refusal in every_refusal()}
    codes = _CODES.findall(description)
    return ", ".join(f"[`{each}`](../errors.md#{each})" if each in known else code(each) for each in codes)
