"""`rm`, `rmdir` and `unlink`."""

from __future__ import annotations

from typing import Final

from vshell.errors import NotDirectoryError, NotFoundError, VshellError
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY
from vshell.shell.asking import agrees, file_type
from vshell.shell.choices import choose
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.messages import quote, quote_typographic, reason
from vshell.shell.nodes import Listing, node_at, typed_join

_WHEN: Final = {
    "never": "never",
    "no": "never",
    "none": "never",
    "once": "once",
    "always": "always",
    "yes": "always",
}
_MANY: Final = 3
"""`rm -I` asks once when there are more operands than this."""


def run_rm(call: Invocation) -> int:
    parsed = call.parsed
    asks, force = _asking(call)
    if not call.operands:
        if force:
            return 0
        raise UsageError("missing operand")
    recursive = parsed.flag("recursive")
    if asks == "once":
        count = len(call.operands)
        if recursive or count > _MANY:
            noun = "argument" if count == 1 else "arguments"
            how = " recursively" if recursive else ""
            if not agrees(call, f"remove {count} {noun}{how}? "):
                return 0
        asks = "never"
    remover = _Remover(
        call,
        recursive=recursive,
        empty=parsed.flag("dir"),
        force=force,
        asks=asks == "always",
        protects_root=parsed.last("preserve-root", "no-preserve-root") != "no-preserve-root",
    )
    with call.context.changing(call.name):
        for operand in call.operands:
            remover.remove(operand)
    return remover.status


def _asking(call: Invocation) -> tuple[str, bool]:
    """Return when to ask, and whether what is missing is no error."""
    asks, force = "never", False
    for name, value in call.parsed.given:
        if name == "force":
            asks, force = "never", True
        elif name in ("i", "I"):
            asks, force = "always" if name == "i" else "once", False
        elif name == "interactive":
            asks = choose("--interactive", value, _WHEN) if value is not None else "always"
            force = force and asks == "never"
    return asks, force


class _Remover:
    def __init__(
        self,
        call: Invocation,
        *,
        recursive: bool,
        empty: bool,
        force: bool,
        asks: bool,
        protects_root: bool,
    ) -> None:
        self._call = call
        self._files = call.context.files
        self._recursive = recursive
        self._empty = empty
        self._force = force
        self._asks = asks
        self._protects_root = protects_root
        self._verbose = call.parsed.flag("verbose")
        self.status = 0

    def remove(self, operand: str) -> None:
        try:
            node = node_at(self._call, operand)
        except (NotFoundError, NotDirectoryError) as error:
            if not self._force:
                self._fail(operand, reason(error))
            return
        except VshellError as error:
            if not (self._force and operand == ""):
                self._fail(operand, reason(error))
            return
        if node.kind == DIRECTORY and not self._may_remove(operand, node):
            return
        try:
            with self._call.context.changing(self._call.name):
                self._remove(operand, node)
        except VshellError as error:
            self._fail(operand, reason(error))

    def _may_remove(self, operand: str, node: EntryStat) -> bool:
        if not (self._recursive or self._empty):
            self._fail(operand, "Is a directory")
            return False
        if operand.rstrip("/").rpartition("/")[2] in (".", ".."):
            self._complain(f"refusing to remove '.' or '..' directory: skipping {quote(operand)}")
            return False
        is_root = self._recursive and self._files.realpath(node.path) == "/"
        if is_root and self._protects_root:
            same = "" if operand == "/" else " (same as '/')"
            self._complain(f"it is dangerous to operate recursively on {quote(operand)}{same}")
            self._call.complain("use --no-preserve-root to override this failsafe")
            return False
        return True

    def _remove(self, operand: str, node: EntryStat) -> None:
        path = self._call.context.resolve(operand)
        if node.kind != DIRECTORY:
            if not self._asks or agrees(self._call, f"remove {file_type(node)} {quote(operand)}? "):
                self._files.unlink(path)
                self._tell(operand, node)
            return
        if not self._recursive:
            if not self._asks or agrees(self._call, f"remove directory {quote(operand)}? "):
                self._files.rmdir(path)
                self._tell(operand, node)
            return
        if not (self._asks or self._verbose):
            self._files.remove_tree(path)
            return
        listing = Listing(self._files, path)
        self._walk(operand, path, listing.top, node, listing)

    def _walk(self, typed: str, path: str, real: str, node: EntryStat, listing: Listing) -> bool:
        """Remove a directory step by step; return whether it is gone."""
        entries = listing.entries(real)
        asks = self._asks and bool(entries)
        if asks and not agrees(self._call, f"descend into directory {quote(typed)}? "):
            return False
        gone = True
        for entry in entries:
            name = entry.path.rpartition("/")[2]
            below = typed_join(typed, name)
            if entry.kind == DIRECTORY:
                gone &= self._walk(below, entry.path, entry.path, entry, listing)
            elif self._asks and not agrees(
                self._call, f"remove {file_type(entry)} {quote(below)}? "
            ):
                gone = False
            else:
                self._files.unlink(entry.path)
                self._tell(below, entry)
        if self._asks and not agrees(self._call, f"remove directory {quote(typed)}? "):
            return False
        if gone:
            self._files.rmdir(path)
            self._tell(typed, node)
        else:
            self._fail(typed, "Directory not empty")
        return gone

    def _tell(self, name: str, node: EntryStat) -> None:
        if self._verbose:
            kind = "directory " if node.kind == DIRECTORY else ""
            self._call.write(f"removed {kind}{quote(name)}\n")

    def _fail(self, name: str, why: str) -> None:
        self._complain(f"cannot remove {quote(name)}: {why}")

    def _complain(self, message: str) -> None:
        self._call.complain(message)
        self.status = 1


def run_rmdir(call: Invocation) -> int:
    if not call.operands:
        raise UsageError("missing operand")
    status = 0
    with call.context.changing(call.name):
        for operand in call.operands:
            status |= _remove_empty(call, operand)
    return status


def _remove_empty(call: Invocation, operand: str) -> int:
    parents = call.parsed.flag("parents")
    path = operand
    while path:
        if call.parsed.flag("verbose"):
            call.write(f"{call.name}: removing directory, {quote(path)}\n")
        try:
            _check_directory(call, path)
            with call.context.changing(call.name):
                call.context.files.rmdir(call.context.resolve(path))
        except VshellError as error:
            if error.code == "not_empty" and call.parsed.flag("ignore-fail-on-non-empty"):
                return 0
            what = "remove directory" if path != operand else "remove"
            call.complain(f"failed to {what} {quote(path)}: {reason(error)}")
            return 1
        path = path.rstrip("/").rpartition("/")[0].rstrip("/") if parents else ""
    return 0


def _check_directory(call: Invocation, path: str) -> None:
    node = node_at(call, path.rstrip("/") or "/")
    if node.kind != DIRECTORY:
        raise NotDirectoryError(f"not a directory: {path}", path=path)


def run_unlink(call: Invocation) -> int:
    if not call.operands:
        raise UsageError("missing operand")
    if len(call.operands) > 1:
        raise UsageError(f"extra operand {quote_typographic(call.operands[1])}")
    operand = call.operands[0]
    try:
        node = node_at(call, operand)
        if node.kind == DIRECTORY:
            call.complain(f"cannot unlink {quote(operand)}: Is a directory")
            return 1
        with call.context.changing(call.name):
            call.context.files.unlink(node.path)
    except VshellError as error:
        call.complain(f"cannot unlink {quote(operand)}: {reason(error)}")
        return 1
    return 0


COMMANDS: Final = (
    Command(
        "rm",
        "[OPTION]... [FILE]...",
        "Remove (unlink) the FILEs.",
        run_rm,
        options=(
            Option(("-f", "--force"), "Ignore nonexistent files and arguments, never ask."),
            Option(("-i",), "Ask before every removal."),
            Option(("-I",), "Ask once before removing more than three files, or recursively."),
            Option(("--interactive",), "Ask: never, once or always.", "WHEN", optional=True),
            Option(("--one-file-system",), "Stay on one file system; there is only one."),
            Option(("--no-preserve-root",), "Do not treat '/' specially."),
            Option(("--preserve-root",), "Do not remove '/'.", "all", optional=True),
            Option(("-r", "-R", "--recursive"), "Remove directories and their contents."),
            Option(("-d", "--dir"), "Remove empty directories."),
            Option(("-v", "--verbose"), "Explain what is being done."),
        ),
    ),
    Command(
        "rmdir",
        "[OPTION]... DIRECTORY...",
        "Remove the DIRECTORY(ies), if they are empty.",
        run_rmdir,
        options=(
            Option(("--ignore-fail-on-non-empty",), "Ignore directories that are not empty."),
            Option(("-p", "--parents"), "Remove DIRECTORY and its ancestors."),
            Option(("-v", "--verbose"), "Say every directory that is processed."),
        ),
    ),
    Command("unlink", "FILE", "Remove the specified FILE.", run_unlink),
)
