"""Pages that are read from the code at every build: nothing in them is written by hand, so nothing can be out of date."""

from docsite.reference.pages import reference_pages

__all__ = ["reference_pages"]
