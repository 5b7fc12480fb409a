"""The layers' requirements.txt are what uv.lock says. scripts/check-deploy compares them byte for byte, with uv."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.unit.template import ROOT

PINNED = re.compile(r"^([a-z0-9-]+)==([^ ;]+)", re.MULTILINE)
LAYERS = {
    name: (ROOT / "layers" / name / "requirements.txt").read_text(encoding="utf-8")
    for name in ("dependencies", "jwt")
}
LOCK: dict[str, dict[str, Any]] = {
    package["name"]: package
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
}


def needed(name: str) -> set[str]:
    """The package and all it depends on, without boto3, which the runtime has."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in found and current != "boto3":
            found.add(current)
            waiting += [dependency["name"] for dependency in LOCK[current].get("dependencies", [])]
    return found


def pinned(layer: str) -> set[str]:
    return {name for name, _ in PINNED.findall(LAYERS[layer])}


def test_the_layer_of_every_function_holds_what_the_engine_needs_and_no_more() -> None:
    assert pinned("dependencies") == needed("flowstrand") - {"flowstrand"}


def test_the_authorizers_own_layer_holds_what_checks_signatures_and_nothing_that_it_has_already() -> None:
    (extra,) = LOCK["flowstrand"]["optional-dependencies"]["jwt"]
    assert pinned("jwt") == needed(extra["name"]) - pinned("dependencies")
    assert "cryptography" in pinned("jwt") - pinned("dependencies")


@pytest.mark.parametrize("layer", LAYERS)
def test_every_version_is_the_locked_one_with_its_hashes(layer: str) -> None:
    for name, version in PINNED.findall(LAYERS[layer]):
        assert version == LOCK[name]["version"], name
    hashes = set(re.findall(r"--hash=(sha256:[0-9a-f]{64})", LAYERS[layer]))
    locked = {
        artifact["hash"]
        for name in pinned(layer)
        for artifact in [LOCK[name].get("sdist", {}), *LOCK[name]["wheels"]]
        if "hash" in artifact
    }
    assert hashes == locked
