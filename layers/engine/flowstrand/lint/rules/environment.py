"""FS105: what differs between the processes that replay one execution."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from flowstrand.lint.place import Place
from flowstrand.lint.rules.named_calls import Advice, NamedCalls
from flowstrand.lint.rules.rule import Fault

_USE = "pass it as input, or read it in await ctx.run(...)"
_MAPPINGS = frozenset({"os.environ", "os.environb"})


class Environment(NamedCalls):
    id = "FS105"
    name = "environment"
    summary = "Reads what belongs to one process: another process replays the execution tomorrow."
    use = "the workflow's input, or `ctx.run(name, fn)`"
    functions: ClassVar[Advice] = {
        **{
            f"os.{function}": _USE
            for function in (
                "getenv", "getenvb", "putenv", "unsetenv", "getpid", "getppid", "getcwd", "cpu_count", "getlogin", "uname",
            )
        },
        **{f"platform.{function}": _USE for function in ("node", "platform", "machine", "system", "release", "uname")},
        "socket.gethostname": _USE,
        "socket.getfqdn": _USE,
        "getpass.getuser": _USE,
        "builtins.id": "compare by value: an object's id differs on every replay",
        "builtins.hash": "use hashlib: hashes of strings differ between processes",
    }  # fmt: skip

    def faults(self, place: Place) -> Iterator[Fault]:
        """Calls, and any use of `os.environ`."""
        yield from super().faults(place)
        match place.node:
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()) as mapping:
                if (name := place.qualified(mapping)) in _MAPPINGS:
                    yield Fault(node=mapping, what=str(name), use=_USE)
            case _:
                pass
