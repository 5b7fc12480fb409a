"""What tasks and workflows have in common: a name, author code, and the codecs of its input and output."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk import names, schemas
from flowstrand.sdk.signature import Signature, parameters_of, signature_of

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")
InputT_contra = TypeVar("InputT_contra", contravariant=True)
OutputT_co = TypeVar("OutputT_co", covariant=True)


class Definition(Generic[InputT_contra, OutputT_co]):
    """Decorated author code.

    Attributes:
        kind: the name it is asked for by.
        queue: where its work goes unless the caller says otherwise; None for the execution's own queue.
        code: the function or class that was decorated.
    """

    NOUN = "definition"

    def __init__(self, code: Callable[..., Any], *, name: str | None, queue: str | None) -> None:
        """Check what can be checked without resolving annotations, which may refer forward.

        Raises:
            InvalidDefinition: a bad name or queue, or code that cannot be called with a context and an input.
        """
        self.kind = names.kind(code.__name__ if name is None else name, f"a {self.NOUN}")
        self.queue = None if queue is None else names.queue(queue)
        self.code = code
        self.__doc__ = code.__doc__
        parameters_of(code, str(self))

    @cached_property
    def signature(self) -> Signature:
        """How the code is called. Raises `InvalidDefinition` where an annotation cannot be resolved."""
        return signature_of(self.code, str(self))

    def check(self) -> None:
        """Resolve everything that is otherwise resolved at first use.

        Raises:
            InvalidDefinition: an annotation cannot be resolved, or is no type that JSON can be read into.
        """
        self.signature.check()

    @cached_property
    def input_schema(self) -> JsonObject:
        """The JSON Schema of what it accepts; `{}` for anything, `{"type": "null"}` for nothing. Do not change it."""
        return schemas.input_schema(self.signature)

    @cached_property
    def output_schema(self) -> JsonObject:
        """The JSON Schema of what it returns; `{}` for anything. Do not change it."""
        return schemas.output_schema(self.signature)

    @cached_property
    def content_hash(self) -> str:
        """64 hexadecimal digits that change when its source, its types or its kind do."""
        facts: JsonObject = {
            "noun": self.NOUN,
            "kind": self.kind,
            "input": self.input_schema,
            "output": self.output_schema,
        }
        return schemas.content_hash(self.code, facts)

    def manifest(self) -> JsonObject:
        """What is registered of it: `{kind, contentHash, inputSchema, outputSchema, queue?, description?}`."""
        return schemas.without_nulls(
            {
                "kind": self.kind,
                "contentHash": self.content_hash,
                "inputSchema": self.input_schema,
                "outputSchema": self.output_schema,
                "queue": self.queue,
                "description": schemas.description(self.code),
            }
        )

    def bound(self) -> Callable[..., Any]:
        """The function to call with a context and the input; a class is made anew."""
        made: Any = self.code() if inspect.isclass(self.code) else None
        bound: Callable[..., Any] = made.run if made is not None else self.code
        return bound

    def __str__(self) -> str:
        return f"{self.NOUN} {self.kind!r}"

    def __repr__(self) -> str:
        return f"<{self}>"
