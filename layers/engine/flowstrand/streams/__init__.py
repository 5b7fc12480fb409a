"""Streams: catch-up and live reading of a log over one response, and how it is framed."""
