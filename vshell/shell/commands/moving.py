"""`mv`."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.fs.paths import is_below
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY
from vshell.shell.asking import agrees
from vshell.shell.backups import Backups
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import open_input, write_file
from vshell.shell.destinations import TARGET_OPTIONS, destinations
from vshell.shell.messages import quote, reason
from vshell.shell.nodes import node_at, stat_node


def run_mv(call: Invocation) -> int:
    pairs = destinations(call)
    mover = _Mover(call)
    with call.context.changing(call.name):
        for source, target in pairs:
            mover.move(source, target)
    return mover.status


class _Mover:
    def __init__(self, call: Invocation) -> None:
        self._call = call
        self._files = call.context.files
        self._backups = Backups(call)
        self._made: set[str] = set()
        self._overwrites = call.parsed.last("force", "interactive", "no-clobber") or "force"
        self._newer_only = call.parsed.flag("update")
        self.status = 0

    def move(self, source: str, target: str) -> None:
        if self._call.parsed.flag("strip-trailing-slashes"):
            source = source.rstrip("/") or source
        try:
            node = node_at(self._call, source.rstrip("/") or source)
            if source.endswith("/"):
                node_at(self._call, source)
        except VshellError as error:
            self._fail(f"cannot stat {quote(source)}: {reason(error)}")
            return
        try:
            with self._call.context.changing(self._call.name):
                self._move(source, node, target)
        except VshellError as error:
            self._fail(f"cannot move {quote(source)} to {quote(target)}: {reason(error)}")

    def _move(self, source: str, node: EntryStat, target: str) -> None:
        if target == "/dev/null":
            write_file(self._call, target, open_input(self._call, source).read())
            self._files.unlink(node.path)
            return
        path = self._call.context.resolve(target)
        there = self._at(path)
        saved = None
        if there is not None:
            if not self._may_replace(source, node, target, there):
                return
            saved = self._backups.save(target)
        if self._goes_into_itself(node, path):
            self._fail(f"cannot move {quote(source)} to a subdirectory of itself, {quote(target)}")
            return
        if target.endswith("/") and there is None and node.kind != DIRECTORY:
            self._fail(f"cannot move {quote(source)} to {quote(target)}: Not a directory")
            return
        if there is not None and saved is None and there.kind != DIRECTORY:
            self._call.context.require_seen(path)
        self._files.rename(node.path, path)
        self._made.add(path)
        if self._call.parsed.flag("verbose"):
            backup = f" (backup: {quote(saved)})" if saved else ""
            self._call.write(f"renamed {quote(source)} -> {quote(target)}{backup}\n")

    def _at(self, path: str) -> EntryStat | None:
        try:
            return stat_node(self._files, path)
        except VshellError:
            return None

    def _goes_into_itself(self, node: EntryStat, path: str) -> bool:
        if node.kind != DIRECTORY:
            return False
        parent = path.rpartition("/")[0] or "/"
        try:
            return is_below(self._files.realpath(parent), self._files.realpath(node.path))
        except VshellError:
            return False

    def _may_replace(self, source: str, node: EntryStat, target: str, there: EntryStat) -> bool:
        if node.inode == there.inode:
            self._fail(f"{quote(source)} and {quote(target)} are the same file")
            return False
        if node.kind == DIRECTORY and there.kind != DIRECTORY:
            self._fail(
                f"cannot overwrite non-directory {quote(target)} with directory {quote(source)}"
            )
            return False
        if node.kind != DIRECTORY and there.kind == DIRECTORY:
            self._fail(f"cannot overwrite directory {quote(target)} with non-directory")
            return False
        if there.path in self._made and not self._backups.wanted:
            self._fail(f"will not overwrite just-created {quote(target)} with {quote(source)}")
            return False
        if self._newer_only and node.kind != DIRECTORY and there.mtime_ns >= node.mtime_ns:
            return False
        if self._overwrites == "no-clobber":
            return False
        return self._overwrites != "interactive" or agrees(
            self._call, f"overwrite {quote(target)}? "
        )

    def _fail(self, message: str) -> None:
        self._call.complain(message)
        self.status = 1


COMMANDS: Final = (
    Command(
        "mv",
        "[OPTION]... [-T] SOURCE DEST\n  or:  mv [OPTION]... SOURCE... DIRECTORY",
        "Rename SOURCE to DEST, or move SOURCE(s) to DIRECTORY.",
        run_mv,
        options=(
            Option(("-b",), "Make a backup of each existing destination file."),
            Option(("--backup",), "Likewise: none, numbered, existing or simple.", "CONTROL", True),
            Option(("-f", "--force"), "Do not prompt before overwriting."),
            Option(("-i", "--interactive"), "Prompt before overwrite."),
            Option(("-n", "--no-clobber"), "Do not overwrite an existing file."),
            Option(("--strip-trailing-slashes",), "Remove trailing slashes from each SOURCE."),
            Option(("-S", "--suffix"), "Override the usual backup suffix.", "SUFFIX"),
            *TARGET_OPTIONS,
            Option(("-u", "--update"), "Move only when the SOURCE file is newer, or new."),
            Option(("-v", "--verbose"), "Explain what is being done."),
        ),
    ),
)
