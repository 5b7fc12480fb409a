"""AWS identities that an operator has given to an org: roles, users and whole accounts. Who has not been given, is nobody.

A row of the directory for each. STS names a session of a role (`…:assumed-role/deployer/i-0abc`), and leaves out the path of the role; a
name is unique in its account whatever its path, so all of them are written as `arn:aws:iam::ACCOUNT:role/NAME`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item
from flowstrand.directory.scanning import every_item
from flowstrand.engine.ids import OrgId
from flowstrand.errors import InvalidInput
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service.keys import Identity, identity, org_and_principals

PARTITION = "iam-principals"
"""Of the directory; the authorizer and operators reach it, and nothing else that is deployed."""
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_NAME = r"[A-Za-z0-9_+=,.@-]{1,128}"
_ARN = re.compile(
    r"arn:(?P<partition>aws(?:-[a-z]+)*):(?P<service>iam|sts)::(?P<account>\d{12}):"
    rf"(?P<kind>role|user|assumed-role)/(?P<path>(?:[\x21-\x2e\x30-\x7e]+/)*)(?P<name>{_NAME})",
    re.ASCII,
)
_CALLER = re.compile(r"arn:aws(?:-[a-z]+)*:(?:iam|sts)::(?P<account>\d{12}):[\x21-\x7e]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class IamPrincipal:
    """One that was given to an org.

    Attributes:
        name: the ARN of a role or a user without its path, or an account's number.
        principals: what it may be there.
        note: of whoever gave it.
    """

    name: str
    org: str
    principals: tuple[str, ...]
    created_at_ms: int
    note: str | None


def normalised(name: str) -> str:
    """The one way to write a role, a user or an account.

    Raises:
        InvalidInput: it is none of these.
    """
    if _ACCOUNT.fullmatch(name):
        return name
    found = _canonical(name)
    if found is None:
        raise InvalidInput(f"{name!r} is no ARN of a role or a user, and no number of an account")
    return found


def admit(
    directory: Directory, org: str, name: str, principals: Collection[str], *, now_ms: int, note: str | None = None
) -> IamPrincipal:
    """Let an AWS identity speak for `org`. Whatever it spoke for before, it does no more.

    Raises:
        InvalidInput: `org` is not a name, `name` no identity, a principal is unknown, or there is none.
    """
    owner, known = org_and_principals(org, principals)
    names: list[JsonValue] = [principal.value for principal in known]
    data: JsonObject = {"org": owner, "principals": names, "createdAtMs": now_ms}
    if note is not None:
        data["note"] = note
    return _read(directory.put(PARTITION, normalised(name), data))


def every(directory: Directory, org: OrgId | None = None) -> Iterator[IamPrincipal]:
    """Those that were admitted, by one org or by all, by name."""
    return (found for found in map(_read, every_item(directory, PARTITION)) if org in {None, found.org})


def dismiss(directory: Directory, org: OrgId, name: str) -> IamPrincipal | None:
    """Make an AWS identity nobody again; None where it does not speak for this org.

    Whoever has been let in may stay for as long as API Gateway remembers: a minute.
    """
    item = directory.get(PARTITION, normalised(name))
    if item is None or item.data.get("org") != org:
        return None
    directory.delete(PARTITION, item.key)
    return _read(item)


def identify(directory: Directory, caller_arn: str) -> Identity | None:
    """Whom the identity that STS has named speaks for: what its own row says, else its account's; None without either.

    Raises:
        StoreUnavailable: the directory cannot say.
    """
    found = _CALLER.fullmatch(caller_arn)
    if found is None:
        return None
    for name in (_canonical(caller_arn), found["account"]):
        item = None if name is None else directory.get(PARTITION, name)
        if item is not None:
            return _identity(item, caller_arn)
    return None


def _identity(item: Item, caller_arn: str) -> Identity | None:
    org, names = item.data.get("org"), item.data.get("principals")
    if not isinstance(org, str) or not isinstance(names, list):
        return None
    digest = hashlib.sha256((_canonical(caller_arn) or caller_arn).encode()).hexdigest()
    words = [name for name in names if isinstance(name, str)]
    return identity(org, words, key_id=f"iam_{digest[:12]}")


def _canonical(arn: str) -> str | None:
    """A role, a user, or the role of a session; None of a root, a federated user and all else."""
    found = _ARN.fullmatch(arn)
    if found is None:
        return None
    kind, name = found["kind"], found["name"]
    if (kind == "assumed-role") is not (found["service"] == "sts"):
        return None
    if kind == "assumed-role":
        role, separator, more = found["path"].partition("/")
        if not re.fullmatch(_NAME, role) or not separator or more:
            return None
        kind, name = "role", role
    return f"arn:{found['partition']}:iam::{found['account']}:{kind}/{name}"


def _read(item: Item) -> IamPrincipal:
    data: Any = item.data
    return IamPrincipal(
        name=item.key,
        org=str(data.get("org")),
        principals=tuple(map(str, data.get("principals") or ())),
        created_at_ms=int(data.get("createdAtMs") or 0),
        note=data.get("note"),
    )
