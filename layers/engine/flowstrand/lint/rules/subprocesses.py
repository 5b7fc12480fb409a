"""FS303: other programs."""

from __future__ import annotations

from typing import ClassVar

from flowstrand.lint.rules.named_calls import Advice, NamedCalls

_USE = "use await ctx.run(name, fn) or a task"


class Subprocesses(NamedCalls):
    id = "FS303"
    name = "subprocess"
    summary = "Runs another program: every replay would run it again."
    use = "`ctx.run(name, fn)`, or a task"
    functions: ClassVar[Advice] = {
        **{
            f"os.{function}": _USE for function in ("system", "popen", "startfile", "posix_spawn", "kill", "abort")
        },
        **{f"signal.{function}": _USE for function in ("signal", "alarm", "raise_signal")},
    }
    packages: ClassVar[Advice] = dict.fromkeys(["subprocess.", "os.exec", "os.spawn", "pexpect.", "sh."], _USE)
    harmless = frozenset({"subprocess.list2cmdline", "subprocess.CompletedProcess"})
