"""The Durable Streams protocol (github.com/durable-streams/durable-streams, PROTOCOL.md, version 1.0): reading logs under it.

Executions' logs, orgs' feeds and channels are read alike: each is a `source`, and `reading` answers with a page of it, with a held
request, or with Server-Sent Events.
"""
