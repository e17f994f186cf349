"""The commands: which there are, loaded when they are first used.

Each module has `COMMANDS`, a tuple of `Command`. A worker that starts imports none.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Final

from vshell.shell.command import Command

MODULES: Final[dict[str, tuple[str, ...]]] = {
    "copying": ("cp", "install"),
    "diff3": ("diff3",),
    "diffing": ("diff",),
    "sdiff": ("sdiff",),
    "fd": ("fd", "fdfind"),
    "file": ("file",),
    "finding": ("find",),
    "grep": ("egrep", "fgrep", "grep", "rgrep"),
    "helping": ("help",),
    "history": ("history", "log", "redo", "restore", "snapshot", "undo"),
    "linking": ("link", "ln", "readlink", "realpath"),
    "ls": ("dir", "ls", "vdir"),
    "making": ("mkdir", "mktemp"),
    "manual": ("man", "which"),
    "matching": ("cmp", "comm"),
    "moving": ("mv",),
    "patching": ("patch",),
    "permissions": ("chgrp", "chmod", "chown"),
    "removing": ("rm", "rmdir", "unlink"),
    "ripgrep": ("rg",),
    "moreutils": ("sponge", "ts"),
    "showing": ("cat", "head", "tail", "tee"),
    "df": ("df",),
    "du": ("du",),
    "stat": ("stat",),
    "syncing": ("vshell-sync",),
    "touching": ("touch", "truncate"),
    "tree": ("tree",),
    "programs": ("js", "node", "python", "python3"),
    "xargs": ("xargs",),
    "naming": ("basename", "dirname", "pathchk"),
    "checksums": (
        "b2sum",
        "cksum",
        "md5sum",
        "sha1sum",
        "sha224sum",
        "sha256sum",
        "sha384sum",
        "sha512sum",
        "sum",
    ),
    "wc": ("wc",),
    "sort": ("sort",),
    "uniq": ("uniq",),
    "cut": ("cut",),
    "paste": ("paste",),
    "pr": ("pr",),
    "paging": ("bzless", "less", "more", "xzless", "zless", "zmore"),
    "zgrep": (
        "bzegrep",
        "bzfgrep",
        "bzgrep",
        "xzegrep",
        "xzfgrep",
        "xzgrep",
        "zegrep",
        "zfgrep",
        "zgrep",
    ),
    "running": ("setsid", "stdbuf", "stty"),
    "tput": ("tput",),
    "col": ("col", "colrm"),
    "compress": ("bunzip2", "bzcat", "bzip2", "gunzip", "gzip", "unxz", "xz", "xzcat", "zcat"),
    "bc": ("bc",),
    "dc": ("dc",),
    "tar": ("tar",),
    "convert": ("dd", "iconv"),
    "getopt": ("getopt",),
    "cal": ("cal", "uuidgen"),
    "csplit": ("csplit",),
    "split": ("split",),
    "numfmt": ("numfmt",),
    "column": ("column",),
    "fmt": ("fmt",),
    "shuf": ("shuf",),
    "tsort": ("tsort",),
    "awk": ("awk", "gawk", "mawk", "nawk"),
    "jq": ("jq",),
    "yq": ("yq",),
    "zip": ("unzip", "zip"),
    "od": ("od",),
    "hexdump": ("hexdump", "hd"),
    "xxd": ("xxd",),
    "strings": ("strings",),
    "seq": ("seq",),
    "factor": ("factor",),
    "expr": ("expr",),
    "date": ("date",),
    "encodings": ("base64", "base32", "basenc"),
    "environment": ("env", "printenv"),
    "identity": ("arch", "groups", "hostname", "id", "nproc", "tty", "uname", "whoami"),
    "waiting": ("sleep", "timeout", "yes"),
    "sed": ("sed",),
    "join": ("join",),
    "tr": ("tr",),
    "rev": ("rev",),
    "tac": ("tac",),
    "nl": ("nl",),
    "fold": ("fold",),
    "expand": ("expand", "unexpand"),
}
"""The names of the commands, aliases included, by the module that has them."""

_MODULE_OF: Final = {name: module for module, names in MODULES.items() for name in names}
_LOADED: Final[dict[str, Command]] = {}


def names() -> list[str]:
    """Return what commands can be called by, sorted; imports none of them."""
    return sorted(_MODULE_OF)


def find(name: str) -> Command | None:
    """Return the command of that name or alias, or None when there is none."""
    found = _LOADED.get(name)
    if found is None and name in _MODULE_OF:
        module = import_module(f"{__name__}.{_MODULE_OF[name]}")
        for command in module.COMMANDS:
            for each in (command.name, *command.aliases):
                _LOADED[each] = command
        found = _LOADED.get(name)
    return found


def every() -> Iterator[Command]:
    """Yield all commands by their names, without aliases; imports all of them."""
    for name in names():
        command = find(name)
        if command is not None and command.name == name:
            yield command


def summaries() -> dict[str, str]:
    """Return what each command does, by name; imports all of them."""
    return {command.name: command.summary for command in every()}
