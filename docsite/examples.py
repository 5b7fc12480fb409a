"""The small applications of examples/, each on a page: what it is about, its code, and its tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from docsite.page import Page


def example_pages(root: Path) -> Iterator[Page]:
    readme = PurePosixPath("examples/README.md")
    yield Page(
        place=PurePosixPath("examples/index.md"), text=(root / readme).read_text(encoding="utf-8"), source=readme
    )
    for name in names(root):
        yield Page(place=place_of(name), text=_page(root / "examples" / name))


def names(root: Path) -> list[str]:
    return sorted(app.parent.name for app in (root / "examples").glob("*/app.py"))


def place_of(name: str) -> PurePosixPath:
    return PurePosixPath("examples", f"{name.replace('_', '-')}.md")


def _page(folder: Path) -> str:
    app, test = folder / "app.py", folder / f"test_{folder.name}.py"
    code = app.read_text(encoding="utf-8")
    about = ast.get_docstring(ast.parse(code)) or ""
    title = folder.name.replace("_", " ").capitalize()
    return f"# {title}\n\n{about}\n\n{_listing(app)}\n## Its tests\n\n{_listing(test)}"


def _listing(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    return f"`examples/{file.parent.name}/{file.name}`\n\n```python\n{text}```\n"
