"""FS302 and FS203: network clients, called or awaited."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import ClassVar

from flowstrand.lint.place import Place
from flowstrand.lint.rules.named_calls import Advice, NamedCalls
from flowstrand.lint.rules.rule import Fault

_USE = "use await ctx.run(name, fn) or a task"

_CLIENTS: Mapping[str, str] = dict.fromkeys(
    [
        *(
            f"{package}."
            for package in ("requests", "httpx", "httpx2", "aiohttp", "urllib3", "urllib.request", "pycurl")
        ),
        *(f"{package}." for package in ("http.client", "socket", "ssl", "smtplib", "imaplib", "poplib", "ftplib")),
        *(f"{package}." for package in ("boto3", "botocore", "aioboto3", "aiobotocore", "paramiko", "websockets")),
        *(
            f"{package}."
            for package in ("psycopg", "psycopg2", "asyncpg", "pymysql", "aiomysql", "pymongo", "motor")
        ),
        *(
            f"{package}."
            for package in ("redis", "valkey", "elasticsearch", "opensearchpy", "kafka", "aiokafka", "pika")
        ),
        *(
            f"{package}."
            for package in ("grpc", "sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine")
        ),
        *(
            f"{package}."
            for package in ("openai", "anthropic", "mistralai", "cohere", "stripe", "twilio", "slack_sdk")
        ),
        *(f"{package}." for package in ("google.cloud", "google.genai", "azure.storage", "sendgrid", "litellm")),
    ],
    _USE,
)
_HARMLESS = frozenset(
    {
        *(
            f"{package}.{name}"
            for package in ("httpx", "httpx2")
            for name in ("URL", "Timeout", "Limits", "Headers", "QueryParams", "Cookies", "BasicAuth")
        ),
        "requests.codes.get",
        "aiohttp.ClientTimeout",
        "botocore.config.Config",
        "socket.gethostname",  # FS105
        "socket.getfqdn",  # FS105
        "socket.inet_aton",
        "socket.inet_ntoa",
        "ssl.create_default_context",
        "urllib3.util.parse_url",
        "urllib.request.pathname2url",
        "urllib.request.url2pathname",
    }
)


class Network(NamedCalls):
    id = "FS302"
    name = "network"
    summary = "Talks to another system: every replay would do it again, and may hear something else."
    use = "`ctx.run(name, fn)`, or a task"
    functions: ClassVar[Advice] = {
        "sqlalchemy.create_engine": _USE,
        "sqlalchemy.ext.asyncio.create_async_engine": _USE,
    }
    packages: ClassVar[Advice] = _CLIENTS
    harmless = _HARMLESS

    def applies(self, place: Place, call: ast.Call) -> bool:  # noqa: ARG002 - the place alone decides
        """What is awaited breaks the next rule."""
        return not place.is_awaited


class ForeignAwait(NamedCalls):
    id = "FS203"
    name = "foreign-await"
    summary = "Awaits what no event in the log can answer: the workflow refuses it when it runs."
    use = "`ctx.run(name, fn)`, or a task"
    functions: ClassVar[Advice] = Network.functions
    packages: ClassVar[Advice] = {**_CLIENTS, "aiofiles.": _USE}
    harmless = _HARMLESS

    def faults(self, place: Place) -> Iterator[Fault]:
        """`await client.get(url)`, `async with session.get(url)`."""
        if place.is_awaited and isinstance(place.node, ast.Call):
            for fault in super().faults(place):
                yield Fault(node=fault.node, what=f"await of {fault.what}", use=fault.use)
