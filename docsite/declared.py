"""Tells griffe, which reads the code for mkdocstrings, that `flowstrand.dataclass` declares what `dataclasses` does.

Named in `zensical.toml`. Griffe knows a dataclass by where its decorator comes from, and shows parameters of those alone.
"""

from __future__ import annotations

from typing import Any

from griffe import Alias, Extension, Module


class Declared(Extension):
    """Before griffe's own extension for dataclasses looks, which is when a package is complete."""

    def on_module_members(self, *, mod: Module, **_: Any) -> None:
        """Name the standard library's decorator where a module imports ours."""
        decorator = mod.members.get("dataclass")
        if isinstance(decorator, Alias) and decorator.target_path == "flowstrand.dataclass.dataclass":
            decorator.target_path = "dataclasses.dataclass"
