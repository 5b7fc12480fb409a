"""Everything that authors can do, on both stores, warm and with forced cold replay: the same log in all four (law 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.outcome import Returned
from flowstrand.log.packing import unpack_events
from tests.scenarios import author
from tests.scenarios.author import AUTHOR, draws
from tests.scenarios.conftest import Everywhere
from tests.scenarios.script import Player, compact, comparable


@dataclass(frozen=True)
class Scenario:
    """`acts` and `log` as `script` reads them."""

    kind: str
    acts: str
    log: str
    output: Any = None
    input: Any = None


SCENARIOS = {
    "a sleep": Scenario(
        "sleeps", "wait 60, wait 3540", "start +timer wait =timer resume +timer wait =timer resume end", 3600.0
    ),
    "S6: a timer is cancelled": Scenario(
        "cancels-a-timer", "done a", "start +timer +a wait >a =a resume -timer wait resume end", "cancelled"
    ),
    "S6: a timer fires while it is cancelled": Scenario(
        "cancels-a-timer",
        "done a meanwhile fire 60",
        "start +timer +a wait >a =a =timer resume wait resume end",
        "fired",
    ),
    "S6: a timer is due after the end": Scenario(
        "leaves-a-timer", "done a, wait 60", "start +timer +a wait >a =a resume -timer end", "ended"
    ),
    "S7: a promise is resolved": Scenario(
        "asks-for-approval", "resolve ok=1, resolve ok=2, reject ok", "start +ok? wait =ok? resume end", "1"
    ),
    "S7: a promise is rejected": Scenario(
        "asks-for-approval", "reject ok, resolve ok=1", "start +ok? wait !ok? resume end", "rejected: Refused"
    ),
    "S7: a promise times out": Scenario(
        "asks-for-approval", "wait 3600, resolve ok=1", "start +ok? wait ~ok? resume end", "timed out"
    ),
    "a signal in time": Scenario(
        "hears-in-time", "signal go=1", "start +timer wait go. resume -timer end", "heard 1"
    ),
    "no signal in time": Scenario(
        "hears-in-time", "wait 60", "start +timer wait =timer resume end", "heard nothing"
    ),
    "signals that have come": Scenario(
        "counts-signals",
        "signal go=1, signal go=2, signal go=3, done a",
        "start +a wait go. go. go. >a =a resume end",
        [3, 1, [2, 3]],
    ),
    "S9: a conversation": Scenario(
        "converses",
        "signal prompt=1, signal steer=2, done think=3, done think=4, signal prompt=5, done think=6",
        "start wait prompt. resume +think wait steer. >think =think resume +think wait >think =think resume wait prompt. resume +think wait >think =think resume end",
        [1, 3, 2, 4, 5, 6],
    ),
    "S9: steered during the turn": Scenario(
        "converses",
        "signal prompt=1, done think=3 meanwhile signal steer=2, signal prompt=4, done think=5, done think=6",
        "start wait prompt. resume +think wait >think =think steer. resume wait prompt. resume +think wait >think =think resume +think wait >think =think resume end",
        [1, 3, 4, 5, 2, 6],
    ),
    "gather": Scenario("gathers", "done b=2, done a=1", "start +a +b wait >a >b =b =a resume end", [1, 2]),
    "gather fails fast": Scenario("gathers", "fail b", "start +a +b wait >a >b !b resume -a end", "b"),
    "gather of all that settles": Scenario(
        "gathers-settled", "fail b, done a=1", "start +a +b wait >a >b !b =a resume end", [1, "TaskFailed"]
    ),
    "gather of branches": Scenario(
        "gathers-branches",
        "done c=1, done d=2, done a=3, done b=4",
        "start +a +c wait >a >c =c resume +d wait >d =d resume wait =a resume +b wait >b =b resume end",
        [[3, 4], [1, 2]],
    ),
    "select a task": Scenario("selects", "done a", "start +a +timer wait >a =a resume -timer end", 0),
    "select a signal": Scenario("selects", "signal go", "start +a +timer wait go. resume -a -timer end", 1),
    "select a timer": Scenario("selects", "wait 60", "start +a +timer wait =timer resume -a end", 2),
    "as completed": Scenario(
        "takes-as-completed",
        "done c=1, done a=2, done b=3",
        "start +a +b +c wait >a >b >c =c resume wait =a resume wait =b resume end",
        [1, 2, 3],
    ),
    "a task in time": Scenario(
        "bounds-a-task", "done a=1", "start +a +timer wait >a =a resume -timer end", "in time: 1"
    ),
    "a task out of time": Scenario(
        "bounds-a-task", "wait 60", "start +a +timer wait =timer resume -a wait resume end", "given up"
    ),
    "a branch out of time": Scenario(
        "bounds-a-branch",
        "wait 60, done clean",
        "start +timer +a wait =timer resume +clean wait >a >clean =clean resume -a end",
        "timed out",
    ),
    "map": Scenario(
        "maps",
        "done a=1, done b=2, done c=3",
        "start +a +b wait >a >b =a resume +c wait =b resume wait >c =c resume end",
        {"values": ["1", "2", "3"], "failed": [], "skipped": []},
        {"max_concurrency": 2},
    ),
    "map until enough": Scenario(
        "maps",
        "done b=1",
        "start +a +b +c wait >a >b >c =b resume -a -c end",
        {"values": ["1"], "failed": [], "skipped": [0, 2]},
        {"min_successful": 1},
    ),
    "map until too many failed": Scenario(
        "maps",
        "fail a, fail b",
        "start +a wait >a !a resume +b wait >b !b resume end",
        {"values": [], "failed": [0, 1], "skipped": [2]},
        {"tolerated_failures": 1, "max_concurrency": 1},
    ),
    "functions": Scenario(
        "runs-functions",
        "wait 60, wait 120",
        "start !:flaky +timer wait =timer resume !:flaky +timer wait =timer resume :flaky !:broken end",
        ["known", "LookupError"],
    ),
    "state": Scenario(
        "keeps-state", "done a", "start step:= note:= +a wait >a =a resume step:= note:- end", [2, None, ["step"]]
    ),
    "a child": Scenario("asks-a-child", "done help=1", "start +helper* wait >helper* =helper* resume end", "1"),
    "a child is cancelled": Scenario(
        "cancels-a-child",
        "done a",
        "start +helper* +a wait >helper* >a =a resume -helper* wait !helper* resume end",
        "CANCELLED",
    ),
    "a saga fails": Scenario(
        "books",
        "done flight, done hotel, fail car, done cancel-hotel, done cancel-flight, done report",
        "start +flight wait >flight =flight resume +hotel wait >hotel =hotel resume +car wait >car !car resume +cancel-hotel wait >cancel-hotel =cancel-hotel resume +cancel-flight wait >cancel-flight =cancel-flight resume +report wait >report =report resume failed",
    ),
    "a saga is cancelled": Scenario(
        "books",
        "done flight, cancel, done cancel-flight",
        "start +flight wait >flight =flight resume +hotel wait cancel. resume +cancel-flight wait >hotel >cancel-flight =cancel-flight resume -hotel cancelled",
    ),
    "a saga succeeds": Scenario(
        "books",
        "done flight, done hotel, done car, done report",
        "start +flight wait >flight =flight resume +hotel wait >hotel =hotel resume +car wait >car =car resume +report wait >report =report resume end",
    ),
    "a shield": Scenario(
        "shields", "cancel, done pay", "start +pay wait cancel. >pay =pay resume +ship -ship cancelled"
    ),
    "clean-up": Scenario(
        "cleans-up",
        "cancel, done clean",
        "start +a wait cancel. resume +clean wait >a >clean =clean resume -a cancelled",
    ),
    "a look at the request": Scenario(
        "looks-up",
        "done a, cancel, done a",
        "start +a wait >a =a resume +a wait cancel. >a =a resume end",
        "stopped after 1",
        "look",
    ),
    "a check of the request": Scenario(
        "looks-up",
        "done a, cancel, done a",
        "start +a wait >a =a resume +a wait cancel. >a =a resume cancelled",
        None,
        "raise",
    ),
    "continuation": Scenario("goes-on", "done a", "start +a wait >a =a resume end", None, 1),
    "swallowed": Scenario(
        "swallows-everything", "fail a, done b", "start +a wait >a !a resume +b wait >b =b resume end", "early"
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_the_log_is_this_one_everywhere(everywhere: Everywhere, scenario: Scenario) -> None:
    logs = []
    for world in everywhere(AUTHOR):
        author.runs.clear()
        execution = world.start(scenario.kind, scenario.input)
        world.settle()
        Player(world, execution).play(scenario.acts)
        assert compact(world, execution) == scenario.log
        assert world.get(execution).get("output") == scenario.output
        logs.append(comparable(world, execution))
    assert all(log == logs[0] for log in logs)


def test_s20_chance_and_time_are_the_same_after_every_wait_and_in_every_process(everywhere: Everywhere) -> None:
    for world in everywhere(AUTHOR):
        execution = world.start("draws")
        world.settle()
        Player(world, execution).play("done a, wait 5, done a, wait 5, done a")
        drawn = world.get(execution)["output"]
        driver = Driver(draws)
        for commit in world.services.log.read(world.key(execution), after=0):
            for event in unpack_events(commit):
                driver.deliver(event, replaying=True)
        outcome = driver.outcome()
        assert isinstance(outcome, Returned)
        assert outcome.output == drawn
        assert len(set(drawn)) == 8  # the first two times are that of the start
