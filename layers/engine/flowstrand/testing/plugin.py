"""The pytest plugin: `flowstrand_environment`, `replay_history`, and the option that says how every test replays.

pytest loads it wherever Flowstrand is installed, so it imports nothing before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flowstrand.testing.environment import Environment
    from flowstrand.testing.replay import Replayed

OPTION = "flowstrand_replay"
_MODES = ("cold", "warm", "both")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--flowstrand-replay` and the setting `flowstrand_replay`."""
    text = "how workflows replay in `flowstrand_environment`: cold (the default), warm, or both"
    parser.getgroup("flowstrand").addoption("--flowstrand-replay", choices=_MODES, default=None, help=text)
    parser.addini(OPTION, text, default="cold")


@pytest.fixture
def flowstrand_environment(pytestconfig: pytest.Config) -> Callable[..., Environment]:
    """`Environment`, whose `replay` is what the option or the setting says, unless given.

    async with flowstrand_environment(workflows=[order], tasks=[charge_card]) as env: …
    """
    from flowstrand.testing.environment import Environment

    mode = pytestconfig.getoption(OPTION) or pytestconfig.getini(OPTION)
    if mode not in _MODES:
        raise pytest.UsageError(f"{OPTION} must be one of {', '.join(_MODES)}, not {mode!r}")
    return partial(Environment, replay=mode)


@pytest.fixture
def replay_history(request: pytest.FixtureRequest) -> Callable[[Any, Any], Replayed]:
    """`flowstrand.testing.replay_history`, where a history may also be a file's name, relative to the test's own file."""
    from flowstrand.testing.replay import replay_history as replay

    def replay_here(history: Any, app_or_workflows: Any) -> Replayed:
        if isinstance(history, str | Path):
            history = request.path.parent / history
        elif not isinstance(history, Mapping):
            history = list(history)
        return replay(history, app_or_workflows)

    return replay_here
