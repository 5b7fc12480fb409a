"""The API's description: one `Operation` per route, and the OpenAPI document made of them and of the routes' own models.

No handler imports this: it is for `./scripts/openapi` and for tests, which hold it against what handlers do.
"""
