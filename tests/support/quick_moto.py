"""moto without the way to it: most of what a call to its DynamoDB costs is HTTP that nobody sees.

A client's request is botocore's work, and so is what becomes of the answer; what decides, stores and refuses is moto's. Between the
two, moto matches the URL against those of every service, makes a web request and takes it apart, and sorts the whole
table for each `Query`. Here the body goes to its handler as it is, and a `Query` looks at its own partition.
"""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from moto.core import responses
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.common_types import TYPE_RESPONSE
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.responses import ActionResult
from moto.core.utils import get_service_model, method_names_from_class
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler, DynamoResult
from werkzeug.datastructures import MultiDict

ANONYMOUS = Config(signature_version=UNSIGNED, user_agent="tests")
"""For clients whose signature nobody checks."""


@contextmanager
def quick_moto() -> Iterator[None]:
    """Inside `mock_aws`, calls of DynamoDB cost less than half of what they would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BotocoreStubber, "process_request", _process_request)
        patch.setattr(responses, "method_names_from_class", cache(method_names_from_class))
        patch.setattr(Table, "query", _query)
        patch.setattr(Table, "all_items", _all_items)
        yield


_ABOUT_ITEMS = frozenset({"DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"})
_process_any_request = BotocoreStubber.process_request
_query_of_a_table = Table.query
_all_sorted = Table.all_items
_wanted = threading.local()


def _process_request(stubber: BotocoreStubber, request: AWSPreparedRequest) -> TYPE_RESPONSE | None:
    service, _, elsewhere = urlsplit(request.url).netloc.partition(".")
    region = elsewhere.removesuffix(".amazonaws.com")
    if service != "dynamodb" or "." in region:
        return _process_any_request(stubber, request)
    answer: TYPE_RESPONSE = DirectHandler(request, region).call_action()
    return answer


class DirectHandler(DynamoHandler):
    """moto's, told at once what it would read out of a web request."""

    def __init__(self, request: AWSPreparedRequest, region: str) -> None:
        super().__init__()
        self.headers = {name: _text(value) for name, value in request.headers.items()}
        self.response_headers: dict[str, str] = {}
        self.querystring: dict[str, Any] = {}
        self.uri_match: dict[str, Any] = {}
        self.current_account = "123456789012"
        self.region = region
        operation = get_service_model("dynamodb").operation_model(self._get_action())
        parser = PROTOCOL_PARSERS["json"](operation, map_type=self.PROTOCOL_PARSER_MAP_TYPE)
        self.params = parser.parse(
            {
                "method": "POST",
                "url_path": "/",
                "url_params": {},
                "values": MultiDict(),
                "headers": self.headers,
                "body": _text(request.body),
            }
        )
        self.body = self.params

    def serialized(self, action_result: ActionResult) -> TYPE_RESPONSE:
        """Items are JSON already, but for their bytes."""
        if type(action_result) is not DynamoResult or self._get_action() not in _ABOUT_ITEMS:
            return super().serialized(action_result)
        return 200, {}, json.dumps(action_result.result, default=_base64)


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _query(table: Table, hash_key: DynamoType | None, *arguments: Any, **options: Any) -> Any:
    _wanted.partition = hash_key if options.get("index_name") is None and table.range_key_attr else None
    try:
        return _query_of_a_table(table, hash_key, *arguments, **options)
    finally:
        _wanted.partition = None


def _all_items(table: Table) -> list[Item]:
    partition = getattr(_wanted, "partition", None)
    if partition is None:
        return _all_sorted(table)
    return [*table.items.get(partition, {}).values()]
