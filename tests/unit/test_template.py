"""The rules that template.yaml keeps. What SAM makes of it is checked by scripts/check-deploy."""

from __future__ import annotations

import importlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from moto import mock_aws

from flowstrand.aws import emf
from flowstrand.aws.caller_settings import iam_settings, settings_of_callers, web_token_rules
from flowstrand.aws.settings import engine_settings
from flowstrand.aws.settings import resources as resources_of
from flowstrand.directory.dynamodb import create_directory_table
from flowstrand.errors import NotFound
from flowstrand.hosting.host import Limits
from flowstrand.http import cors
from flowstrand.http.authentication import authorize
from flowstrand.http.openapi.operations import OPERATIONS
from flowstrand.log.dynamodb import create_log_table
from flowstrand.observability import metrics
from flowstrand.operations import usage, usage_plans
from flowstrand.queues.sqs import SqsTaskQueue
from flowstrand.service import task_log_rows
from flowstrand.service.callers import iam_principals, usage_keys
from flowstrand.service.keys import Principal
from flowstrand.service.settings import Settings
from functions.janitor.app import RUN_MS
from tests.unit.template import ROOT, allowed, functions, resources, role_statements, routes, statements, template

FUNCTIONS = [
    "authorizer",
    "channels",
    "events",
    "executions",
    "janitor",
    "projector",
    "resumer",
    "stream",
    "tasks",
    "worker",
]
ORG = "/api/orgs/{org}"
STREAMS = "/v1/stream/orgs/{org}"
ROUTES = {
    ("POST", f"{ORG}/workflow-executions"): "executions",
    ("GET", f"{ORG}/workflow-executions"): "executions",
    ("POST", f"{ORG}/workflow-executions/signal-with-start"): "executions",
    ("GET", f"{ORG}/workflow-executions/{{id}}"): "executions",
    ("GET", f"{ORG}/workflow-executions/{{id}}/state"): "executions",
    ("GET", f"{ORG}/workflow-executions/{{id}}/tasks"): "executions",
    ("GET", f"{ORG}/workflow-executions/{{id}}/children"): "executions",
    ("POST", f"{ORG}/workflow-executions/{{id}}/signal"): "executions",
    ("POST", f"{ORG}/workflow-executions/{{id}}/cancel"): "executions",
    ("POST", f"{ORG}/workflow-executions/{{id}}/retry"): "executions",
    ("POST", f"{ORG}/promises/{{id}}/resolve"): "executions",
    ("POST", f"{ORG}/promises/{{id}}/reject"): "executions",
    ("GET", f"{ORG}/workflow-executions/{{id}}/events"): "events",
    ("GET", f"{ORG}/workflow-executions/{{id}}/stream"): "stream",
    ("GET", f"{ORG}/events/stream"): "stream",
    ("POST", f"{ORG}/stream-tickets"): "executions",
    ("GET", f"{ORG}/workflow-executions/{{id}}/stream/consolidated"): "stream",
    ("POST", f"{ORG}/schedules"): "executions",
    ("GET", f"{ORG}/schedules"): "executions",
    ("GET", f"{ORG}/schedules/{{id}}"): "executions",
    ("PUT", f"{ORG}/schedules/{{id}}"): "executions",
    ("DELETE", f"{ORG}/schedules/{{id}}"): "executions",
    ("POST", f"{ORG}/schedules/{{id}}/pause"): "executions",
    ("POST", f"{ORG}/schedules/{{id}}/resume"): "executions",
    ("POST", f"{ORG}/schedules/{{id}}/trigger"): "executions",
    ("GET", f"{ORG}/schedules/{{id}}/runs"): "executions",
    ("GET", f"{ORG}/workflow-definitions"): "executions",
    ("GET", f"{ORG}/task-definitions"): "executions",
    ("POST", f"{ORG}/payloads"): "executions",
    ("GET", f"{ORG}/payloads/{{id}}"): "executions",
    ("POST", f"{ORG}/task-executions/{{id}}/payloads"): "tasks",
    ("POST", f"{ORG}/task-executions"): "executions",
    ("GET", f"{ORG}/task-executions/{{id}}"): "executions",
    ("DELETE", f"{ORG}/task-executions/{{id}}"): "executions",
    ("GET", f"{ORG}/task-executions/{{id}}/attempts"): "executions",
    ("GET", f"{ORG}/task-executions/{{id}}/logs"): "executions",
    ("GET", f"{ORG}/task-executions/{{id}}/events"): "events",
    ("GET", f"{ORG}/task-executions/{{id}}/stream"): "stream",
    ("GET", f"{ORG}/workers"): "executions",
    ("GET", f"{ORG}/queues"): "executions",
    ("GET", f"{ORG}/queues/{{queue}}"): "executions",
    ("PUT", f"{ORG}/queues/{{queue}}"): "executions",
    ("POST", f"{ORG}/workers"): "tasks",
    ("POST", f"{ORG}/workers/{{id}}/heartbeat"): "tasks",
    ("POST", f"{ORG}/queues/{{queue}}/poll"): "tasks",
    ("POST", f"{ORG}/task-executions/{{id}}/complete"): "tasks",
    ("POST", f"{ORG}/task-executions/{{id}}/fail"): "tasks",
    ("POST", f"{ORG}/task-executions/{{id}}/heartbeat"): "tasks",
    ("POST", f"{ORG}/task-executions/{{id}}/stream"): "tasks",
    **{
        (method, f"{STREAMS}/{path}"): "stream" if method in {"GET", "HEAD"} else "channels"
        for method in ("GET", "HEAD", "PUT", "POST", "DELETE")
        for path in ("executions/{id}", "events", "channels/{name}")
    },
    ("POST", f"{ORG}/task-executions/{{id}}/logs"): "tasks",
}
APPEND_AND_READ = {"dynamodb:PutItem", "dynamodb:Query"}
LOG_RIGHTS: Mapping[str, set[str]] = {
    "authorizer": set(),
    "channels": APPEND_AND_READ,
    "events": {"dynamodb:Query"},
    "executions": APPEND_AND_READ,
    "janitor": {"dynamodb:Query", "dynamodb:UpdateItem"},
    "projector": {"dynamodb:Query"},
    "resumer": APPEND_AND_READ,
    "stream": {"dynamodb:Query"},
    "tasks": APPEND_AND_READ,
    "worker": APPEND_AND_READ,
}
READ_AND_WRITE = {
    "dynamodb:BatchGetItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
}
DIRECTORY_RIGHTS: Mapping[str, set[str]] = {
    "authorizer": {"dynamodb:GetItem", "dynamodb:Query"},
    "channels": {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"},
    "events": set(),
    "executions": {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
    "janitor": READ_AND_WRITE | {"dynamodb:BatchWriteItem"},
    "projector": READ_AND_WRITE,
    "resumer": READ_AND_WRITE | {"dynamodb:BatchWriteItem"},
    "stream": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
    "tasks": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
    "worker": {"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"},
}
STRANGER = {"org": "other", "principals": "user", "keyId": "key_1"}
TASK_LOGS = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{task_log_rows.PREFIX}*"]}}
FEEDS = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["@feed#*", "@feed-head#*"]}}
"""The condition that leads to the rows of task logs and to no other."""
STREAM_RIGHTS = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}


# --- the API -----------------------------------------------------------------------------------------------------------


def test_every_route_is_spelled_out_with_its_method_and_leads_to_the_function_that_may_serve_it() -> None:
    assert routes() == ROUTES


def test_every_route_belongs_to_the_one_api_and_none_leaves_its_authorizer() -> None:
    for properties in functions().values():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "Api":
                assert event["Properties"]["RestApiId"] == {"Ref": "Api"}
                # What takes a ticket says so; there is no way to say that nothing is asked for.
                assert event["Properties"].get("Auth") in (None, {"Authorizer": "KeyOrTicket"})


def shape(method: str, path: str) -> tuple[str, str]:
    """A route without the names of its parameters."""
    return method, re.sub(r"\{\w+\}", "{}", path)


def test_the_api_is_a_regional_rest_api_that_denies_by_default() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    assert api["EndpointConfiguration"] == {"Type": "REGIONAL"}
    auth = api["Auth"]
    authorizer = auth["Authorizers"][auth["DefaultAuthorizer"]]
    assert authorizer["FunctionPayloadType"] == "REQUEST"
    assert authorizer["FunctionArn"] == {"Fn::GetAtt": "AuthorizerFunction.Arn"}
    assert authorizer["Identity"]["Headers"] == ["Authorization"]
    assert 0 < authorizer["Identity"]["ReauthorizeEvery"] <= 300


def test_a_ticket_will_do_on_the_routes_that_are_described_so_and_on_no_other() -> None:
    taking = {
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for properties in functions().values()
        for event in properties.get("Events", {}).values()
        if event["Type"] == "Api" and "Auth" in event["Properties"]
    }
    described = {(operation.method, operation.resource) for operation in OPERATIONS if operation.takes_ticket}
    assert {shape(*route) for route in taking} == {shape(*route) for route in described}
    assert {method for method, _ in taking} == {"GET", "HEAD"}


def test_of_who_had_a_ticket_or_a_key_beside_tickets_nothing_is_kept() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    authorizer = api["Auth"]["Authorizers"]["KeyOrTicket"]
    assert authorizer["FunctionPayloadType"] == "REQUEST"
    assert authorizer["FunctionArn"] == {"Fn::GetAtt": "AuthorizerFunction.Arn"}
    # With an identity source, a request that lacks it is refused unasked; with a cache, its key has to be all that is looked at.
    assert authorizer["Identity"] == {"ReauthorizeEvery": 0}


def test_nothing_logs_what_is_in_a_url() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    assert "querystring" not in json.dumps(api.get("AccessLogSetting", "")).lower()
    for settings in api.get("MethodSettings", ()):  # execution logs hold the query
        assert settings.get("LoggingLevel", "OFF") != "INFO"
        assert not settings.get("DataTraceEnabled")


def test_responses_are_not_compressed_so_that_nothing_holds_a_stream_back() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    assert "MinimumCompressionSize" not in api


def test_browsers_may_ask_before_they_authenticate_and_for_all_that_clients_send() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    assert api["Auth"]["AddDefaultAuthorizerToCorsPreflight"] is False
    paths = api["DefinitionBody"]["paths"]
    assert paths.keys() == {path for _, path in routes()}
    for path, methods in paths.items():
        assert methods.keys() == {"options"}, path
        integration = methods["options"]["x-amazon-apigateway-integration"]
        # Every type is binary here, and a preflight is answered by a template, which takes text.
        assert integration["contentHandling"] == "CONVERT_TO_TEXT", path
        answered = integration["responses"]["default"]["responseParameters"]
        assert {name.rpartition("-Allow-")[2]: value for name, value in answered.items()} == {
            "Origin": {"Fn::Sub": "'${AllowedOrigin}'"},
            "Headers": f"'{','.join(cors.REQUEST_HEADERS)}'",
            "Methods": "'DELETE,GET,HEAD,OPTIONS,POST,PUT'",
            "method.response.header.Access-Control-Max-Age": f"'{cors.MAX_AGE_S}'",
        }, path


def test_every_answer_names_the_one_allowed_origin_whoever_gives_it() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert variables[cors.ALLOWED_ORIGIN] == {"Ref": "AllowedOrigin"}
    (api,) = resources("AWS::Serverless::Api").values()
    for name, answer in api["GatewayResponses"].items():
        headers = answer["ResponseParameters"]["Headers"]
        assert headers["Access-Control-Allow-Origin"] == {"Fn::Sub": "'${AllowedOrigin}'"}, name


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("*", True),
        ("https://app.example.com", True),
        ("http://localhost:3000", True),
        ("https://app.example.com/", False),
        ("app.example.com", False),
        ("https://a.example, https://b.example", False),
        ("'", False),
        ("", False),
    ],
)
def test_an_allowed_origin_is_one_or_any(origin: str, is_allowed: bool) -> None:
    parameter = template()["Parameters"]["AllowedOrigin"]
    assert (re.fullmatch(parameter["AllowedPattern"], origin) is not None) is is_allowed


def test_what_a_policy_denies_is_answered_like_what_is_not_there() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    denied = api["GatewayResponses"]["ACCESS_DENIED"]
    with pytest.raises(NotFound) as refused:
        authorize({"requestContext": {"authorizer": STRANGER}}, org="acme", principal=Principal.USER)
    assert denied["StatusCode"] == str(refused.value.status)
    assert json.loads(denied["ResponseTemplates"]["application/json"]) == refused.value.body()


def test_what_the_gateway_answers_by_itself_has_the_shape_of_every_other_error() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    answers = api["GatewayResponses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED", "MISSING_AUTHENTICATION_TOKEN"} <= set(answers)
    for name, answer in answers.items():
        body = answer["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"m"')
        assert set(json.loads(body)) == {"error", "code"}, name
        if answer.get("StatusCode") in {"429", "503"}:
            assert "Retry-After" in answer["ResponseParameters"]["Headers"], name


def test_the_stream_is_not_buffered_and_outlives_the_longest_live_response() -> None:
    stream = functions()["stream"]
    for event in (event["Properties"] for event in stream["Events"].values()):
        assert event["ResponseTransferMode"] == "RESPONSE_STREAM"
        assert Settings().stream_ms < stream["Timeout"] * 1_000 <= event["TimeoutInMillis"]


def test_the_stream_starts_the_streaming_runtime_through_an_executable_of_the_engine_layer() -> None:
    variables = functions()["stream"]["Environment"]["Variables"]
    wrapper = variables["AWS_LAMBDA_EXEC_WRAPPER"]
    assert wrapper.startswith("/opt/python/flowstrand/")
    assert os.access(ROOT / "layers" / "engine" / wrapper.removeprefix("/opt/python/"), os.X_OK)


def test_functions_behind_the_api_outlive_the_longest_poll_and_not_the_gateway() -> None:
    default_s = template()["Globals"]["Function"]["Timeout"]
    assert Settings().long_poll_ms < default_s * 1_000 <= 29_000
    assert all("Timeout" not in functions()[name] for name in ("channels", "executions", "tasks", "events"))


# --- functions ---------------------------------------------------------------------------------------------------------


def test_there_is_one_function_per_handler_under_the_name_it_has_in_tests() -> None:
    assert sorted(functions()) == FUNCTIONS
    for name, properties in functions().items():
        assert properties["Handler"] == f"functions.{name}.app.lambda_handler"
        assert callable(importlib.import_module(f"functions.{name}.app").lambda_handler)
    for name, resource in template()["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            assert resource["Metadata"]["BuildProperties"] == {"ParentPackageMode": "auto"}, name


def test_functions_and_layers_are_for_the_same_python_and_architecture() -> None:
    common = template()["Globals"]["Function"]
    assert common["Runtime"] == "python3.13"
    assert not any({"Runtime", "Architectures"} & set(properties) for properties in functions().values())
    for name, resource in template()["Resources"].items():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            metadata, properties = resource["Metadata"], resource["Properties"]
            assert [metadata["BuildMethod"]] == properties["CompatibleRuntimes"] == [common["Runtime"]], name
            assert [metadata["BuildArchitecture"]] == common["Architectures"], name
            assert properties["CompatibleArchitectures"] == common["Architectures"], name
            assert (ROOT / properties["ContentUri"]).is_dir(), name


def test_only_functions_that_run_or_start_workflows_get_the_workflows() -> None:
    hosts = {
        name
        for name, properties in functions().items()
        if {"Ref": "WorkflowsLayer"} in properties.get("Layers", [])
    }
    with_app = {name for name in FUNCTIONS if "FLOWSTRAND_APP" in _own_variables(name)}
    assert hosts == with_app == {"executions", "resumer", "worker"}


def test_every_function_finds_what_composition_asks_for_in_its_environment() -> None:
    common = template()["Globals"]["Function"]["Environment"]["Variables"]
    for name in FUNCTIONS:
        environment = dict.fromkeys({**common, **_own_variables(name)}, "a" * 40)
        assert resources_of(environment).log_table == "a" * 40
        assert engine_settings(environment) == Settings()


def test_the_authorizer_takes_what_its_parameters_say_and_by_default_nothing_but_keys_and_tickets() -> None:
    parameters = template()["Parameters"]
    variables = {
        n: v for n, v in _own_variables("authorizer").items() if n.startswith(("FLOWSTRAND_JWT", "FLOWSTRAND_IAM"))
    }
    defaults = {name: str(parameters[value["Ref"]]["Default"]) for name, value in variables.items()}
    assert web_token_rules(defaults) is None
    assert iam_settings(defaults) is None
    # With the two that have no default, the others go together as they are; and every setting there is has a parameter.
    given = {"FLOWSTRAND_JWT_ISSUER": "https://login.example.com", "FLOWSTRAND_JWT_AUDIENCE": "flowstrand"}
    assert web_token_rules({**defaults, **given}) == web_token_rules(given)
    assert {name.removeprefix("FLOWSTRAND_").lower() for name in variables} == settings_of_callers()


def test_every_route_is_counted_with_a_usage_key_that_the_authorizer_names_and_nobody_needs_one_of_their_own() -> (
    None
):
    (api,) = resources("AWS::Serverless::Api").values()
    assert api["ApiKeySourceType"] == "AUTHORIZER"
    assert api["Auth"]["ApiKeyRequired"] is True
    assert api["Auth"]["AddApiKeyRequiredToCorsPreflight"] is False
    (key,) = resources("AWS::ApiGateway::ApiKey").values()
    assert key["Enabled"] is True
    assert _own_variables("authorizer")["FLOWSTRAND_SHARED_USAGE_KEY"] == key["Value"]
    (attached,) = resources("AWS::ApiGateway::UsagePlanKey").values()
    assert attached["UsagePlanId"] == {"Ref": "SharedUsagePlan"}
    # Else a quota would refuse whoever has not been given a key.
    assert "Quota" not in resources("AWS::ApiGateway::UsagePlan")["SharedUsagePlan"]


def test_who_leaves_a_usage_plan_is_waited_for_as_long_as_the_gateway_remembers() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    remembered_s = max(one["Identity"]["ReauthorizeEvery"] for one in api["Auth"]["Authorizers"].values())
    assert usage_keys.KEPT_MS + remembered_s * 1_000 < usage.REMEMBERED_MS
    assert api["StageName"] == usage_plans.STAGE


def test_usage_plans_limit_nothing_until_they_are_told_to() -> None:
    document = template()
    plans = resources("AWS::ApiGateway::UsagePlan")
    for plan, setting, condition, parameter in (
        ("OrgUsagePlan", "Throttle", "LimitsOrgs", "OrgRequestsPerSecond"),
        ("OrgUsagePlan", "Quota", "HasOrgQuota", "OrgRequestQuota"),
        ("SharedUsagePlan", "Throttle", "LimitsShared", "SharedRequestsPerSecond"),
    ):
        name, limits, otherwise = plans[plan][setting]["Fn::If"]
        assert (name, otherwise) == (condition, {"Ref": "AWS::NoValue"})
        assert {"Ref": parameter} in limits.values()
        assert document["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, "0"]}]}
        assert document["Parameters"][parameter]["Default"] == 0
    assert document["Parameters"]["OrgRequestQuotaPeriod"]["AllowedValues"] == ["DAY", "WEEK", "MONTH"]


def test_no_function_has_rights_over_api_gateway() -> None:
    for name in FUNCTIONS:
        actions = {action for statement in statements(name) for action in statement["Action"]}
        assert not any(action.startswith(("apigateway:", "execute-api:")) for action in actions), name


def test_a_plan_that_is_used_up_and_a_key_that_is_not_known_yet_are_told_apart_from_too_many_requests() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    told = {
        name: (answer["StatusCode"], json.loads(answer["ResponseTemplates"]["application/json"])["code"])
        for name, answer in api["GatewayResponses"].items()
        if name in {"THROTTLED", "QUOTA_EXCEEDED", "INVALID_API_KEY"}
    }
    assert told == {
        "THROTTLED": ("429", "QUOTA_EXCEEDED"),
        "QUOTA_EXCEEDED": ("429", "USAGE_LIMIT_REACHED"),
        "INVALID_API_KEY": ("503", "UNAVAILABLE"),
    }


def test_only_the_authorizer_has_the_layer_of_signatures_and_only_where_it_has_a_use_for_it() -> None:
    layer = {"Fn::If": ["TakesJwt", {"Ref": "JwtLayer"}, {"Ref": "AWS::NoValue"}]}
    with_layer = {name for name in FUNCTIONS if "JwtLayer" in json.dumps(functions()[name].get("Layers", []))}
    assert with_layer == {"authorizer"}
    assert functions()["authorizer"]["Layers"] == [layer]


def test_only_who_makes_tickets_and_who_takes_them_can_read_their_secret() -> None:
    readers = {name for name in FUNCTIONS if allowed(name, on="TicketSecret")}
    with_secret = {name for name in FUNCTIONS if "FLOWSTRAND_TICKET_SECRET_ARN" in _own_variables(name)}
    assert readers == with_secret == {"authorizer", "executions"}


def test_only_the_function_that_hands_out_leases_can_read_their_secret() -> None:
    readers = {name for name in FUNCTIONS if allowed(name, on="LeaseSecret")}
    with_secret = {name for name in FUNCTIONS if "FLOWSTRAND_LEASE_SECRET_ARN" in _own_variables(name)}
    assert readers == with_secret == {"tasks"}


def _own_variables(function: str) -> dict[str, Any]:
    variables: dict[str, Any] = functions()[function].get("Environment", {}).get("Variables", {})
    return variables


# --- the loop ----------------------------------------------------------------------------------------------------------


def test_every_function_of_the_loop_is_exempt_from_loop_detection_and_no_other() -> None:
    sources = resources("AWS::Lambda::EventSourceMapping").values()
    fed = {mapping["FunctionName"]["Ref"] for mapping in sources}
    exempt = {
        name
        for name, properties in resources("AWS::Serverless::Function").items()
        if properties.get("RecursiveLoop") == "Allow"
    }
    assert exempt == fed == {"ResumerFunction", "ProjectorFunction", "WorkerFunction"}


def test_every_event_source_reports_failures_one_by_one() -> None:
    for name, mapping in resources("AWS::Lambda::EventSourceMapping").items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name


def test_the_resumer_is_fed_by_the_control_queue_which_waits_as_long_as_a_turn_may_take() -> None:
    mapping = resources("AWS::Lambda::EventSourceMapping")["Wakes"]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": "ControlQueue.Arn"}
    queue = resources("AWS::SQS::Queue")["ControlQueue"]
    assert queue["VisibilityTimeout"] >= functions()["resumer"]["Timeout"]
    assert queue["VisibilityTimeout"] * 1_000 == Settings().wake_visibility_ms


def test_hosted_tasks_have_the_whole_time_of_their_function_and_a_limit_on_how_many_run_at_once() -> None:
    mapping = resources("AWS::Lambda::EventSourceMapping")["HostedTasks"]
    assert (mapping["FunctionName"], mapping["BatchSize"]) == ({"Ref": "WorkerFunction"}, 1)
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": "HostedTaskQueue.Arn"}
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "HostedTasksAtOnce"}}
    worker, queue = functions()["worker"], resources("AWS::SQS::Queue")["HostedTaskQueue"]
    assert queue["VisibilityTimeout"] == 6 * worker["Timeout"]
    assert Limits().least_ms + Limits().margin_ms < worker["Timeout"] * 1_000
    assert Settings().heartbeat_ms < Settings().lease_ms < worker["Timeout"] * 1_000


def test_whoever_sends_to_the_stacks_own_queue_knows_it_and_may() -> None:
    senders = {name for name in FUNCTIONS if "sqs:SendMessage" in allowed(name, on="HostedTaskQueue")}
    told = {name for name in FUNCTIONS if "FLOWSTRAND_HOSTED_TASK_QUEUE_URL" in _own_variables(name)}
    assert senders == told == {"resumer", "worker"}
    for name in told:
        assert _own_variables(name)["FLOWSTRAND_HOSTED_QUEUE"] == {"Ref": "HostedQueue"}


@pytest.mark.parametrize(("mapping", "table"), [("Commits", "LogTable"), ("InboxItems", "DirectoryTable")])
def test_the_projector_follows_both_tables_and_gives_up_a_record_into_a_queue(mapping: str, table: str) -> None:
    source = resources("AWS::Lambda::EventSourceMapping")[mapping]
    assert source["EventSourceArn"] == {"Fn::GetAtt": f"{table}.StreamArn"}
    assert source["StartingPosition"] == "TRIM_HORIZON"
    assert source["BisectBatchOnFunctionError"] is True
    assert source["MaximumRetryAttempts"] > 0
    destination = source["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == {"Fn::GetAtt": "ProjectorDeadLetters.Arn"}
    assert "sqs:SendMessage" in allowed("projector", on="ProjectorDeadLetters")


def test_of_the_directory_the_projector_sees_new_inbox_items_and_nothing_else() -> None:
    (filter_,) = resources("AWS::Lambda::EventSourceMapping")["InboxItems"]["FilterCriteria"]["Filters"]
    assert json.loads(filter_["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"partition": {"S": [{"prefix": "inbox#"}]}}},
    }


def test_the_sweep_runs_as_often_as_the_engine_says() -> None:
    (sweep,) = [event for event in functions()["projector"]["Events"].values() if event["Type"] == "Schedule"]
    assert sweep["Properties"]["Schedule"] == f"rate({Settings().sweep_interval_ms // 60_000} minutes)"


def test_the_janitor_runs_as_often_as_the_engine_says() -> None:
    (clean,) = functions()["janitor"]["Events"].values()
    assert clean["Properties"]["Schedule"] == f"rate({Settings().janitor_interval_ms // 60_000} minutes)"


# --- rights ------------------------------------------------------------------------------------------------------------


def test_no_policy_holds_a_wildcard_action_or_reaches_beyond_the_stack() -> None:
    for name, role in resources("AWS::IAM::Role").items():
        for statement in role_statements(role):
            assert statement["Effect"] == "Allow"
            for action in statement["Action"]:
                assert re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action), f"{name}: {action}"
            for resource in statement["Resource"]:
                assert isinstance(resource, dict) or statement["Sid"] == "SendTraces", f"{name}: {resource}"


def test_every_function_may_send_traces_where_the_stack_has_them_and_nothing_else_of_x_ray() -> None:
    for function in FUNCTIONS:
        (sending,) = [statement for statement in statements(function) if statement["Sid"] == "SendTraces"]
        assert sorted(sending["Action"]) == ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    assert template()["Globals"]["Function"]["Tracing"] == {"Fn::If": ["Traces", "Active", "PassThrough"]}


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    body = str(dashboard["DashboardBody"]["Fn::Sub"])
    shown = re.findall(r'\["Flowstrand","(\w+)","service","(\w+)","stack","\$\{AWS::StackName\}"', body)
    assert {name for name, _ in shown} <= {metric.name for metric in metrics.ALL}
    assert {service for _, service in shown} == {emf.SERVICE}
    assert len(shown) == body.count('"Flowstrand"')


@pytest.mark.parametrize("function", FUNCTIONS)
def test_on_the_log_writers_may_put_and_query_and_readers_may_query(function: str) -> None:
    assert allowed(function, on="LogTable") - STREAM_RIGHTS == LOG_RIGHTS[function]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_in_the_directory_each_function_may_do_what_its_use_cases_do(function: str) -> None:
    assert allowed(function, on="DirectoryTable") - STREAM_RIGHTS == DIRECTORY_RIGHTS[function]


def test_only_functions_that_record_values_may_store_payloads() -> None:
    writers = {name for name in FUNCTIONS if "s3:PutObject" in allowed(name, on="PayloadBucket")}
    readers = {name for name in FUNCTIONS if "s3:GetObject" in allowed(name, on="PayloadBucket")}
    assert writers == {"channels", "executions", "resumer", "tasks", "worker"}
    assert readers == writers | {"events", "stream"}


def test_nobody_may_change_or_delete_a_commit_but_the_janitor_who_may_say_how_long_it_is_kept() -> None:
    rights = {action for name in FUNCTIONS for action in allowed(name, on="LogTable") if name != "janitor"}
    assert rights - STREAM_RIGHTS == APPEND_AND_READ
    (updating,) = [
        statement
        for statement in statements("janitor")
        if "dynamodb:UpdateItem" in statement["Action"] and {"Fn::GetAtt": "LogTable.Arn"} in statement["Resource"]
    ]
    assert updating["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["execution", "sequence", "expires_at"]}
    }


def test_the_janitor_has_time_for_one_run_and_a_little_more() -> None:
    assert functions()["janitor"]["Timeout"] * 1_000 >= RUN_MS + 60_000


def test_only_the_projector_reads_the_tables_streams() -> None:
    readers = {name for name in FUNCTIONS if allowed(name, on="LogTable") & STREAM_RIGHTS}
    assert readers == {"projector"}


def test_only_the_authorizer_can_see_who_is_known_and_it_can_do_nothing_else() -> None:
    by_sid = {each["Sid"]: each for each in statements("authorizer")}
    assert set(by_sid) == {
        "WriteFunctionLogs",
        "SendTraces",
        "LookUpKeys",
        "LookUpKeysOfTickets",
        "VerifyTickets",
        "ReadEncrypted",
    }
    logs, statement, tickets = (by_sid[sid] for sid in ("WriteFunctionLogs", "LookUpKeys", "VerifyTickets"))
    assert logs["Resource"] == [{"Fn::GetAtt": "FunctionLogs.Arn"}]
    of_tickets = by_sid["LookUpKeysOfTickets"]
    assert of_tickets["Action"] == ["dynamodb:Query"]
    assert of_tickets["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["api-keys"]}}
    assert tickets["Action"] == ["secretsmanager:GetSecretValue"]
    assert tickets["Resource"] == [{"Ref": "TicketSecret"}]
    assert statement["Action"] == ["dynamodb:GetItem"]
    who_is_known = {"dynamodb:LeadingKeys": ["api-keys", iam_principals.PARTITION, usage_keys.PARTITION]}
    assert statement["Condition"] == {"ForAllValues:StringEquals": who_is_known}
    excluded = {"ForAllValues:StringNotEquals": who_is_known}
    for name in set(FUNCTIONS) - {"authorizer", "channels", "stream"}:
        for other in statements(name):
            if {"Fn::GetAtt": "DirectoryTable.Arn"} in other["Resource"]:
                assert other["Condition"] in (excluded, TASK_LOGS), name


def test_the_janitor_may_write_many_items_of_task_logs_alone() -> None:
    (dropping,) = [
        statement for statement in statements("janitor") if "dynamodb:BatchWriteItem" in statement["Action"]
    ]
    assert dropping["Condition"] == TASK_LOGS


@pytest.mark.parametrize(
    ("function", "action", "keys"),
    [
        ("channels", "dynamodb:DeleteItem", ["channel#*", "channel-use#*", "closed#*"]),
        ("channels", "dynamodb:GetItem", ["channel#*", "channel-use#*", "closed#*"]),
        ("channels", "dynamodb:UpdateItem", ["channel#*", "channel-use#*", "closed#*"]),
        ("stream", "dynamodb:UpdateItem", ["channel-use#*"]),
        ("stream", "dynamodb:GetItem", ["@feed#*", "@feed-head#*", "channel#*", "channel-use#*"]),
        ("stream", "dynamodb:Query", ["@feed#*", "@feed-head#*"]),
    ],
)
def test_what_serves_streams_reaches_the_rows_of_streams_alone(
    function: str, action: str, keys: list[str]
) -> None:
    reached = [
        statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for statement in statements(function)
        if action in statement["Action"] and {"Fn::GetAtt": "DirectoryTable.Arn"} in statement["Resource"]
    ]
    assert sorted(key for one in reached for key in one) == sorted(keys)


def test_bodies_of_any_type_arrive_as_they_were_sent() -> None:
    (api,) = resources("AWS::Serverless::Api").values()
    assert api["BinaryMediaTypes"] == ["*~1*"]


def test_task_queues_are_reached_by_the_prefix_of_their_names_alone() -> None:
    prefix = template()["Globals"]["Function"]["Environment"]["Variables"]["FLOWSTRAND_TASK_QUEUE_PREFIX"]
    assert prefix == {"Fn::Sub": "${AWS::StackName}-task"}
    own = {"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-task-*"}
    for name in FUNCTIONS:
        for statement in statements(name):
            if "sqs:CreateQueue" in statement["Action"]:
                assert statement["Resource"] == [own]
    with mock_aws():
        assert (
            SqsTaskQueue(boto3.client("sqs"), "s" * 45 + "-task")
            .name(*_org_and_queue())
            .startswith("s" * 45 + "-task-")
        )


def test_only_what_dispatches_queues_tasks_and_only_tasks_takes_them() -> None:
    def rights(name: str) -> set[str]:
        return {
            action
            for statement in statements(name)
            for resource in statement["Resource"]
            if "-task-*" in str(resource)
            for action in statement["Action"]
        }

    assert {name: rights(name) for name in FUNCTIONS if rights(name)} == {
        "resumer": {"sqs:CreateQueue", "sqs:GetQueueUrl", "sqs:SendMessage"},
        "tasks": {
            "sqs:CreateQueue",
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
        },
        "worker": {"sqs:CreateQueue", "sqs:GetQueueUrl", "sqs:SendMessage"},
    }


def test_a_role_is_passed_to_the_scheduler_only_and_may_only_send_to_the_control_queue() -> None:
    passing = [(name, s) for name in FUNCTIONS for s in statements(name) if "iam:PassRole" in s["Action"]]
    ((name, statement),) = passing
    assert name == "resumer"
    assert statement["Resource"] == [{"Fn::GetAtt": "TimerRole.Arn"}]
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    role = resources("AWS::IAM::Role")["TimerRole"]
    (right, _) = role_statements(role)
    assert right["Action"] == ["sqs:SendMessage"]
    assert right["Resource"] == [{"Fn::GetAtt": "ControlQueue.Arn"}, {"Fn::GetAtt": "ControlDeadLetters.Arn"}]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert set(trust["Condition"]["StringEquals"]) == {"aws:SourceAccount", "aws:SourceArn"}


def _org_and_queue() -> tuple[Any, str]:
    return "o" * 128, "q" * 128


# --- stores and queues -------------------------------------------------------------------------------------------------


def test_the_stores_outlive_the_stack() -> None:
    kept = {
        name: (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        for name, resource in template()["Resources"].items()
        if resource["Type"] in {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}
    }
    assert kept == dict.fromkeys(["LogTable", "DirectoryTable", "PayloadBucket"], ("Retain", "Retain"))


@pytest.mark.parametrize("table", ["LogTable", "DirectoryTable"])
def test_each_table_has_the_keys_that_its_adapter_creates_elsewhere(table: str) -> None:
    properties = resources("AWS::DynamoDB::Table")[table]
    create = {"LogTable": create_log_table, "DirectoryTable": create_directory_table}[table]
    with mock_aws():
        client = boto3.client("dynamodb")
        create(client, "reference")
        reference = client.describe_table(TableName="reference")["Table"]
    assert properties["KeySchema"] == reference["KeySchema"]
    assert properties["AttributeDefinitions"] == reference["AttributeDefinitions"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_logs_stream_shows_what_a_changed_commit_was_and_became() -> None:
    stream = resources("AWS::DynamoDB::Table")["LogTable"]["StreamSpecification"]
    assert stream == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_payloads_are_private_and_encrypted_at_rest_and_on_the_way() -> None:
    (bucket,) = resources("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (policy,) = resources("AWS::S3::BucketPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize(
    ("queue", "dead_letters"),
    [("ControlQueue", "ControlDeadLetters"), ("HostedTaskQueue", "HostedTaskDeadLetters")],
)
def test_every_queue_is_encrypted_and_what_feeds_a_function_has_a_dead_letter_queue_that_keeps_longer(
    queue: str, dead_letters: str
) -> None:
    queues = resources("AWS::SQS::Queue")
    own_of_sqs = {"Fn::If": ["HasNoKey", True, {"Ref": "AWS::NoValue"}]}
    assert all(properties["SqsManagedSseEnabled"] == own_of_sqs for properties in queues.values())
    redrive = queues[queue]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": f"{dead_letters}.Arn"}
    assert redrive["maxReceiveCount"] >= 5
    assert queues[dead_letters]["MessageRetentionPeriod"] > queues[queue]["MessageRetentionPeriod"]


def test_the_default_stack_name_leaves_room_for_queue_names() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert len(config["default"]["global"]["parameters"]["stack_name"]) <= 45


def test_the_runbook_is_about_every_alarm_and_no_other() -> None:
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (.*Alarm.*)$", page, re.MULTILINE)
    told = [name for heading in headings for name in heading.split(", ")]
    assert sorted(told) == sorted(resources("AWS::CloudWatch::Alarm"))


def test_every_alarm_tells_when_it_goes_off_and_when_it_is_over_and_is_quiet_where_nothing_happens() -> None:
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == alarm["OKActions"] != [], name
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert alarm["AlarmDescription"], name


def test_whatever_lies_in_a_dead_letter_queue_raises_an_alarm() -> None:
    watched = {
        str(dimension["Value"]["Fn::GetAtt"]).partition(".")[0]
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible" and alarm["Threshold"] == 0
        for dimension in alarm["Dimensions"]
    }
    assert watched == {name for name in resources("AWS::SQS::Queue") if name.endswith("DeadLetters")}


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("ChangedCommitsAlarm", metrics.CHANGED_COMMITS),
        ("StalledExecutionsAlarm", metrics.STALLED_EXECUTIONS),
    ],
)
def test_what_the_projector_counts_is_watched_under_the_name_that_it_counts_it_by(
    name: str, metric: metrics.Metric
) -> None:
    alarm = resources("AWS::CloudWatch::Alarm")[name]
    assert (alarm["Namespace"], alarm["MetricName"]) == (metrics.NAMESPACE, metric.name)
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert alarm["Dimensions"] == [
        {"Name": "service", "Value": emf.SERVICE},
        {"Name": "stack", "Value": variables[emf.STACK]},
    ]


def _dimensions(alarm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    stats = [metric["MetricStat"]["Metric"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric]
    return [one for each in (alarm, *stats) for one in each.get("Dimensions", [])]


def test_an_alarm_takes_no_more_metrics_than_cloudwatch_allows_and_watches_what_is_there() -> None:
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        assert len(alarm.get("Metrics", [])) <= 10, name
        for dimension in _dimensions(alarm):
            if isinstance(dimension["Value"], dict):
                (target,) = dimension["Value"].values()
                assert target == "AWS::StackName" or target.partition(".")[0] in template()["Resources"], name


def test_every_function_of_the_loop_is_watched_for_calls_that_loop_detection_drops() -> None:
    alarm = resources("AWS::CloudWatch::Alarm")["RecursionDropsAlarm"]
    watched = {dimension["Value"]["Ref"] for dimension in _dimensions(alarm)}
    assert watched == {"ResumerFunction", "ProjectorFunction", "WorkerFunction"}
