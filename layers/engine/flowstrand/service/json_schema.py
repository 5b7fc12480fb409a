"""What a registered JSON Schema says of a value: every fault with a pointer, in bounded time, and without the network.

Draft 2020-12, unless the schema names another with `$schema`. `format` is an annotation, as the draft has it. A `pattern` is
matched by the linear-time engine that pydantic has; one that only Python's `re` knows, by that; one that neither knows is not
checked. References are resolved within the schema and to the drafts' own meta-schemas, never fetched.

The import of `jsonschema` takes long: import this module where a value is to be checked, not before.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from functools import cache, lru_cache
from itertools import islice
from typing import Annotated, Any

from jsonschema import exceptions, validators
from jsonschema.protocols import Validator
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]  # it does not say that it has types
from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError
from referencing import Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from flowstrand.errors import InvalidInput
from flowstrand.jsonvalue import JsonObject, JsonValue

MAX_FAULTS = 32
"""How many faults of one value are told."""
MAX_DEPTH = 64
"""How deeply a schema may be nested."""

_MAX_STEPS = 500_000
"""Keywords applied to one value: a few seconds. References can make a short schema take for ever."""
_MAX_MESSAGE = 300
_DEFAULT = "https://json-schema.org/draft/2020-12/schema"
_DIALECTS: tuple[Any, ...] = (
    validators.Draft202012Validator,
    validators.Draft201909Validator,
    validators.Draft7Validator,
    validators.Draft6Validator,
    validators.Draft4Validator,
)
_KEPT = 128
"""Schemas that are kept ready to use."""


class TooMuch(Exception):
    """A value was too long a check."""


def require_usable(schema: JsonObject, pointer: str) -> None:
    """Refuse what no value can be checked against.

    Args:
        pointer: where the caller gave it.

    Raises:
        InvalidInput: `INVALID_SCHEMA`.
    """
    try:
        _compiled(json.dumps(schema))
    except _Unusable as fault:
        details: list[JsonObject] = [{"pointer": pointer + fault.pointer, "message": fault.message}]
        raise InvalidInput(
            "a definition's schema is no JSON Schema", code="INVALID_SCHEMA", details=details
        ) from None


def faults(schema: JsonObject, value: JsonValue, pointer: str) -> list[JsonObject]:
    """`{"pointer", "message"}` for each fault of `value`, at most `MAX_FAULTS`; no message repeats a value.

    A schema that `require_usable` would refuse finds no fault with anything.

    Args:
        pointer: where the caller gave the value.
    """
    try:
        validator = _compiled(json.dumps(schema))
    except _Unusable:
        return []
    steps = _steps.set([_MAX_STEPS])
    try:
        leaves = (leaf for error in validator.iter_errors(value) for leaf in _leaves(error, ()))
        found = [_told(path, error, pointer) for path, error in islice(leaves, MAX_FAULTS)]
    except (TooMuch, RecursionError):
        return [{"pointer": pointer, "message": "is too large, or nested too deeply, to be checked"}]
    finally:
        _steps.reset(steps)
    return found


class _Unusable(Exception):
    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.message = message[:_MAX_MESSAGE]
        self.pointer = pointer


_steps: ContextVar[list[int]] = ContextVar("flowstrand_schema_steps")


@lru_cache(maxsize=_KEPT)
def _compiled(text: str) -> Validator:
    """Raises `_Unusable`."""
    schema = json.loads(text)
    if _depth(schema) > MAX_DEPTH:
        raise _Unusable(f"is nested more than {MAX_DEPTH} deep")
    dialect = _dialect(schema)
    try:
        dialect.check_schema(schema, format_checker=None)
    except exceptions.SchemaError as error:
        raise _Unusable(error.message, _pointer(error.absolute_path)) from error
    # Where it is referred to, its dialect would be looked up again, and found without the bounds.
    schema.pop("$schema", None)
    _require_whole(specification_with(dialect.META_SCHEMA["$schema"]).create_resource(schema))
    return _bounded(dialect)(schema, registry=REGISTRY)


def _dialect(schema: JsonObject) -> Any:
    """The draft that the schema names."""
    named = schema.get("$schema", _DEFAULT)
    for dialect in _DIALECTS:
        if isinstance(named, str) and named.rstrip("#") == str(dialect.META_SCHEMA["$schema"]).rstrip("#"):
            return dialect
    raise _Unusable(f"names an unknown draft, {named!r}", "/$schema")


def _depth(schema: JsonValue) -> int:
    depth, level = 0, [schema]
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]
    return depth


def _require_whole(root: Resource[Any]) -> None:
    """Refuse references that lead out of the schema or to nothing, and names of properties that `re` cannot match."""
    try:
        open_ends = [(root, REGISTRY.resolver_with_root(root))]
        while open_ends:
            resource, resolver = open_ends.pop()
            _require_sound(resource.contents, resolver)
            open_ends += [(inner, resolver.in_subresource(inner)) for inner in resource.subresources()]
    except (Unresolvable, ValueError) as error:  # an `$id` may be no URI
        raise _Unusable(f"cannot be read: {error}") from error


def _require_sound(contents: Any, resolver: Any) -> None:
    if isinstance(contents, dict):
        if "$schema" in contents:
            raise _Unusable("names a draft within another")
        for keyword in ("$ref", "$dynamicRef"):
            if isinstance(reference := contents.get(keyword), str):
                _require_resolvable(resolver, reference)
        for pattern in contents.get("patternProperties", ()):
            _require_pattern(pattern)


def _require_resolvable(resolver: Any, reference: str) -> None:
    try:
        resolver.lookup(reference)
    except (Unresolvable, ValueError) as error:
        raise _Unusable(f"refers to {reference!r}, which it does not hold") from error


def _require_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise _Unusable(f"has the pattern {pattern!r}, which is none: {error}") from error


@cache
def _bounded(dialect: Any) -> Callable[..., Validator]:
    """The dialect, each of whose keywords counts as a step."""
    table = {**dialect.VALIDATORS, "pattern": _pattern, "uniqueItems": _unique_items}
    counted = {name: _counted(keyword) for name, keyword in table.items()}
    extend: Any = validators.extend  # the library leaves it untyped
    made: Callable[..., Validator] = extend(dialect, validators=counted)
    return made


def _counted(keyword: Any) -> Any:
    def apply(validator: Any, stated: Any, value: Any, schema: Any) -> Any:
        left = _steps.get()
        left[0] -= 1
        if left[0] < 0:
            raise TooMuch
        return keyword(validator, stated, value, schema)

    return apply


def _pattern(_validator: Any, stated: str, value: Any, _schema: Any) -> Iterator[exceptions.ValidationError]:
    matches = _matcher(stated)
    if isinstance(value, str) and not matches(value):
        yield exceptions.ValidationError("")


@lru_cache(maxsize=_KEPT)
def _matcher(pattern: str) -> Callable[[str], bool]:
    with suppress(SchemaError):
        adapter = TypeAdapter[str](Annotated[str, StringConstraints(pattern=pattern, strict=True)])
        return lambda text: _is_valid(adapter, text)
    try:
        compiled = re.compile(pattern)
    except re.error:
        return lambda _: True
    return lambda text: compiled.search(text) is not None


def _is_valid(adapter: TypeAdapter[str], text: str) -> bool:
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False
    return True


def _unique_items(_validator: Any, stated: bool, value: Any, _schema: Any) -> Iterator[exceptions.ValidationError]:
    """As the library's, which compares each item with each other where they cannot be sorted."""
    if stated and isinstance(value, list) and len({_canonical(item) for item in value}) < len(value):
        yield exceptions.ValidationError("")


def _canonical(value: JsonValue) -> str:
    return json.dumps(_plain_numbers(value), sort_keys=True)


def _plain_numbers(value: JsonValue) -> JsonValue:
    """1.0 is 1 to JSON Schema."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_plain_numbers(item) for item in value]
        case dict():
            return {key: _plain_numbers(item) for key, item in value.items()}
        case _:
            return value


def _leaves(
    error: exceptions.ValidationError, above: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], exceptions.ValidationError]]:
    """What is at fault in the end: of a choice that no branch of fits, all that is wrong with the nearest, if one is nearer."""
    path = (*above, *error.relative_path)
    nearest = heapq.nsmallest(2, error.context or (), key=exceptions.relevance)
    branches = {one.relative_schema_path[0] for one in nearest}
    if not nearest or (len(branches) > 1 and len({_relevance(one) for one in nearest}) == 1):
        yield path, error
        return
    branch = nearest[0].relative_schema_path[0]
    for inner in error.context or ():
        if inner.relative_schema_path[0] == branch:
            yield from _leaves(inner, path)


def _relevance(error: exceptions.ValidationError) -> str:
    return repr(exceptions.relevance(error))


def _told(path: tuple[str | int, ...], error: exceptions.ValidationError, pointer: str) -> JsonObject:
    return {"pointer": pointer + _pointer(path), "message": _message(error)[:_MAX_MESSAGE]}


def _message(error: exceptions.ValidationError) -> str:
    stated: Any = error.validator_value
    keyword: Any = error.validator  # None under `false`, whatever its type says
    match keyword:
        case "required" | "additionalProperties" | "unevaluatedProperties" | "dependentRequired":
            return error.message  # names properties, no values
        case "type":
            return f"is not of type {' or '.join(stated) if isinstance(stated, list) else stated}"
        case "enum":
            return f"is none of {json.dumps(stated)}"
        case "const":
            return f"is not {json.dumps(stated)}"
        case "anyOf":
            return "fits none of the forms that it may have"
        case "oneOf":
            return "does not fit exactly one of the forms that it may have"
        case "not":
            return "has a form that it may not have"
        case None:
            return "may not be there"
        case "propertyNames" | "contains" | "dependencies" | "unevaluatedItems" | "prefixItems" | "items":
            return f"does not satisfy {keyword}"
        case _:
            return f"does not satisfy {keyword} {json.dumps(stated)}"


def _pointer(path: Any) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
