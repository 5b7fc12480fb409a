"""Every page of docs/ is a program: it runs, passes, and prints what it says that it prints.

A page's Python blocks, one after the other, are a file that is called as the page is. A block that begins with a comment
that names a file belongs to that file instead. Files called `test_*.py` are run by pytest, all others by Python. A `text`
block after a Python block is what the file prints there; after an `sh` block, what those commands print. Nothing is added:
what a reader copies from the page is what runs here.
"""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from flowstrand.cli.program import program

pytest_plugins = ["pytester"]

DOCS = Path(__file__).resolve().parents[2] / "docs"
INDEX = DOCS / "README.md"
PAGES = sorted(
    page
    for folder in ("", "how-to", "tutorial")
    for page in (DOCS / folder).glob("*.md")
    if page.name != "README.md"
)
PROSE = {"comparison", "deploying", "into-the-cloud", "observability", "runbook", "testing-on-aws", "upgrading"}
"""What to do about a stack in AWS is no program, and neither is what others do."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# ([\w/]+\.py)\n")
TEST = re.compile(r"^(?:async )?def test_", re.MULTILINE)


@dataclass(slots=True, kw_only=True)
class Examples:
    """What a page has a reader write to files, run, and see."""

    files: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    printed: defaultdict[str, str] = field(default_factory=lambda: defaultdict(str))
    commands: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, page: Path) -> Examples:
        examples = cls()
        own = page.stem.replace("-", "_") + ".py"
        language, code, file = "", "", own
        for fence in FENCE.finditer(page.read_text(encoding="utf-8")):
            before, (language, text) = (language, code), fence.groups()
            match language, before[0]:
                case "python", _:
                    named = NAMED.match(text)
                    file = named[1] if named else own
                    examples.files[file].append(text)
                case "text", "python":
                    examples.printed[file] += text
                case "text", "sh":
                    examples.commands.append((before[1], text))
                case _:
                    pass
            code = text
        return examples

    def write(self, folder: Path) -> None:
        for name, blocks in self.files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("\n\n".join(blocks), encoding="utf-8")

    def tests(self) -> list[str]:
        return [name for name in self.files if name.startswith("test_")]


def test_the_index_has_every_page() -> None:
    listed = re.findall(r"^\| \[.*\]\(([\w-]+\.md)\) \|", INDEX.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == [page.name for page in sorted(DOCS.glob("*.md")) if page != INDEX]


def test_the_tutorial_has_every_step() -> None:
    steps = re.findall(
        r"^\d\. \[.*\]\(([\w-]+\.md)\)", (DOCS / "tutorial/README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(steps) == [page.name for page in PAGES if page.parent.name == "tutorial"]


def test_the_list_of_tasks_has_every_page_that_answers_one() -> None:
    text = (DOCS / "how-to/README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.parent.name == "how-to" and f"({page.name})" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).with_suffix("").as_posix())
def test_the_examples_of_the_page_run_and_print_what_it_says(
    page: Path, pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = Examples.of(page)
    assert bool(examples.files) != (page.stem in PROSE), "a page shows a program"
    for name in examples.files:  # another test may have imported a module that is called the same
        monkeypatch.delitem(sys.modules, Path(name).stem, raising=False)
    examples.write(pytester.path)
    pytester.syspathinsert()
    for name in examples.files:
        if name not in examples.tests():
            capsys.readouterr()
            runpy.run_path(name, run_name="__main__")
            assert capsys.readouterr().out == examples.printed[name]
    if examples.tests():
        tests = sum(len(TEST.findall(block)) for name in examples.tests() for block in examples.files[name])
        pytester.runpytest_inprocess("-p", "no:cacheprovider", *examples.tests()).assert_outcomes(passed=tests)
    for commands, output in examples.commands:
        assert as_in_a_shell(commands) == output


def test_every_command_that_a_page_shows_exists_and_takes_what_it_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLOWSTRAND_URL", "http://127.0.0.1:8080")
    wrong = [
        f"{page.relative_to(DOCS.parent)}: {line}"
        for page in [*PAGES, INDEX, DOCS.parent / "README.md"]
        for language, text in FENCE.findall(page.read_text(encoding="utf-8"))
        if language in {"sh", "console"}
        for line in re.sub(r"\\\n\s*", " ", text).splitlines()
        if (called := re.search(r"(?:^|[$(] ?|=\$\()(flowstrand [^|)]*)", line)) and not is_a_command(called[1])
    ]
    assert wrong == []


@lru_cache(maxsize=1)
def whole_program() -> Any:
    return typer.main.get_command(program)


def is_a_command(line: str) -> bool:
    _, *words = shlex.split(line.replace("…", ""), comments=True)
    command = whole_program()
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options = [word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1]
    if hasattr(command, "commands") or not known.issuperset({*options} - {"--help", "--"}):
        return False
    return "--help" in options or "--" in options or is_parsed(command, words)


def is_parsed(command: Any, words: list[str]) -> bool:
    """Whether the command would begin: what it needs is there, and each value is one that it takes."""
    try:
        command.make_context("flowstrand", words)
    except SystemExit as error:
        return error.code == 0
    except Exception as error:
        if not hasattr(error, "format_message"):  # what typer says of wrong usage has one
            raise
        return False
    return True


def as_in_a_shell(commands: str) -> str:
    """What `flowstrand …` prints, line by line, in the current directory; in this process, which has it loaded already."""
    printed = ""
    for line in commands.splitlines():
        name, *words = shlex.split(line, comments=True)
        assert name == "flowstrand", line
        files = [sorted(map(str, Path().glob(word))) if "*" in word else [word] for word in words]
        printed += CliRunner().invoke(program, [word for found in files for word in found]).output
    return printed
