"""FS104: randomness for secrets, which must not be derivable from the log's ids."""

from __future__ import annotations

from typing import ClassVar

from flowstrand.lint.rules.named_calls import Advice, NamedCalls

_USE = 'use await ctx.run("name", fn), which records it, or make the secret in a task'


class Entropy(NamedCalls):
    id = "FS104"
    name = "entropy"
    summary = "Draws secret randomness: every replay would draw other bytes."
    use = "`ctx.run(name, fn)`, or a task that makes and keeps the secret"
    functions: ClassVar[Advice] = {
        "os.urandom": _USE,
        "os.getrandom": _USE,
        "random.SystemRandom": _USE,
        **{
            f"secrets.{function}": _USE
            for function in ("choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe")
        },
    }
    packages: ClassVar[Advice] = {"random.SystemRandom().": _USE, "secrets.SystemRandom": _USE}
