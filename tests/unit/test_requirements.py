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


OF_THE_RUNTIME = {"boto3"}


def needed(name: str, *extras: str) -> set[str]:
    """The package and all it depends on, without what the runtime has."""
    found: set[str] = set()
    waiting = [(name, extras)]
    while waiting:
        current, wanted = waiting.pop()
        if current in OF_THE_RUNTIME or (current in found and not wanted):
            continue
        found.add(current)
        optional = LOCK[current].get("optional-dependencies", {})
        dependencies = [
            *LOCK[current].get("dependencies", []),
            *(one for extra in wanted for one in optional[extra]),
        ]
        waiting += [(dependency["name"], tuple(dependency.get("extra", ()))) for dependency in dependencies]
    return found


def test_what_the_build_takes_out_is_what_only_botocore_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["flowstrand"]
    # Powertools needs jmespath, too.
    assert set(project["of-the-runtime"]) == needed("botocore") - {"jmespath"}


def pinned(layer: str) -> set[str]:
    return {name for name, _ in PINNED.findall(LAYERS[layer])}


def test_the_layer_of_every_function_holds_what_the_engine_needs_and_no_more() -> None:
    assert pinned("dependencies") == needed("flowstrand", "xray") - {"flowstrand"}


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


def test_what_layers_lack_of_their_packages_needs_the_runtime_has_and_pip_does_not_look_for() -> None:
    everything = set.union(*(pinned(layer) for layer in LAYERS))
    lacking = {
        dependency["name"]
        for name in everything
        for dependency in LOCK[name].get("dependencies", [])
        if "marker" not in dependency and dependency["name"] not in everything
    }
    assert lacking <= {"boto3", "botocore"}
    assert "export PIP_NO_DEPS=1" in (ROOT / "scripts" / "sam").read_text(encoding="utf-8")
