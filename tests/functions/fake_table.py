"""A fake of DynamoDB that answers `Query` on the log's table, over HTTP, to whatever process asks."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flowstrand.log.dynamodb import _item
from flowstrand.log.port import Commit


class FakeTable:
    """Commits of one log.

    Attributes:
        queries: every query so far, as it was asked.
    """

    def __init__(self, commits: Callable[[int], Sequence[Commit]]) -> None:
        """`commits` are those that are there at the query of this number."""
        self.queries: list[dict[str, Any]] = []
        self._commits = commits
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.headers["X-Amz-Target"].endswith(".Query")
                body = json.dumps(fake.answer(query)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, query: dict[str, Any]) -> dict[str, Any]:
        self.queries.append(query)
        found = [one for one in self._commits(len(self.queries)) if _is_asked_for(query, one)]
        if not query.get("ScanIndexForward", True):
            found.reverse()
        items = [_as_json(one) for one in found[: query.get("Limit")]]
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _is_asked_for(query: dict[str, Any], commit: Commit) -> bool:
    values, condition = query["ExpressionAttributeValues"], query["KeyConditionExpression"]
    if values[":execution"]["S"] != str(commit.key):
        return False
    if ":sequence" not in values:
        return True
    asked = int(values[":sequence"]["N"])
    return commit.sequence > asked if ">" in condition else commit.sequence <= asked


def _as_json(commit: Commit) -> dict[str, Any]:
    item: dict[str, Any] = {name: dict(value) for name, value in _item(commit).items()}
    for value in item.values():
        if "B" in value:
            value["B"] = base64.b64encode(value["B"]).decode()
    return item
