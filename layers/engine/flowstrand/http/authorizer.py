"""`Authorizer`: an API key to an API Gateway policy (law 10). Every way this can end but one denies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger

from flowstrand.directory.port import Directory
from flowstrand.errors import StoreUnavailable
from flowstrand.http.authentication import authorizer_context
from flowstrand.jsonvalue import JsonObject
from flowstrand.service import keys
from flowstrand.service.keys import Identity


class Authorizer:
    """Identifies callers by `Authorization: Bearer KEY`. Keys are never logged."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        """`directory` is asked at each request."""
        self._directory = directory
        self._logger = Logger(service="authorizer")

    def policy_for(self, event: Mapping[str, Any]) -> JsonObject:
        """The policy that lets the caller reach this stage of this API, with who they are as its context.

        Raises:
            Exception: nobody we know; the message `Unauthorized` is what API Gateway turns into 401.
            StoreUnavailable: it could not be found out; API Gateway answers 500, which clients repeat.
        """
        try:
            bearer = _bearer(event)
            caller = None if bearer is None else keys.identify(self._directory(), bearer)
            if caller is not None:
                return _allow(event["methodArn"], caller)
        except StoreUnavailable:
            self._logger.warning("the directory is unavailable: denied")
            raise
        except Exception:
            self._logger.exception("a caller could not be identified: denied")
        raise Exception("Unauthorized")  # noqa: TRY002 - the only message that API Gateway answers with 401


def _bearer(event: Mapping[str, Any]) -> str | None:
    """The key, if there is exactly one `Authorization` header and it is a bearer's."""
    many = event.get("multiValueHeaders") or {}
    single = event.get("headers") or {}
    headers = many or {name: [value] for name, value in single.items()}
    given = [value for name, values in headers.items() if name.lower() == "authorization" for value in values]
    if len(given) != 1:
        return None
    scheme, _, key = given[0].strip().partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def _allow(method_arn: str, caller: Identity) -> JsonObject:
    """Allow the whole stage: API Gateway reuses the answer for every route that the same key asks for next."""
    api, stage, _ = method_arn.split("/", 2)
    statement: JsonObject = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": f"{api}/{stage}/*",
    }
    return {
        "principalId": f"{caller.org}/{caller.key_id}",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": authorizer_context(caller),
    }
