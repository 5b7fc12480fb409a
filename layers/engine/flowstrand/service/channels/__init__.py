"""Channels: streams that users make, append to and read, each on a log of its own.

What makes a channel is its directory row (`rows`), which names the log; what is in it are the log's commits, one for each append
(`appending`). A commit's checkpoint (`state`) holds all that the next append has to know, so that it reads the tail and nothing
else (law 11). A channel that was deleted, or whose time has run out, has no row, and its log is left to the janitor (`cleaning`).
"""
