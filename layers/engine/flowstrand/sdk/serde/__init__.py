"""Values to JSON and back: by their declared type, or by their own where none is declared."""

from flowstrand.sdk.serde.codec import Serde

__all__ = ["Serde"]
