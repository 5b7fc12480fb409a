"""Who is calling: API keys, tokens of an identity provider, and AWS's own identities, told apart by their shape."""
