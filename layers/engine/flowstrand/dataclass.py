"""`dataclass`: the standard library's, of which a frozen class with slots is declared in a fifth of the time.

    from flowstrand.dataclass import dataclass

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Lease:
        ...

The standard library compiles six methods for such a class, which takes up to a millisecond. A function declares some 250 of them at
each cold start, and then makes instances of a few dozen. So here five of the methods are shared by all classes, and `__init__` is
compiled when its class makes its first instance. The rest is the standard library's own work: `fields`, `replace`, `asdict`,
`match` and inheritance are as ever, and to a type checker the two are one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

ClassT = TypeVar("ClassT", bound=type[Any])


def _dataclass(
    *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
) -> Callable[[ClassT], ClassT]:
    """See `dataclasses.dataclass`; these are the options of it that are used here."""
    if not (frozen and slots):
        return cast(
            "Callable[[ClassT], ClassT]", dataclasses.dataclass(frozen=frozen, slots=slots, kw_only=kw_only, eq=eq)
        )

    def declare(cls: ClassT) -> ClassT:
        own = {name for name, value in vars(cls).items() if (name, value) != ("__hash__", None)}
        made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls)
        methods = {"__init__": _first_init(made), **_METHODS, **(_COMPARING if eq else {})}
        for name in methods.keys() - own:
            setattr(made, name, methods[name])
        made.__dataclass_values__ = _values_of([each.name for each in fields(made) if each.compare])
        return cast("ClassT", made)

    return declare


def _values_of(names: list[str]) -> Any:
    """What reads from an instance all that it is compared by: the values of these fields; without any, all are equal."""
    return attrgetter(*names or ["__class__"])


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    values = self.__dataclass_values__
    return values(self) == values(other)


def _hash(self: Any) -> int:
    return hash(self.__dataclass_values__(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{type(self).__qualname__}({shown})"


def _setattr(_: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(_: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[object]:
    return [getattr(self, each.name) for each in fields(self)]


def _setstate(self: Any, state: list[object]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


_METHODS = {
    "__repr__": _repr,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
_COMPARING = {"__eq__": _eq, "__hash__": _hash}


def _first_init(cls: type[Any]) -> Any:
    """An `__init__` that puts the compiled one into its own place, and calls it."""

    def init(self: object, *arguments: object, **named: object) -> None:
        cls.__init__ = _compiled_init(cls)
        cls.__init__(self, *arguments, **named)

    return init


def _compiled_init(cls: type[Any]) -> Any:
    names: dict[str, object] = {"_missing": MISSING}
    parameters = ", ".join(["self", *_parameters(fields(cls), names)])
    body = "\n ".join(
        [*_assignments(cls, names), "self.__post_init__()" if hasattr(cls, "__post_init__") else "pass"]
    )
    exec(f"def __init__({parameters}):\n {body}", names)  # noqa: S102  # as the standard library does, of the names of fields
    init: Any = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    return init


def _parameters(members: tuple[Field[Any], ...], names: dict[str, object]) -> Iterator[str]:
    taken = [each for each in members if each.init]
    yield from (_parameter(each, names) for each in taken if not each.kw_only)
    named = [_parameter(each, names) for each in taken if each.kw_only]
    if named:
        yield "*"
        yield from named


def _parameter(member: Field[Any], names: dict[str, object]) -> str:
    if member.default is not MISSING:
        names[f"_default_{member.name}"] = member.default
        return f"{member.name}=_default_{member.name}"
    return member.name if member.default_factory is MISSING else f"{member.name}=_missing"


def _assignments(cls: type[Any], names: dict[str, object]) -> Iterator[str]:
    for member in fields(cls):
        name = member.name
        value = name
        if member.default_factory is not MISSING:
            names[f"_make_{name}"] = member.default_factory
            value = f"_make_{name}() if {name} is _missing else {name}" if member.init else f"_make_{name}()"
        elif not member.init:
            if member.default is MISSING:
                continue
            value = f"_default_{name}"
            names[value] = member.default
        # Past `__setattr__`, which refuses.
        names[f"_set_{name}"] = getattr(cls, name).__set__
        yield f"_set_{name}(self, {value})"


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _dataclass

__all__ = ["dataclass"]
