"""`flowstrand keys`: API keys, and what lease tokens and tickets are signed with, of a stack or of a local server."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from flowstrand.cli.cells import Column
from flowstrand.cli.on_place import Visit, on_place
from flowstrand.engine.schema import rfc3339
from flowstrand.errors import NotFound
from flowstrand.jsonvalue import JsonObject
from flowstrand.service.keys import KnownKey, Principal
from flowstrand.service.signing import Signed

Owner: TypeAlias = Annotated[str, typer.Option(envvar="FLOWSTRAND_ORG", help="Whose key it is.")]

_COLUMNS = (
    Column("keyId", "KEY", is_whole=True),
    Column("org", "ORG"),
    Column("principals", "MAY BE"),
    Column("createdAt", "CREATED", is_whole=True),
    Column("note", "NOTE"),
)


@on_place
def create(
    visit: Visit,
    org: Owner = "dev",
    principal: Annotated[
        list[Principal] | None, typer.Option(help="What its holder may be; both by default. May be repeated.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="To know it by.")] = None,
) -> None:
    """Make an API key, and print it: it cannot be seen again.

    Examples:
        flowstrand keys create --org acme --principal worker --note warehouse --stack flowstrand
    """
    from flowstrand.service import keys

    services = visit.place.services
    key = keys.create(
        services.directory, org, principal or list(Principal), now_ms=services.clock.now_ms(), note=note
    )
    visit.out.said({"key": key, "org": org}, key)


@on_place
def listed(
    visit: Visit,
    org: Annotated[str | None, typer.Option(help="Whose keys.", show_default="everybody's")] = None,
) -> None:
    """List API keys: what each may do and since when, but never the key.

    Examples:
        flowstrand keys list --org acme --stack flowstrand
    """
    from flowstrand.engine.ids import OrgId
    from flowstrand.service import keys

    owner = None if org is None else OrgId(org)
    found = sorted(keys.every(visit.place.services.directory, owner), key=lambda k: (k.org, k.created_at_ms))
    visit.out.many("keys", [_body(known) for known in found], _COLUMNS)


@on_place
def revoke(
    visit: Visit,
    key_id: Annotated[str, typer.Argument(metavar="KEY", help="Its id, as `keys list` shows it.")],
    org: Owner = "dev",
) -> None:
    """Make an API key good for nothing. A stack forgets it within a minute.

    Examples:
        flowstrand keys revoke key_0b1c2d3e4f50 --org acme --stack flowstrand
    """
    from flowstrand.engine.ids import OrgId
    from flowstrand.service import keys

    known = keys.revoke(visit.place.services.directory, OrgId(org), key_id)
    if known is None:
        raise NotFound(f"{org} has no key {key_id}", code="KEY_NOT_FOUND")
    visit.out.said(_body(known), f"{known.key_id} of {known.org} is revoked")


@on_place
def rotate_leases(visit: Visit) -> None:
    """Make another secret to sign lease tokens with; running attempts keep theirs.

    Examples:
        flowstrand keys rotate-leases --stack flowstrand
    """
    _rotate(visit, Signed.LEASE)


@on_place
def rotate_tickets(visit: Visit) -> None:
    """Make another secret to sign stream tickets with; those that were made keep their time.

    Examples:
        flowstrand keys rotate-tickets --stack flowstrand
    """
    _rotate(visit, Signed.TICKET)


def _rotate(visit: Visit, signed: Signed) -> None:
    from flowstrand.operations.rotating import rotate

    advice = rotate(visit.place, signed)
    visit.out.said({"rotated": True, "next": advice}, f"the {signed} secret is another now; {advice}")


def _body(known: KnownKey) -> JsonObject:
    return {
        "keyId": known.key_id,
        "org": known.org,
        "principals": list(known.principals),
        "createdAt": rfc3339(known.created_at_ms),
        "note": known.note,
    }
