"""Copying files and trees step by step, as `cp` and `install` do it."""

from __future__ import annotations

from dataclasses import dataclass

from vshell.errors import NotFoundError, VshellError
from vshell.fs.paths import is_below
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.shell.asking import agrees
from vshell.shell.backups import Backups
from vshell.shell.command import Invocation
from vshell.shell.command_io import open_input, write_file
from vshell.shell.messages import quote, reason
from vshell.shell.modes import umask_of
from vshell.shell.nodes import Listing, node_at, stat_node, typed_join
from vshell.shell.shell_files import ShellFiles

_SPECIAL_BITS = 0o7000
"""Bits that a copy does not get, as it does not get those of the umask, unless modes are kept."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How to copy; the options of `cp` say most of it.

    Attributes:
        follow: Which links stand for what they lead to: `never`, `operands` or `always`.
        mode: The mode that every copy gets; None for the source's.
        plain_mode: Whether the source's mode has no say.
    """

    recursive: bool = False
    follow: str = "always"
    keeps_mode: bool = False
    keeps_times: bool = False
    keeps_links: bool = False
    overwrites: str = "always"
    newer_only: bool = False
    verbose: bool = False
    hard: bool = False
    symbolic: bool = False
    removes_first: bool = False
    forced: bool = False
    attributes_only: bool = False
    plain_mode: bool = False
    as_file: bool = False
    strips_slashes: bool = False
    mode: int | None = None
    compares: bool = False


class Copier:
    """Copies; `status` is 1 when something could not be."""

    def __init__(self, call: Invocation, rules: Rules, backups: Backups) -> None:
        self._call = call
        self._files = call.context.files
        self._rules = rules
        self._backups = backups
        self._made: dict[str, str] = {}
        self._links: dict[int, str] = {}
        self.status = 0

    def run(self, source: str, target: str) -> None:
        """Copy what is at one path to exactly another, both as they were typed."""
        if self._rules.strips_slashes:
            source = source.rstrip("/") or source
        try:
            with self._call.context.changing(self._call.name):
                if self._copy_device(source, target):
                    return
                node = self._look(source, is_operand=True)
                if node is not None:
                    self._copy(source, node, target)
        except VshellError as error:
            self._fail(f"cannot create regular file {quote(target)}: {reason(error)}")

    def run_with_parents(self, source: str, directory: str) -> None:
        """Copy what is at a path to the same path below a directory."""
        names = source.strip("/").split("/")
        typed, made = ("/" if source.startswith("/") else ""), directory
        for name in names[:-1]:
            typed, made = f"{typed}{name}", typed_join(made, name)
            try:
                node = node_at(self._call, typed, follow=True)
            except VshellError as error:
                self._fail(f"failed to get attributes of {quote(typed)}: {reason(error)}")
                return
            path = self._call.context.resolve(made)
            if not self._files.exists(path):
                self._files.mkdir(path, mode=node.mode & 0o777 & ~umask_of(self._files))
                if self._rules.verbose:
                    self._call.write(f"{typed} -> {made}\n")
            typed += "/"
        self.run(source, typed_join(made, names[-1]))

    def _look(self, source: str, *, is_operand: bool) -> EntryStat | None:
        follow = self._rules.follow
        follows = follow == "always" or (follow == "operands" and is_operand)
        try:
            return node_at(self._call, source, follow=follows)
        except VshellError as error:
            self._fail(f"cannot stat {quote(source)}: {reason(error)}")
            return None

    def _copy_device(self, source: str, target: str) -> bool:
        """Copy from or to a device; tell whether one of them is one."""
        files = self._files
        is_device = isinstance(files, ShellFiles) and files.is_device(source)
        is_device = is_device or source.startswith("/dev/fd/")
        if is_device or (source.startswith("/dev/") and not files.exists(source)):
            data = open_input(self._call, source, dash=False).read()
            write_file(self._call, target, data)
            return True
        if target in ("/dev/null", "/dev/stdout", "/dev/stderr"):
            write_file(self._call, target, open_input(self._call, source, dash=False).read())
            return True
        return False

    def _copy(self, source: str, node: EntryStat, target: str) -> None:
        """Copy one thing, checking what is where it goes."""
        if node.kind == DIRECTORY and not self._rules.recursive:
            prefix = "" if self._rules.mode is not None else "-r not specified; "
            self._fail(f"{prefix}omitting directory {quote(source)}")
            return
        path = self._call.context.resolve(target)
        there = self._at(path)
        if node.kind == DIRECTORY:
            self._copy_directory(source, node, target, path, there)
            return
        if there is not None:
            if not self._may_replace(source, node, target, there):
                return
            there = self._at(path)
        elif target.endswith("/"):
            self._fail(f"cannot create regular file {quote(target)}: Not a directory")
            return
        try:
            self._place(source, node, target, path, there)
        except VshellError as error:
            if error.code not in ("not_found", "not_directory", "name_too_long"):
                raise
            kind = "symbolic link" if node.kind == SYMLINK else "regular file"
            self._fail(f"cannot create {kind} {quote(target)}: {reason(error)}")
            return
        self._made[path] = source

    def _at(self, path: str) -> EntryStat | None:
        try:
            return stat_node(self._files, path)
        except VshellError:
            return None

    def _may_replace(self, source: str, node: EntryStat, target: str, there: EntryStat) -> bool:
        """Find out whether a file may take the place of what is there, and make room for it."""
        rules = self._rules
        led_to = self._led_to(there)
        if self._is_same(node, there, led_to):
            self._fail(f"{quote(source)} and {quote(target)} are the same file")
            return False
        if there.path in self._made and not self._backups.wanted:
            self._fail(f"will not overwrite just-created {quote(target)} with {quote(source)}")
            return False
        final = led_to or there
        if final.kind == DIRECTORY and (there.kind == DIRECTORY or node.kind != SYMLINK):
            self._fail(f"cannot overwrite directory {quote(target)} with non-directory")
            return False
        if rules.newer_only and final.mtime_ns >= node.mtime_ns:
            return False
        if rules.overwrites == "never":
            return False
        if rules.overwrites == "ask" and not agrees(self._call, f"overwrite {quote(target)}? "):
            return False
        if rules.compares and self._is_identical(node, there):
            return False
        return self._make_room(node, target, there, led_to)

    def _is_same(self, node: EntryStat, there: EntryStat, led_to: EntryStat | None) -> bool:
        rules = self._rules
        if rules.hard and node.inode == there.inode:
            return False
        if self._backups.wanted and node.path != there.path:
            return False
        if rules.removes_first or rules.symbolic:
            return node.inode == there.inode and node.path == there.path
        if node.kind == SYMLINK:
            return node.inode == there.inode
        return node.inode == (led_to or there).inode

    def _led_to(self, there: EntryStat) -> EntryStat | None:
        if there.kind != SYMLINK:
            return None
        try:
            return stat_node(self._files, there.path, follow=True)
        except VshellError:
            return None

    def _is_identical(self, node: EntryStat, there: EntryStat) -> bool:
        if there.kind != FILE or there.mode != self._rules.mode:
            return False
        return self._files.stat(node.path).hash == self._files.stat(there.path).hash

    def _make_room(
        self, node: EntryStat, target: str, there: EntryStat, led_to: EntryStat | None
    ) -> bool:
        rules = self._rules
        if self._backups.wanted:
            self._saved = self._backups.save(target)
            return True
        replaced = node.kind == SYMLINK or rules.removes_first or rules.hard or rules.symbolic
        if (rules.hard or rules.symbolic) and not (rules.forced or rules.removes_first):
            if rules.hard and node.inode == there.inode:
                return False
            kind = "hard" if rules.hard else "symbolic"
            self._fail(
                f"cannot create {kind} link {quote(target)} to {quote(node.path)}: File exists"
            )
            return False
        if replaced:
            self._files.unlink(there.path)
            if rules.removes_first and rules.verbose:
                self._call.write(f"removed {quote(target)}\n")
        elif there.kind == SYMLINK and led_to is None:
            self._fail(f"not writing through dangling symlink {quote(target)}")
            return False
        return True

    _saved: str | None = None

    def _place(
        self, source: str, node: EntryStat, target: str, path: str, there: EntryStat | None
    ) -> None:
        """Put the copy there, where a file that stays a file may be."""
        rules, files = self._rules, self._files
        if rules.hard:
            files.link(node.path, path)
        elif rules.symbolic:
            if not source.startswith("/") and "/" in target.rstrip("/").removeprefix("./"):
                self._fail(f"{target}: can make relative symbolic links only in current directory")
                return
            files.symlink(source, path)
        elif rules.keeps_links and node.nlink > 1 and node.inode in self._links:
            if there is not None:
                files.unlink(path)
            files.link(self._links[node.inode], path)
        elif rules.attributes_only:
            if there is None:
                files.write(path, b"", mode=self._mode(node))
            elif rules.keeps_mode:
                files.chmod(path, node.mode)
        else:
            self._put(node, path, there)
        self._links.setdefault(node.inode, path)
        if rules.verbose:
            saved = f" (backup: {quote(self._saved)})" if self._saved else ""
            self._call.write(f"{quote(source)} -> {quote(target)}{saved}\n")
        self._saved = None

    def _put(self, node: EntryStat, path: str, there: EntryStat | None) -> None:
        rules, files = self._rules, self._files
        source = node.path if node.kind == SYMLINK else files.realpath(node.path)
        if there is None:
            files.copy_entry(source, path, preserve=rules.keeps_times)
            wanted = self._mode(node)
            if node.kind != SYMLINK and files.stat(path).mode != wanted:
                files.chmod(path, wanted)
            if rules.keeps_times and (node.kind != SYMLINK):
                files.utime(path, node.mtime_ns)
            return
        self._call.context.require_seen(path)
        files.overwrite_from(source, path)
        if rules.keeps_mode:
            files.chmod(path, node.mode)
        if rules.keeps_times:
            files.utime(path, node.mtime_ns)

    def _mode(self, node: EntryStat) -> int:
        rules = self._rules
        if rules.mode is not None:
            return rules.mode
        if rules.keeps_mode:
            return node.mode
        if rules.plain_mode:
            return (0o777 if node.kind == DIRECTORY else 0o666) & ~umask_of(self._files)
        return node.mode & 0o777 & ~umask_of(self._files)

    # Directories.

    def _copy_directory(
        self, source: str, node: EntryStat, target: str, path: str, there: EntryStat | None
    ) -> None:
        led_to = self._led_to(there) if there is not None else None
        final = led_to or there
        if final is not None and final.kind != DIRECTORY:
            self._fail(
                f"cannot overwrite non-directory {quote(target)} with directory {quote(source)}"
            )
            return
        if led_to is not None and self._rules.as_file:
            self._fail(
                f"cannot overwrite non-directory {quote(target)} with directory {quote(source)}"
            )
            return
        real = self._files.realpath(node.path)
        if self._goes_into(real, path, there):
            self._fail(f"cannot copy a directory, {quote(source)}, into itself, {quote(target)}")
            return
        listing = Listing(self._files, real)
        if there is None and self._is_simple(listing, node):
            self._copy_whole(real, node, target, path)
            return
        self._fill(source, node, target, path, listing)

    def _goes_into(self, real: str, path: str, there: EntryStat | None) -> bool:
        if there is not None:
            goal = self._files.realpath(path)
            return goal != real and is_below(goal, real) if goal != real else True
        parent = path.rpartition("/")[0] or "/"
        try:
            return is_below(self._files.realpath(parent), real)
        except VshellError:
            return False

    def _is_simple(self, listing: Listing, node: EntryStat) -> bool:
        """Whether the tree can be copied as a whole: nothing in it needs looking at."""
        rules = self._rules
        if rules.verbose or rules.hard or rules.symbolic or rules.attributes_only:
            return False
        if rules.follow == "always" or rules.plain_mode or rules.mode is not None:
            return False
        entries = [*listing.below(listing.top), node]
        if rules.keeps_links and any(e.kind != DIRECTORY and e.nlink > 1 for e in entries):
            return False
        lost = _SPECIAL_BITS | umask_of(self._files)
        unusual = any(e.kind != SYMLINK and e.mode & lost for e in entries)
        return rules.keeps_mode or not unusual

    def _copy_whole(self, real: str, node: EntryStat, target: str, path: str) -> None:
        try:
            self._files.copy_tree(real, path, preserve=self._rules.keeps_times)
        except NotFoundError as error:
            self._fail(f"cannot create directory {quote(target)}: {reason(error)}")
            return
        if self._rules.keeps_times:
            self._files.utime(path, node.mtime_ns)

    def _fill(self, source: str, node: EntryStat, target: str, path: str, listing: Listing) -> None:
        """Copy what is in a directory into one, which is made when it is missing."""
        rules = self._rules
        is_new = not self._files.exists(path)
        if is_new:
            try:
                self._files.mkdir(path, mode=self._mode(node))
            except VshellError as error:
                self._fail(f"cannot create directory {quote(target)}: {reason(error)}")
                return
            if rules.verbose:
                self._call.write(f"{quote(source)} -> {quote(target)}\n")
        for entry in listing.entries(self._files.realpath(node.path)):
            name = entry.path.rpartition("/")[2]
            self._fill_one(typed_join(source, name), entry, typed_join(target, name), listing)
        if rules.keeps_mode:
            self._files.chmod(path, node.mode)
        if rules.keeps_times:
            self._files.utime(path, node.mtime_ns)

    def _fill_one(self, source: str, entry: EntryStat, target: str, listing: Listing) -> None:
        found: EntryStat | None = entry
        if entry.kind == SYMLINK and self._rules.follow == "always":
            found = self._look(source, is_operand=False)
        if found is None:
            return
        if found.kind != DIRECTORY or found is not entry:
            self._copy(source, found, target)
            return
        path = self._call.context.resolve(target)
        there = self._at(path)
        if there is not None and (self._led_to(there) or there).kind != DIRECTORY:
            self._fail(
                f"cannot overwrite non-directory {quote(target)} with directory {quote(source)}"
            )
            return
        self._fill(source, found, target, path, listing)

    def _fail(self, message: str) -> None:
        self._call.complain(message)
        self.status = 1
