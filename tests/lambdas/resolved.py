"""`Resolved`: values of `template.yaml` as CloudFormation would put them in, given parameters and what resources are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from tests.unit.template import template

_REMOVED = object()
"""What `AWS::NoValue` stands for."""
_REFERENCE = re.compile(r"\$\{([^!}][^}]*)\}")


class Resolved:
    """Intrinsic functions, done.

    Raises `LookupError` for what has no value, and `NotImplementedError` for an intrinsic function that the template has not used so far.
    """

    def __init__(
        self, pseudo: Mapping[str, str], parameters: Mapping[str, str], attribute: Callable[[str, str | None], str]
    ) -> None:
        """Prepare to resolve.

        Args:
            pseudo: `AWS::Region` and the like.
            parameters: those that do not have their default.
            attribute: what `Ref` (None) and `GetAtt` give for a resource.
        """
        declared = template()["Parameters"]
        unknown = parameters.keys() - declared.keys()
        if unknown:
            raise LookupError(f"the template has no parameters {sorted(unknown)}")
        self._values = {
            **pseudo,
            **{name: str(parameters.get(name, one.get("Default", ""))) for name, one in declared.items()},
        }
        self._attribute = attribute

    def with_attributes(self, attribute: Callable[[str, str | None], str]) -> Resolved:
        """The same stack, with something else for what resources give."""
        other = copy(self)
        other._attribute = attribute
        return other

    def value(self, node: Any) -> Any:
        """A node of the template without its intrinsic functions."""
        match node:
            case {"Ref": "AWS::NoValue"}:
                return _REMOVED
            case {"Ref": str(name)}:
                return self._reference(name)
            case {"Fn::GetAtt": str(path)}:
                return self._reference(path)
            case {"Fn::GetAtt": [name, attribute]}:
                return self._reference(f"{name}.{attribute}")
            case {"Fn::Sub": str(text)}:
                return _REFERENCE.sub(lambda found: self._reference(found[1]), text)
            case {"Fn::If": [condition, then, otherwise]}:
                return self.value(then if self.holds({"Condition": condition}) else otherwise)
            case dict():
                if len(node) == 1 and str(next(iter(node))).startswith("Fn::"):
                    return self._of_parts(node)
                done = {name: self.value(one) for name, one in node.items()}
                return {name: one for name, one in done.items() if one is not _REMOVED}
            case list():
                return [one for one in map(self.value, node) if one is not _REMOVED]
            case _:
                return node

    def _of_parts(self, node: Any) -> Any:
        """A text put together, taken apart, or one part of it."""
        match node:
            case {"Fn::Join": [separator, parts]}:
                return separator.join(self.value(parts))
            case {"Fn::Split": [separator, text]}:
                return self.value(text).split(separator)
            case {"Fn::Select": [index, parts]}:
                return self.value(parts)[int(index)]
            case _:
                raise NotImplementedError(f"{node!r}")

    def holds(self, condition: Any) -> bool:
        """Whether a condition does."""
        match condition:
            case {"Condition": str(name)}:
                return self.holds(template()["Conditions"][name])
            case {"Fn::Equals": [one, other]}:
                return bool(self.value(one) == self.value(other))
            case {"Fn::Not": [one]}:
                return not self.holds(one)
            case {"Fn::And": list(every)}:
                return all(map(self.holds, every))
            case {"Fn::Or": list(every)}:
                return any(map(self.holds, every))
            case _:
                raise NotImplementedError(f"{condition!r}")

    def _reference(self, path: str) -> str:
        if path in self._values:
            return self._values[path]
        name, _, attribute = path.partition(".")
        return self._attribute(name, attribute or None)
