"""Stages: what a stack can be given, what it tells, and that stacks stand side by side."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest

from tests.unit.template import ROOT, resources, template

STAGES = ("default", "dev", "staging", "prod")
ENCRYPTED = {
    "AWS::DynamoDB::Table": {"SSESpecification"},
    "AWS::S3::Bucket": {"BucketEncryption"},
    "AWS::SQS::Queue": {"KmsMasterKeyId"},
    "AWS::SecretsManager::Secret": {"KmsKeyId"},
    "AWS::Logs::LogGroup": {"KmsKeyId"},
}
NAMES = re.compile(r"(Table|Queue|Bucket|Function|Role|LogGroup|Topic|Dashboard|Alarm|Layer)?Name")
LOGGED = {
    "requestId", "requestTimeEpoch", "httpMethod", "resourcePath", "path", "status", "authorizer.principalId",
    "identity.sourceIp", "responseLatency", "integration.latency", "authorizer.latency", "responseLength",
    "error.responseType",
}  # fmt: skip


def parameters() -> dict[str, Any]:
    found: dict[str, Any] = template()["Parameters"]
    return found


def config() -> dict[str, Any]:
    return tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))


def allows(parameter: dict[str, Any], value: str) -> bool:
    if "AllowedValues" in parameter:
        return value in map(str, parameter["AllowedValues"])
    if "AllowedPattern" in parameter:
        return re.fullmatch(parameter["AllowedPattern"], value) is not None
    if "MinLength" in parameter:
        return bool(len(value) >= parameter["MinLength"])
    return bool(parameter["MinValue"] <= float(value) <= parameter["MaxValue"])


# --- parameters ----------------------------------------------------------------------------------------------------------


def test_every_parameter_says_what_it_is_for_and_refuses_what_it_cannot_be() -> None:
    for name, parameter in parameters().items():
        assert parameter["Description"].endswith("."), name
        assert {"AllowedValues", "AllowedPattern", "MinLength", "MinValue"} & parameter.keys(), name
        assert allows(parameter, str(parameter["Default"])), name


def test_the_console_shows_every_parameter_in_one_group() -> None:
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(parameters())
    assert all(group["Label"]["default"] for group in groups)


@pytest.mark.parametrize(
    ("name", "value", "is_allowed"),
    [
        ("AlarmEmail", "ops@example.com", True),
        ("AlarmEmail", "ops", False),
        ("AlarmEmail", "a@b, c@d", False),
        ("App", "workflows", True),
        ("App", "orders.app:app", True),
        ("App", "", False),
        ("App", "orders/app.py", False),
        ("KmsKeyArn", "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", True),
        ("KmsKeyArn", "arn:aws:kms:eu-central-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab", True),
        ("KmsKeyArn", "alias/aws/sqs", False),
        ("Architecture", "x86_64", True),
        ("Architecture", "amd64", False),
        ("AccessLogs", "set-up-account", True),
    ],
)
def test_a_parameter_is_refused_before_it_does_harm(name: str, value: str, is_allowed: bool) -> None:
    assert allows(parameters()[name], value) is is_allowed


def test_by_default_a_stack_fits_into_a_new_account() -> None:
    """One whose limits nobody has raised, whose API Gateway has no role, and which has no key and no topic."""
    defaults = {name: str(parameter["Default"]) for name, parameter in parameters().items()}
    assert defaults["StreamConcurrency"] == "0"
    assert defaults["AccessLogs"] == "off"
    assert defaults["KmsKeyArn"] == defaults["AlarmTopicArn"] == defaults["AlarmEmail"] == ""
    assert int(defaults["HostedTasksAtOnce"]) <= 10


# --- stages side by side -------------------------------------------------------------------------------------------------


def test_nothing_has_a_name_of_its_own_so_that_stacks_stand_side_by_side() -> None:
    for name, resource in template()["Resources"].items():
        for key, value in resource.get("Properties", {}).items():
            if NAMES.fullmatch(key):  # a mapping's function is one that there is, and no name
                assert isinstance(value, dict), f"{name}: {key}"
                assert value.keys() == {"Ref"}, f"{name}: {key}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_can_be_built_and_deployed_by_its_name_alone(stage: str) -> None:
    section = config()[stage]
    assert len(section["global"]["parameters"]["stack_name"]) <= 45
    assert section["validate"]["parameters"] == {"lint": True}
    assert section["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
    assert section["deploy"]["parameters"]["resolve_s3"] is True
    # A build that does not know the Architecture puts the other one's wheels into the layer.
    assert "parameter_overrides" not in section["build"]["parameters"] | section["deploy"]["parameters"]


def test_stages_have_stacks_of_their_own_whose_task_queues_no_other_may_reach() -> None:
    names = [config()[stage]["global"]["parameters"]["stack_name"] for stage in STAGES]
    assert len(set(names)) == len(names)
    for name in names:
        assert not any(other.startswith(f"{name}-task-") for other in names)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_sets_parameters_that_there_are_to_values_that_they_take(stage: str) -> None:
    for override in config()[stage]["global"]["parameters"].get("parameter_overrides", []):
        name, _, value = override.partition("=")
        assert allows(parameters()[name], value), override


# --- what a stack tells --------------------------------------------------------------------------------------------------


def test_every_output_says_what_it_is_and_names_what_there_is() -> None:
    outputs = template()["Outputs"]
    assert {"ApiUrl", "CreateFirstKey", "DashboardUrl", "DirectoryTableName", "LogTableName"} <= outputs.keys()
    for name, output in outputs.items():
        assert output["Description"].endswith("."), name
        if "Ref" in output["Value"]:
            assert output["Value"]["Ref"] in template()["Resources"], name


def test_the_access_log_has_the_path_of_a_request_and_never_its_query_or_a_header() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    condition, setting, otherwise = api["AccessLogSetting"]["Fn::If"]
    assert (condition, otherwise) == ("LogsAccess", {"Ref": "AWS::NoValue"})
    assert setting["DestinationArn"] == {"Fn::GetAtt": "AccessLogGroup.Arn"}
    fields = json.loads(setting["Format"])
    assert "\n" not in setting["Format"]
    assert {value.removeprefix("$context.") for value in fields.values()} == LOGGED


def test_the_api_is_throttled_as_a_whole_and_logs_no_execution() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    (settings,) = api["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)


def test_the_dashboard_shows_what_there_is() -> None:
    (board,) = resources("AWS::CloudWatch::Dashboard").values()
    body = board["DashboardBody"]["Fn::Sub"]
    for name in re.findall(r"\$\{([A-Za-z:]+)", body):
        assert name.startswith("AWS::") or name in template()["Resources"], name
    widgets = json.loads(body)["widgets"]
    places = {(widget["x"], widget["y"]) for widget in widgets}
    assert len(places) == len(widgets) > 8
    for widget in widgets:
        assert widget["properties"]["title"]
        assert all(len(metric) >= 5 for metric in widget["properties"]["metrics"])


# --- what a stack keeps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("type", "properties"), ENCRYPTED.items(), ids=str)
def test_a_key_of_ones_own_encrypts_whatever_is_stored(type: str, properties: set[str]) -> None:
    for name, resource in resources(type).items():
        for key in properties:
            assert '"HasKey"' in json.dumps(resource[key]), name
            assert '{"Ref": "KmsKeyArn"}' in json.dumps(resource[key]), name


def test_tables_are_protected_as_the_stage_says() -> None:
    for name, table in resources("AWS::DynamoDB::Table").items():
        assert table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}, name


def test_whatever_calls_a_function_has_a_place_for_what_fails_again_and_again() -> None:
    queues = resources("AWS::SQS::Queue")
    for name, mapping in resources("AWS::Lambda::EventSourceMapping").items():
        source = mapping["EventSourceArn"]["Fn::GetAtt"].partition(".")[0]
        if source in queues:
            target = queues[source]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"].removesuffix(".Arn")
            assert queues[target]["MessageRetentionPeriod"] > queues[source]["MessageRetentionPeriod"], name
        else:
            assert mapping["DestinationConfig"]["OnFailure"]["Destination"], name
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["FLOWSTRAND_SCHEDULE_DEAD_LETTERS_ARN"] == {"Fn::GetAtt": "ControlDeadLetters.Arn"}


def test_nothing_is_set_aside_for_streams_unless_somebody_says_how_much() -> None:
    stream = resources("AWS::Serverless::Function")["StreamFunction"]
    limit = {"Fn::If": ["LimitsStreams", {"Ref": "StreamConcurrency"}, {"Ref": "AWS::NoValue"}]}
    assert stream["ReservedConcurrentExecutions"] == limit


# --- what is deployed ----------------------------------------------------------------------------------------------------


def test_what_is_left_out_of_the_engines_layer_is_what_nothing_in_it_may_import() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (contract,) = [each for each in project["importlinter"]["contracts"] if each["id"] == "deployed"]
    left_out = project["flowstrand"]["not-deployed"]
    assert contract["forbidden_modules"] == left_out
    engine = ROOT / "layers" / "engine"
    assert all((engine / name.replace(".", "/") / "__init__.py").is_file() for name in left_out)


def test_every_package_of_the_engine_is_deployed_or_left_out_on_purpose() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (contract,) = [each for each in project["importlinter"]["contracts"] if each["id"] == "deployed"]
    named = {
        name.split(".")[1] for name in (*contract["source_modules"], *contract["forbidden_modules"]) if "." in name
    }
    engine = ROOT / "layers" / "engine" / "flowstrand"
    assert {path.name for path in engine.iterdir() if (path / "__init__.py").is_file()} <= named


def test_every_parameter_and_output_has_its_place_on_the_page_about_deploying() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    for name in (*parameters(), *template()["Outputs"]):
        assert f"`{name}`" in page, name
