"""Asking before something is done, as `rm -i` and `cp -i` do."""

from __future__ import annotations

from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, FILE
from vshell.shell.command import Invocation


def agrees(call: Invocation, question: str) -> bool:
    """Ask on stderr and tell whether the next line of the input says yes."""
    call.stderr.write(f"{call.name}: {question}".encode("utf-8", "surrogateescape"))
    return call.stdin.readline()[:1] in (b"y", b"Y")


def file_type(node: EntryStat) -> str:
    """Return what a file is, as `stat` and `rm -i` say it."""
    if node.kind == DIRECTORY:
        return "directory"
    if node.kind != FILE:
        return "symbolic link"
    return "regular file" if node.size else "regular empty file"
