"""A directory item as DynamoDB has it, and what a write of one asks for, alone or among others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowstrand.directory.item_data import load
from flowstrand.directory.port import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

# `data`, `key`, `partition` and `version` are, or may become, reserved words of the expression language.
_NAMES = {"#data": "data", "#version": "version"}
_WRITE = "SET #data = :data, write_id = :write_id"
_ABSENT = "attribute_not_exists(#version)"
_AT_VERSION = "#version = :expect"


def key_of(partition: str, key: str) -> dict[str, AttributeValueTypeDef]:
    """The item's primary key."""
    return {"partition": {"S": partition}, "key": {"S": key}}


def item_of(attributes: Mapping[str, Any]) -> Item:
    """The item that has these attributes.

    Raises:
        LogCorrupted: its data cannot be read.
    """
    return Item(
        partition=attributes["partition"]["S"],
        key=attributes["key"]["S"],
        data=load(attributes["data"]["S"]),
        version=int(attributes["version"]["N"]),
    )


def update_of(text: str, write_id: str, expect: int | None, expires_at_ms: int | None) -> dict[str, Any]:
    """The change and the condition of a put of `text`."""
    values = {":data": {"S": text}, ":write_id": {"S": write_id}, ":one": {"N": "1"}}
    if expires_at_ms is None:
        change = f"{_WRITE} REMOVE expires_at ADD #version :one"
    else:
        change = f"{_WRITE}, expires_at = :expires_at ADD #version :one"
        values[":expires_at"] = {"N": str(-(-expires_at_ms // 1_000))}  # in whole seconds, rounded up: never early
    update: dict[str, Any] = {
        "UpdateExpression": change,
        "ExpressionAttributeNames": _NAMES,
        "ExpressionAttributeValues": values,
    }
    if expect is not None:
        update["ConditionExpression"] = _AT_VERSION if expect else _ABSENT
    if expect:
        values[":expect"] = {"N": str(expect)}
    return update


def delete_of(expect: int | None) -> dict[str, Any]:
    """The condition of a delete."""
    if expect is None:
        return {}
    names: dict[str, Any] = {"ExpressionAttributeNames": {"#version": "version"}}
    if expect == 0:
        return {"ConditionExpression": _ABSENT, **names}
    values = {":expect": {"N": str(expect)}}
    return {"ConditionExpression": _AT_VERSION, "ExpressionAttributeValues": values, **names}
