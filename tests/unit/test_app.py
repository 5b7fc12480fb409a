"""`App`: by kind, checked at start-up, and found by `--app`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from flowstrand import App, InvalidDefinition, TaskContext, WorkflowContext, task, workflow
from flowstrand.errors import ConfigurationError

SOURCE = dedent(
    """
    from __future__ import annotations
    from dataclasses import dataclass
    from flowstrand import App, TaskContext, WorkflowContext, task, workflow

    @dataclass
    class Order:
        amount: int

    @task
    async def charge(ctx: TaskContext, order: Order) -> int:
        return order.amount

    @workflow(name="shop/order")
    async def place(ctx: WorkflowContext, order: Order) -> int:
        return await ctx.schedule(charge, order)

    only_tasks = App(tasks=[charge])
    number = 7
    """
)


@pytest.fixture(autouse=True)
def imports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Undo what loading does to the interpreter."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    yield
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@task
async def a_task(_ctx: TaskContext) -> None: ...


@workflow
async def a_workflow(_ctx: WorkflowContext) -> None: ...


def test_an_app_gives_its_definitions_by_kind_and_none_for_others() -> None:
    app = App(workflows=[a_workflow], tasks=[a_task])
    assert app.workflow("a_workflow") is app.program("a_workflow") is a_workflow
    assert app.task("a_task") is a_task
    assert (app.kinds(), app.task_kinds()) == (["a_workflow"], ["a_task"])
    assert app.program("a_task") is None
    assert app.task("a_workflow") is None


def test_the_same_definition_twice_is_one_and_two_of_one_kind_are_refused() -> None:
    assert App(tasks=[a_task, a_task]).task_kinds() == ["a_task"]

    @task(name="a_task")
    async def another(_ctx: TaskContext) -> None: ...

    with pytest.raises(InvalidDefinition, match="two definitions are called task 'a_task'"):
        App(tasks=[a_task, another])


def test_a_definition_in_the_wrong_list_or_undecorated_is_refused() -> None:
    async def plain(_ctx: TaskContext) -> None: ...

    for wrong in (a_workflow, plain):
        unchecked: Any = wrong
        with pytest.raises(InvalidDefinition, match="is not a task"):
            App(tasks=[unchecked])


def test_an_app_checks_the_types_of_its_definitions() -> None:
    class Opaque:
        pass

    async def takes_opaque(_ctx: TaskContext, value: Any) -> None: ...

    takes_opaque.__annotations__["value"] = Opaque
    with pytest.raises(InvalidDefinition, match="Opaque"):
        App(tasks=[task(takes_opaque)])


def test_a_file_gives_every_definition_in_it(tmp_path: Path) -> None:
    (tmp_path / "shop_one.py").write_text(SOURCE)
    app = App.load("shop_one.py")
    assert (app.kinds(), app.task_kinds()) == (["shop/order"], ["charge"])


def test_an_attribute_may_be_an_app_or_one_definition(tmp_path: Path) -> None:
    (tmp_path / "shop_two.py").write_text(SOURCE)
    assert App.load(f"{tmp_path}/shop_two.py:only_tasks").kinds() == []
    assert App.load("shop_two:place").kinds() == ["shop/order"]


def test_what_an_app_encodes_with_comes_along_with_its_definitions(tmp_path: Path) -> None:
    with_codec = SOURCE + dedent(
        """
        from flowstrand import Compression
        app = App(workflows=[place], codec=Compression())
        """
    )
    (tmp_path / "shop_codec.py").write_text(with_codec)
    assert App.load(f"{tmp_path}/shop_codec.py").payloads.names == ("zlib",)
    assert App.load(f"{tmp_path}/shop_codec.py:app").payloads.names == ("zlib",)
    assert App.load(f"{tmp_path}/shop_codec.py:only_tasks").payloads.names == ()


def test_two_apps_that_encode_differently_are_not_thrown_together(tmp_path: Path) -> None:
    two = SOURCE + dedent(
        """
        from flowstrand import Compression
        one, other = App(workflows=[place], codec=Compression()), App(codec=Compression())
        """
    )
    (tmp_path / "shop_two_codecs.py").write_text(two)
    with pytest.raises(ConfigurationError, match="different payload codecs"):
        App.load(f"{tmp_path}/shop_two_codecs.py")


def test_a_module_is_found_in_the_current_directory(tmp_path: Path) -> None:
    (tmp_path / "shop_pkg").mkdir()
    (tmp_path / "shop_pkg" / "__init__.py").write_text("")
    (tmp_path / "shop_pkg" / "flows.py").write_text(SOURCE)
    assert App.load("shop_pkg.flows").kinds() == ["shop/order"]


def test_a_file_may_import_its_neighbours(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "shop_neighbour.py").write_text(SOURCE)
    (folder / "shop_main.py").write_text("from shop_neighbour import place\n")
    assert App.load(str(folder / "shop_main.py")).kinds() == ["shop/order"]


def test_a_file_named_like_a_library_does_not_shadow_it(tmp_path: Path) -> None:
    import json

    (tmp_path / "json.py").write_text(SOURCE)
    (tmp_path / "my-shop.py").write_text(SOURCE)
    assert App.load("json.py").kinds() == App.load("my-shop.py").kinds() == ["shop/order"]
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    "spec",
    [
        "missing.py",
        "missing_module",
        "missing.module",
        "shop_bad.py:nothing",
        "shop_bad.py:number",
        "empty_file.py",
        "..",
        "",
    ],
)
def test_a_spec_that_leads_nowhere_says_so(tmp_path: Path, spec: str) -> None:
    (tmp_path / "shop_bad.py").write_text(SOURCE)
    (tmp_path / "empty_file.py").write_text("")
    with pytest.raises(ConfigurationError):
        App.load(spec)


def test_an_error_inside_the_module_is_not_disguised(tmp_path: Path) -> None:
    (tmp_path / "shop_broken.py").write_text("import a_library_that_is_not_installed\n")
    (tmp_path / "shop_raises.py").write_text("raise ValueError('mine')\n")
    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_not_installed"):
        App.load("shop_broken")
    with pytest.raises(ValueError, match="mine"):
        App.load("shop_raises.py")


def test_the_bundled_workflows_load() -> None:
    app = App.load("workflows")
    assert app.kinds() == ["failing-task", "order", "parent-child", "parent-child/child"]
