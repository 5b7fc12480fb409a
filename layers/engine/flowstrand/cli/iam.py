"""`flowstrand iam`: which AWS identities speak for which org, on a stack or a local server; and a proof of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli.cells import Column
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.keys import Owner
from flowstrand.cli.on_place import Visit, on_place
from flowstrand.cli.on_server import AsJson
from flowstrand.cli.output import Output
from flowstrand.engine.schema import rfc3339
from flowstrand.errors import NotFound
from flowstrand.jsonvalue import JsonObject
from flowstrand.service.keys import Principal

if TYPE_CHECKING:
    from flowstrand.service.callers.iam_principals import IamPrincipal

_COLUMNS = (
    Column("identity", "IDENTITY", is_whole=True),
    Column("org", "ORG"),
    Column("principals", "MAY BE"),
    Column("createdAt", "SINCE", is_whole=True),
    Column("note", "NOTE"),
)


@on_place
def admit(
    visit: Visit,
    identity: Annotated[str, typer.Argument(help="The ARN of a role or a user, or the number of an account.")],
    org: Owner = "dev",
    principal: Annotated[
        list[Principal] | None, typer.Option(help="What it may be; both by default. May be repeated.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="To know it by.")] = None,
) -> None:
    """Let an AWS identity speak for an org, without an API key. What it spoke for before, it does no more.

    Examples:
        flowstrand iam admit arn:aws:iam::123456789012:role/warehouse --org acme --principal worker --stack flowstrand
    """
    from flowstrand.service.callers import iam_principals

    services = visit.place.services
    admitted = iam_principals.admit(
        services.directory, org, identity, principal or list(Principal), now_ms=services.clock.now_ms(), note=note
    )
    visit.out.said(_body(admitted), f"{admitted.name} speaks for {admitted.org}")


@on_place
def listed(
    visit: Visit,
    org: Annotated[str | None, typer.Option(help="Whose identities.", show_default="everybody's")] = None,
) -> None:
    """List the AWS identities that were admitted.

    Examples:
        flowstrand iam list --org acme --stack flowstrand
    """
    from flowstrand.engine.ids import OrgId
    from flowstrand.service.callers import iam_principals

    found = iam_principals.every(visit.place.services.directory, None if org is None else OrgId(org))
    visit.out.many("identities", [_body(admitted) for admitted in found], _COLUMNS)


@on_place
def dismiss(
    visit: Visit,
    identity: Annotated[str, typer.Argument(help="As it was admitted.")],
    org: Owner = "dev",
) -> None:
    """Make an AWS identity nobody again. A stack forgets it within a minute.

    Examples:
        flowstrand iam dismiss arn:aws:iam::123456789012:role/warehouse --org acme --stack flowstrand
    """
    from flowstrand.engine.ids import OrgId
    from flowstrand.service.callers import iam_principals

    dismissed = iam_principals.dismiss(visit.place.services.directory, OrgId(org), identity)
    if dismissed is None:
        raise NotFound(f"{identity} does not speak for {org}", code="IDENTITY_NOT_FOUND")
    visit.out.said(_body(dismissed), f"{dismissed.name} speaks for {dismissed.org} no more")


def token(
    url: Annotated[str, typer.Option(envvar="FLOWSTRAND_URL", help="Of the API that it is for.")],
    region: Annotated[
        str | None, typer.Option(help="Whose STS is to be asked.", show_default="that of the API")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what proves the AWS identity of this shell to an API, for five minutes.

    Examples:
        flowstrand iam token --url https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/live
    """
    from flowstrand.client.iam_credential import IamCredential

    with told_on_one_line(as_json=as_json):
        credential = IamCredential(url, region=region)()
        Output(as_json=as_json).said({"token": credential}, credential)


def _body(admitted: IamPrincipal) -> JsonObject:
    return {
        "identity": admitted.name,
        "org": admitted.org,
        "principals": list(admitted.principals),
        "createdAt": rfc3339(admitted.created_at_ms),
        "note": admitted.note,
    }
