"""pytest finds the fixtures by itself, and the option says how they replay."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.testing.record import HISTORIES

pytest_plugins = ["pytester"]

TESTS = """
    import pytest
    from flowstrand import DeterminismViolation, WorkflowContext, workflow
    from flowstrand.testing import Environment

    runs = []

    @workflow
    async def nap(ctx: WorkflowContext) -> None:
        runs.append("run")
        await ctx.sleep(60)

    @workflow
    async def shopping(ctx: WorkflowContext, basket: list[int]) -> None:
        await ctx.sleep(60)

    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    @pytest.mark.anyio
    async def test_environment(flowstrand_environment):
        async with flowstrand_environment(workflows=[nap]) as env:
            assert isinstance(env, Environment)
            await env.start_and_wait(nap)
        assert len(runs) == EXPECTED

    @pytest.mark.anyio
    async def test_a_test_knows_better(flowstrand_environment):
        runs.clear()
        async with flowstrand_environment(workflows=[nap], replay="warm") as env:
            await env.start_and_wait(nap)
        assert len(runs) == 1

    def test_history(replay_history):
        with pytest.raises(DeterminismViolation):
            replay_history("shopping-closed.json", shopping)
"""


def written(pytester: pytest.Pytester, *, runs: int) -> None:
    shutil.copy(HISTORIES / "shopping-closed.json", pytester.path)
    pytester.makepyfile(TESTS.replace("EXPECTED", str(runs)))


@pytest.mark.parametrize(
    ("options", "runs"), [((), 2), (("--flowstrand-replay=warm",), 1), (("--flowstrand-replay=both",), 3)]
)
def test_the_fixtures_are_there_and_follow_the_option(
    pytester: pytest.Pytester, options: tuple[str, ...], runs: int
) -> None:
    written(pytester, runs=runs)
    pytester.runpytest_inprocess(*options).assert_outcomes(passed=3)


def test_the_setting_says_it_for_good_and_the_option_for_once(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nflowstrand_replay = warm")
    written(pytester, runs=1)
    pytester.runpytest_inprocess().assert_outcomes(passed=3)
    written(pytester, runs=2)
    pytester.runpytest_inprocess("--flowstrand-replay=cold").assert_outcomes(passed=3)


def test_a_mode_that_is_none_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nflowstrand_replay = lukewarm")
    written(pytester, runs=2)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["*flowstrand_replay must be one of cold, warm, both, not 'lukewarm'*"])


def test_the_test_kit_needs_no_web_server_no_aws_and_no_terminal(tmp_path: Path) -> None:
    code = (
        "import sys, flowstrand.testing\n"
        "unwanted = {'starlette', 'uvicorn', 'boto3', 'aws_lambda_powertools', 'typer', 'rich', 'pytest'}\n"
        "print(*sorted(unwanted & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")
