"""The rules, in the order of their ids."""

from __future__ import annotations

from collections.abc import Mapping

from flowstrand.lint.rules.chance import Chance
from flowstrand.lint.rules.clock import Clock
from flowstrand.lint.rules.direct_call import DirectCall
from flowstrand.lint.rules.entropy import Entropy
from flowstrand.lint.rules.environment import Environment
from flowstrand.lint.rules.files import Files
from flowstrand.lint.rules.network import ForeignAwait, Network
from flowstrand.lint.rules.output import Output
from flowstrand.lint.rules.rule import Rule
from flowstrand.lint.rules.set_order import SetOrder
from flowstrand.lint.rules.shared_state import SharedState
from flowstrand.lint.rules.subprocesses import Subprocesses
from flowstrand.lint.rules.threads import Threads
from flowstrand.lint.rules.unique_ids import UniqueIds
from flowstrand.lint.rules.waiting import BlockingSleep, EventLoop

RULES: tuple[Rule, ...] = (
    Clock(),
    Chance(),
    UniqueIds(),
    Entropy(),
    Environment(),
    SetOrder(),
    SharedState(),
    BlockingSleep(),
    EventLoop(),
    ForeignAwait(),
    Threads(),
    DirectCall(),
    Files(),
    Network(),
    Subprocesses(),
    Output(),
)

SYNTAX_ERROR = "FS001"
BAD_SUPPRESSION = "FS002"
ALWAYS: Mapping[str, str] = {
    SYNTAX_ERROR: "The file cannot be read as Python, so nothing in it was checked.",
    BAD_SUPPRESSION: "A `# flowstrand: allow[…]` that gives no reason, or names no rule.",
}
"""What is told of files rather than of workflow code; neither ignored nor suppressed."""
