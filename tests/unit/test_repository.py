"""The repository keeps its promises: the layout, the two commands, and prose that is about the project alone."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT_SUFFIXES = {"", ".cfg", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}


def tracked_files() -> list[Path]:
    """Every file that git has, or would take; of an unpacked archive, everything outside of hidden folders."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        paths = [p for p in ROOT.rglob("*") if not any(part.startswith(".") for part in p.relative_to(ROOT).parts)]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize(
    "name",
    [
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "SECURITY.md",
        "docs/adr",
        "docs/concepts.md",
        "events",
        "functions",
        "layers/dependencies",
        "layers/engine/flowstrand",
        "layers/workflows",
        "pyproject.toml",
        "samconfig.toml",
        "scripts",
        "template.yaml",
        "tests",
        "uv.lock",
    ],
)
def test_the_layout_is_the_documented_one(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize(
    "name",
    [
        "bootstrap",
        "build",
        "check-artefacts",
        "check-deploy",
        "demo",
        "e2e",
        "export-requirements",
        "fuzz-api",
        "lint",
        "openapi",
        "prepare-layers",
        "sam",
        "test",
        "test-browser",
        "test-interop",
        "test-processes",
        "test-typescript",
    ],
)
def test_every_script_is_executable_and_says_what_it_runs_in(name: str) -> None:
    script = ROOT / "scripts" / name
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env ")


def test_the_two_commands_of_the_readme_exist() -> None:
    first_block = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert first_block is not None
    commands = [line.split()[0] for line in first_block[1].splitlines() if line]
    assert commands == ["./scripts/demo", "./scripts/test"]
    assert all(os.access(ROOT / command, os.X_OK) for command in commands)


def test_every_script_that_the_prose_names_exists() -> None:
    prose = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docs/concepts.md")]
    named = {
        name
        for page in prose
        for name in re.findall(r"scripts/([a-z][a-z0-9-]*)", page.read_text(encoding="utf-8"))
    }
    assert {"bootstrap", "demo", "lint", "test"} <= named
    assert [name for name in sorted(named) if not (ROOT / "scripts" / name).exists()] == []


def test_every_suite_that_the_prose_names_exists() -> None:
    named = set(re.findall(r"`(tests/[a-z]+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert {"tests/contract", "tests/scenarios", "tests/unit"} <= named
    assert [name for name in sorted(named) if not (ROOT / name).is_dir()] == []


def test_every_link_inside_the_prose_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in tracked_files()
        if page.suffix == ".md"
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_decision_records_are_numbered_without_gap_and_fit_a_page() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert re.search(r"^Status: (accepted|superseded by \d{4})$", text, re.MULTILINE), record.name
        assert len(text.splitlines()) <= 50, record.name


def test_the_changelog_has_an_entry_for_the_packaged_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_licence_is_the_unmodified_apache_licence() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="ascii")
    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text.encode()) == 11_358


def test_no_tracked_file_names_a_home_or_scratch_directory_of_some_machine() -> None:
    # Spelled in halves, so that this file does not find itself.
    personal = re.compile("|".join(["/ho" + r"me/\w", "/ro" + r"ot/\w", "/Us" + r"ers/\w", "/wo" + r"rk/\w"]))
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked_files()
        if path.suffix in TEXT_SUFFIXES
        for match in personal.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
