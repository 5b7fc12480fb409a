"""`Unverifiable`: whoever could vouch for a caller does not answer."""

from __future__ import annotations

from flowstrand.errors import StoreUnavailable


class Unverifiable(StoreUnavailable):
    """It cannot be found out now who is calling, so nobody is; repeat it."""

    code = "CALLER_UNVERIFIABLE"
