"""FS301: files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from flowstrand.lint.rules.named_calls import Advice, NamedCalls

_USE = "use await ctx.run(name, fn) or a task"

_OS = (
    "access chdir chmod chown fdopen link listdir lstat makedirs mkdir open read readlink remove removedirs rename renames "
    "replace rmdir scandir stat symlink truncate unlink utime walk write"
)
_OS_PATH = "exists getatime getctime getmtime getsize isdir isfile islink ismount lexists realpath samefile"
_PATH = (
    "absolute chmod copy copy_into cwd exists expanduser glob group hardlink_to home is_dir is_file is_mount is_symlink "
    "iterdir lchmod lstat mkdir move open owner read_bytes read_text readlink rename replace resolve rglob rmdir samefile "
    "stat symlink_to touch unlink walk write_bytes write_text"
)


def _each(prefix: str, names: str) -> Iterable[str]:
    return (f"{prefix}{name}" for name in names.split())


class Files(NamedCalls):
    id = "FS301"
    name = "files"
    summary = "Reads or writes files: what they hold differs between replays, and writing repeats."
    use = "`ctx.run(name, fn)`, or a task"
    functions: ClassVar[Advice] = dict.fromkeys(
        [
            "builtins.open",
            "io.open",
            "codecs.open",
            "glob.glob",
            "glob.iglob",
            *_each("os.", _OS),
            *_each("os.path.", _OS_PATH),
            *_each("pathlib.Path().", _PATH),
            *_each("pathlib.Path.", "cwd home"),
        ],
        _USE,
    )
    packages: ClassVar[Advice] = dict.fromkeys(
        ["shutil.", "tempfile.", "sqlite3.", "dbm.", "shelve.", "aiofiles."], _USE
    )
    harmless = frozenset({"shutil.get_terminal_size"})
