"""A stack with usage plans, in moto: as `deployed`, with an API; and what API Gateway does that moto does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from flowstrand.operations.place import Place
from flowstrand.operations.stack import GatewayClient

_numbers = count(1)


class Died(Exception):
    """The process, in the middle of something."""


@dataclass(kw_only=True)
class Gateway:
    """`GatewayClient`: moto's, which counts nothing and lets a key be in two plans of a stage.

    Attributes:
        api: the one whose plans are looked at.
        used: what is counted, by plan and key: a pair for each day.
        dies_before: at which of the calls that change something the process dies; None if it lives.
        asked: requests for what was counted.
    """

    moto: GatewayClient
    api: str = field(default_factory=lambda: f"api{next(_numbers)}")
    used: dict[tuple[str, str], list[list[int]]] = field(default_factory=dict)
    dies_before: int | None = None
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.moto, name)

    def die_now(self) -> None:
        """If it is time."""
        if self.dies_before is not None:
            self.dies_before -= 1
            if self.dies_before < 0:
                raise Died

    def create_api_key(self, **request: Any) -> Mapping[str, Any]:
        self.die_now()
        return self.moto.create_api_key(**request)

    def delete_api_key(self, *, apiKey: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        self.die_now()
        return self.moto.delete_api_key(apiKey=apiKey)

    def create_usage_plan_key(self, *, usagePlanId: str, keyId: str, keyType: str) -> Mapping[str, Any]:  # noqa: N803
        self.die_now()
        if any(keyId in keys for keys in plans_of(self).values()):
            error: Any = {"Error": {"Code": "ConflictException", "Message": "the key is in a plan of this stage"}}
            raise ClientError(error, "CreateUsagePlanKey")
        return self.moto.create_usage_plan_key(usagePlanId=usagePlanId, keyId=keyId, keyType=keyType)

    def delete_usage_plan_key(self, *, usagePlanId: str, keyId: str) -> Mapping[str, Any]:  # noqa: N803
        self.die_now()
        return self.moto.delete_usage_plan_key(usagePlanId=usagePlanId, keyId=keyId)

    def get_usage(self, **request: Any) -> Mapping[str, Any]:
        """A day to a page."""
        self.asked.append(request)
        days = self.used.get((request["usagePlanId"], request["keyId"]), [])
        at = int(request.get("position", "0"))
        more = {"position": str(at + 1)} if at + 1 < len(days) else {}
        return {"items": {request["keyId"]: days[at : at + 1]}, **more}


@dataclass(frozen=True, slots=True)
class Authorizer:
    """`LambdaClient` with the one function."""

    shared: str

    def get_function_configuration(self, *, FunctionName: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        assert FunctionName == "flowstrand-authorizer"
        return {"Environment": {"Variables": {"FLOWSTRAND_SHARED_USAGE_KEY": self.shared}}}

    def list_event_source_mappings(self, *, FunctionName: str) -> Mapping[str, Any]:  # noqa: N803
        return {"EventSourceMappings": []}


def plans_of(gateway: Gateway) -> dict[str, set[str]]:
    """The ids of the keys in each plan of the API."""
    plans = gateway.get_usage_plans()["items"]
    return {
        plan["id"]: {key["id"] for key in gateway.get_usage_plan_keys(usagePlanId=plan["id"]).get("items", [])}
        for plan in plans
        if any(stage["apiId"] == gateway.api for stage in plan.get("apiStages", []))
    }


def plan(gateway: Gateway, name: str, *, api: str | None = None, quota: int | None = None) -> str:
    """Make a usage plan; returns its id."""
    client: Any = gateway.moto
    limits: dict[str, Any] = {} if quota is None else {"quota": {"limit": quota, "period": "MONTH"}}
    return str(
        client.create_usage_plan(name=name, apiStages=[{"apiId": api or gateway.api, "stage": "live"}], **limits)[
            "id"
        ]
    )


def metered(place: Place) -> tuple[Place, Gateway]:
    """The place with an API, its two plans, and the shared key in one of them."""
    assert place.stack is not None
    gateway = Gateway(moto=place.stack.clients.gateway)
    value = gateway.api.rjust(32, "0")
    shared_key = str(gateway.moto.create_api_key(name="shared", value=value, enabled=True)["id"])
    shared_plan = plan(gateway, "shared")
    gateway.moto.create_usage_plan_key(usagePlanId=shared_plan, keyId=shared_key, keyType="API_KEY")
    names = replace(
        place.stack.names,
        api_id=gateway.api,
        org_usage_plan_id=plan(gateway, "orgs", quota=1_000),
        shared_usage_plan_id=shared_plan,
        shared_usage_key_id=shared_key,
        functions={"AuthorizerFunction": "flowstrand-authorizer"},
    )
    clients = replace(place.stack.clients, gateway=gateway, functions=Authorizer(value))
    stack = replace(place.stack, names=names, clients=clients)
    return replace(place, stack=stack), gateway
