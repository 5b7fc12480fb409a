"""Lease tokens: signed proof that a worker holds one attempt of one task."""

from __future__ import annotations

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.errors import Conflict
from flowstrand.service.signing import FixedSecrets, SigningSecrets, read_with

_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What a token says.

    Attributes:
        task_id: the task execution's id.
        attempt: from 1.
        sequence: of the `TASK_STARTED` that gave the lease; where the answer to a repeated report is looked for.
        counted_in: the queue whose running attempts are counted, this one among them; None for most.
    """

    org: OrgId
    task_id: str
    attempt: int
    sequence: int
    counted_in: str | None = None


class LeaseTokens:
    """Signs and verifies lease tokens (JWT, HS256). A token does not expire: the log says whether it is stale."""

    def __init__(self, secrets: str | SigningSecrets) -> None:
        """`secrets` are at least 32 bytes each, the same in every process of a stack; a text is one that stays."""
        self._secrets = FixedSecrets(secrets) if isinstance(secrets, str) else secrets

    def sign(self, lease: Lease) -> str:
        """The token a worker sends back with every report."""
        import jwt  # here, because every function knows of tokens and few have to do with one

        claims = {"org": lease.org, "task": lease.task_id, "attempt": lease.attempt, "seq": lease.sequence}
        claims |= {} if lease.counted_in is None else {"queue": lease.counted_in}
        return jwt.encode(claims, self._secrets.to_sign(), algorithm=_ALGORITHM)

    def verify(self, token: str, *, org: OrgId, task_id: str) -> Lease:
        """What `token` says, if we signed it for this org and task.

        Raises:
            Conflict: it is not a lease on this task (`INVALID_LEASE`).
        """
        lease = read_with(self._secrets, lambda secret: _signed_with(secret, token))
        if lease is None:
            raise Conflict("the lease token is not valid", code="INVALID_LEASE")
        if (lease.org, lease.task_id) != (org, task_id):
            raise Conflict("the lease token is for another task", code="INVALID_LEASE")
        return lease


def _signed_with(secret: str, token: str) -> Lease | None:
    """What `token` says, if it was signed with this secret."""
    import jwt

    try:
        claims = jwt.decode(token, secret, algorithms=[_ALGORITHM])
        return Lease(
            org=claims["org"],
            task_id=claims["task"],
            attempt=claims["attempt"],
            sequence=claims["seq"],
            counted_in=claims.get("queue"),
        )
    except (jwt.InvalidTokenError, KeyError):
        return None
