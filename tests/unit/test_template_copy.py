"""The copy of the template that emulators are given: nothing changes unsaid, and every change still has something to change."""

from __future__ import annotations

import json

import pytest

from tests.aws.reporter import title
from tests.aws.template_copy import APP, WORKFLOWS, TemplateCopy, statements_of
from tests.unit.template import template


def test_a_copy_for_aws_hosts_the_scenarios_and_is_the_template_otherwise() -> None:
    copy = TemplateCopy()
    copy.serve_scenarios()
    assert copy.resources["WorkflowsLayer"]["Properties"].pop("ContentUri") == WORKFLOWS
    assert copy.document["Parameters"]["App"].pop("Default") == APP
    original = json.loads(json.dumps(template()))
    del original["Resources"]["WorkflowsLayer"]["Properties"]["ContentUri"]
    del original["Parameters"]["App"]["Default"]
    assert (copy.document, len(copy.changes)) == (original, 1)


def test_a_machine_like_lambdas_changes_nothing() -> None:
    copy = TemplateCopy()
    copy.build_for(architecture="arm64", runtime="python3.13")
    assert (copy.document, copy.changes) == (template(), [])


def test_another_machine_is_named_in_every_place_that_names_one() -> None:
    copy = TemplateCopy()
    copy.build_for(architecture="x86_64", runtime="python3.11")
    assert '"python3.13"' not in json.dumps(copy.document)
    assert copy.runtime == "python3.11"
    assert copy.document["Parameters"]["Architecture"]["Default"] == "x86_64"
    assert len(copy.changes) == 2


@pytest.mark.parametrize(
    "change",
    [
        "leave_out_metric_math",
        "use_numbers",
        "buffer_responses",
        "name_batches",
        "name_secrets",
        "require_no_usage_key",
    ],
)
def test_each_workaround_finds_what_it_is_for_and_says_so(change: str) -> None:
    copy = TemplateCopy()
    getattr(copy, change)()
    assert copy.document != template()
    assert copy.changes


def test_policies_name_the_batches_of_what_they_allow_and_no_others() -> None:
    copy = TemplateCopy()
    copy.name_batches()
    named = 0
    for statement in statements_of(copy.resources):
        batches = {
            action for action in statement["Action"] if action.startswith("sqs:") and action.endswith("Batch")
        }
        assert {batch.removesuffix("Batch") for batch in batches} <= set(statement["Action"])
        named += len(batches)
    assert named


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("test_s8_a_hundred_callers", "S8   a hundred callers"),
        ("test_s1b_a_broad_except", "S1b  a broad except"),
        ("test_forty_steps", "     forty steps"),
    ],
)
def test_a_scenario_is_told_by_its_number_and_its_sentence(name: str, said: str) -> None:
    assert title(name) == said
