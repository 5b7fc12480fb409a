"""layers/dependencies/requirements.txt is what uv.lock says. scripts/check-deploy compares it byte for byte, with uv."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from tests.unit.template import ROOT

PINNED = re.compile(r"^([a-z0-9-]+)==([^ ;]+)", re.MULTILINE)
REQUIREMENTS = (ROOT / "layers" / "dependencies" / "requirements.txt").read_text(encoding="utf-8")
LOCK: dict[str, dict[str, Any]] = {
    package["name"]: package
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
}


OF_THE_RUNTIME = {"boto3", "botocore"}


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


def test_the_layer_holds_what_the_engine_needs_and_no_more() -> None:
    assert {name for name, _ in PINNED.findall(REQUIREMENTS)} == needed("flowstrand", "xray") - {"flowstrand"}


def test_every_version_is_the_locked_one_with_its_hashes() -> None:
    for name, version in PINNED.findall(REQUIREMENTS):
        assert version == LOCK[name]["version"], name
    hashes = set(re.findall(r"--hash=(sha256:[0-9a-f]{64})", REQUIREMENTS))
    locked = {
        artifact["hash"]
        for name, _ in PINNED.findall(REQUIREMENTS)
        for artifact in [LOCK[name].get("sdist", {}), *LOCK[name]["wheels"]]
        if "hash" in artifact
    }
    assert hashes == locked
