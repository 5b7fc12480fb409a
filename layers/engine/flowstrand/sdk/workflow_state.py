"""Workflow state: values that the code lets clients see while the execution is under way."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from flowstrand.sdk import names
from flowstrand.sdk.context_base import ContextBase
from flowstrand.sdk.serde import Serde

T = TypeVar("T")

_SCHEMALESS = Serde()


class WorkflowState(ContextBase):
    """`get`, `set`, `clear`, `clear_all` and `state_keys`. Each change is an event, in the order of the code."""

    @overload
    def get(self, key: str, type: type[T]) -> T | None: ...
    @overload
    def get(self, key: str, type: type[T], default: T) -> T: ...
    @overload
    def get(self, key: str, type: object = ..., default: object = ...) -> Any: ...
    def get(self, key: str, type: object = Any, default: object = None) -> Any:
        """The value of `key`, or `default` where it has none.

        Args:
            type: what the value is read as; plain JSON by default.

        Raises:
            NotSerializable: the value does not fit `type`.
        """
        values = self._driver.values
        return Serde(type).decode(values[key], f"the state {key!r}") if key in values else default

    def set(self, key: str, value: object) -> None:
        """Give `key` a value, which clients see as soon as it is in the log.

        Raises:
            NotSerializable: the value cannot be written.
        """
        label = names.label(key, "a value of the workflow's state")
        self._driver.set_value(label, _SCHEMALESS.encode(value, f"the state {label!r}"))

    def clear(self, key: str) -> None:
        """Take the value of `key` away, if it has one."""
        self._driver.clear_value(key)

    def clear_all(self) -> None:
        """Take every value away."""
        for key in self.state_keys():
            self.clear(key)

    def state_keys(self) -> list[str]:
        """Keys that have a value, in the order in which they were first set."""
        return list(self._driver.values)
