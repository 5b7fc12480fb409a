"""Uploads and downloads of the local server where the payload store is a file: a route of its own, with signed URLs."""

from __future__ import annotations

from hashlib import sha256 as digest_of
from typing import Literal

import jwt
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.errors import CallerError, InvalidInput, LogCorrupted, NotFound, PayloadTooLarge, WrongPrincipal
from flowstrand.payloads.port import PayloadStore
from flowstrand.payloads.transfers import Upload
from flowstrand.service.clock import Clock

ROUTE = "/_/payloads/{token}"
_ALGORITHM = "HS256"
_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Permit:
    op: Literal["put", "get"]
    org: OrgId
    sha256: str
    size: int


class SignedTransfers:
    """`PayloadTransfers` by paths of this server; the token in a path is all that it takes."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def upload(self, org: OrgId, sha256: str, size: int, *, expires_s: int) -> Upload:
        """See `PayloadTransfers.upload`."""
        url = self._url(_Permit(op="put", org=org, sha256=sha256, size=size), expires_s)
        return Upload(url=url, method="PUT", headers={"content-type": _TYPE, "content-length": str(size)})

    def download(self, org: OrgId, sha256: str, *, expires_s: int) -> str:
        """See `PayloadTransfers.download`."""
        return self._url(_Permit(op="get", org=org, sha256=sha256, size=0), expires_s)

    def permitted(self, token: str) -> _Permit:
        """What a token allows.

        Raises:
            WrongPrincipal: nothing: it is forged, or its time has passed.
        """
        try:
            claims = jwt.decode(token, self._secret, algorithms=[_ALGORITHM])
            permit = _Permit(op=claims["op"], org=claims["org"], sha256=claims["sha256"], size=claims["size"])
            is_valid = claims["until"] >= self._clock.now_ms()
        except (jwt.InvalidTokenError, KeyError):
            is_valid = False
        if not is_valid:
            raise WrongPrincipal("this URL is not valid, or not any more")
        return permit

    def _url(self, permit: _Permit, expires_s: int) -> str:
        claims = {
            "op": permit.op,
            "org": permit.org,
            "sha256": permit.sha256,
            "size": permit.size,
            "until": self._clock.now_ms() + expires_s * 1_000,
        }
        return ROUTE.format(token=jwt.encode(claims, self._secret, algorithm=_ALGORITHM))


class TransferRoute:
    """Serves those URLs."""

    def __init__(self, transfers: SignedTransfers, payloads: PayloadStore) -> None:
        self._transfers = transfers
        self._payloads = payloads

    async def serve(self, request: Request) -> Response:
        """PUT stores what the URL is for and nothing else; GET sends it."""
        try:
            permit = self._transfers.permitted(str(request.path_params["token"]))
            if request.method == "PUT" and permit.op == "put":
                await self._put(permit, request)
                return Response(status_code=200)
            if request.method == "GET" and permit.op == "get":
                return Response(await to_thread.run_sync(self._get, permit), media_type=_TYPE)
            raise WrongPrincipal("this URL is for something else")
        except CallerError as error:
            return JSONResponse(error.body(), status_code=error.status)

    async def _put(self, permit: _Permit, request: Request) -> None:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > permit.size:
                raise PayloadTooLarge(f"this upload has {permit.size} bytes")
        sent = bytes(body)
        if digest_of(sent).hexdigest() != permit.sha256:
            raise InvalidInput("the body is not what the URL was asked for")
        await to_thread.run_sync(self._payloads.put, permit.org, permit.sha256, sent)

    def _get(self, permit: _Permit) -> bytes:
        try:
            return self._payloads.get(permit.org, permit.sha256)
        except LogCorrupted as error:
            raise NotFound("there is no such payload", code="PAYLOAD_NOT_FOUND") from error
