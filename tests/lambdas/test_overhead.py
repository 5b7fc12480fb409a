"""What the runtime client costs, said in every run. `./scripts/bench runtime` takes longer to say it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.functions.stack import sample
from tests.lambdas.conftest import OVERHEAD, NewStack
from tests.lambdas.overhead import overhead


@pytest.mark.parametrize("name", ["authorizer/user-key", "executions/get"])
def test_the_overhead_of_a_warm_handler_is_said_in_the_summary(
    sample_stack: NewStack, record_property: Callable[[str, object], None], name: str
) -> None:
    measured = overhead(sample_stack().function(name.partition("/")[0]), sample(name), name, rounds=60)
    record_property(OVERHEAD, str(measured))
    assert measured.called[0] > 0
    assert measured.round_trip[0] > 0
