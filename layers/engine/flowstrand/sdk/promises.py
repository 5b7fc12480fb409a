"""Promises: values that somebody outside will give, by the promise's id or by a key of the author's."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from flowstrand.sdk import names
from flowstrand.sdk.context_base import ContextBase
from flowstrand.sdk.duration import Duration, to_ms
from flowstrand.sdk.handles import Handle
from flowstrand.sdk.serde import Serde

T = TypeVar("T")


class Promises(ContextBase):
    """`promise`."""

    @overload
    def promise(
        self, name: str, type: type[T], *, timeout: Duration | None = None, key: str | None = None
    ) -> Handle[T]: ...
    @overload
    def promise(
        self, name: str, type: object = ..., *, timeout: Duration | None = None, key: str | None = None
    ) -> Handle[Any]: ...
    def promise(
        self, name: str, type: object = Any, *, timeout: Duration | None = None, key: str | None = None
    ) -> Handle[Any]:
        """Something that somebody outside will resolve or reject, once; awaiting the handle gives the value.

        Whoever is to settle it needs the handle's `id`, or the key.

        Args:
            name: what it is called in the log.
            type: what its value is read as; plain JSON by default.
            timeout: seconds or a timedelta from now, after which nobody can settle it any more.
            key: another name by which it can be settled, unique among the open promises of the org.

        Raises:
            PromiseRejected: on awaiting, if it was rejected.
            PromiseTimeout: on awaiting, if it was not settled in time.
            NotSerializable: on awaiting, if the value does not fit `type`.
        """
        label, serde = names.label(name, "a promise"), Serde(type)
        future = self._driver.create_promise(
            label,
            key=None if key is None else names.label(key, "a promise's key"),
            timeout_at_ms=None if timeout is None else self._driver.now_ms + to_ms(timeout, "a timeout"),
        )
        return Handle(self._driver, future, lambda data: serde.decode(data, f"the value of promise {label!r}"))
