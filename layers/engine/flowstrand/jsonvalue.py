"""The one alias for JSON data, used wherever a value comes from or goes to a user."""

from typing import TYPE_CHECKING, Any, TypeAlias, Union

if TYPE_CHECKING:
    JsonValue: TypeAlias = Union[  # noqa: UP007 - a recursive alias cannot be written with `|` in Python 3.11
        dict[str, "JsonValue"], list["JsonValue"], str, int, float, bool, None
    ]
else:  # annotations are read at run time by the codec, which takes JSON as it is
    JsonValue = Any

JsonObject: TypeAlias = dict[str, JsonValue]
