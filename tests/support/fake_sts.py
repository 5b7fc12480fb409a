"""`FakeSts`: AWS's Security Token Service on loopback, which checks signatures by making them again with botocore."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "eu-central-1"
ROLE_SESSION = "arn:aws:sts::123456789012:assumed-role/warehouse/i-0abcdef"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody with AWS credentials."""

    arn: str = ROLE_SESSION
    access_key: str = "ASIAEXAMPLE000000001"
    secret_key: str = "secret-of-the-warehouse"
    token: str | None = "IQoJb3JpZ2luX2VjE+/session=="

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.access_key, self.secret_key, self.token)


@dataclass(kw_only=True)
class FakeSts:
    """Knows principals, and answers `GetCallerIdentity`.

    Attributes:
        answers: what is answered instead, status and error code, one by one, before anything is looked at.
        asked: the headers of each request.
    """

    principals: list[Principal] = field(default_factory=lambda: [Principal()])
    answers: list[tuple[int, str]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    def url_of(self, region: str) -> str:
        """As `sts_url`, but here."""
        return f"http://127.0.0.1:{self.port}/?Action=GetCallerIdentity&Version=2011-06-15"

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, object]]:
        self.asked.append(headers)
        if self.answers:
            status, code = self.answers.pop(0)
            return status, {"Error": {"Code": code}}
        query = dict(parse_qsl(urlsplit(path).query))
        fault = self._fault(path, query, headers)
        if fault is not None:
            return 403, {"Error": {"Code": fault}}
        result = {"Arn": self._signer(query).arn, "Account": "123456789012", "UserId": "AROA:session"}
        return 200, {"GetCallerIdentityResponse": {"GetCallerIdentityResult": result}}

    def _signer(self, query: dict[str, str]) -> Principal:
        return next(one for one in self.principals if query["X-Amz-Credential"].startswith(f"{one.access_key}/"))

    def _fault(self, path: str, query: dict[str, str], headers: dict[str, str]) -> str | None:
        try:
            signer = self._signer(query)
        except (StopIteration, KeyError):
            return "InvalidClientTokenId"
        if query.get("X-Amz-Security-Token") != signer.token:
            return "InvalidClientTokenId"
        signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(datetime.now(UTC) - signed_at) > timedelta(minutes=15):
            return "SignatureDoesNotMatch"
        if not compare_digest(query["X-Amz-Signature"], _signature(path, query, headers, signer)):
            return "SignatureDoesNotMatch"
        return None if query["Action"] == "GetCallerIdentity" else "AccessDenied"


def _signature(path: str, query: dict[str, str], headers: dict[str, str], signer: Principal) -> str:
    """The signature that this request would have, were it the signer's."""
    _, _, region, service, _ = query["X-Amz-Credential"].split("/")
    unsigned = urlencode({n: v for n, v in query.items() if n != "X-Amz-Signature"}, quote_via=quote, safe="-_.~")
    signed = {name: headers[name] for name in query["X-Amz-SignedHeaders"].split(";") if name in headers}
    signed["host"] = f"sts.{region}.amazonaws.com"  # it stands behind one name for every region
    request = AWSRequest("GET", f"https://{signed['host']}{urlsplit(path).path}?{unsigned}", headers=signed)
    request.context["timestamp"] = query["X-Amz-Date"]
    auth = SigV4QueryAuth(signer.credentials, service, region)
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


@contextmanager
def serving(sts: FakeSts) -> Iterator[FakeSts]:
    """Serve on a port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = sts.answer(self.path, {name.lower(): value for name, value in self.headers.items()})
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sts.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield sts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
