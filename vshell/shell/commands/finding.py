"""`find`: the walk; the expressions are read in `find_parse` and mean what `find_tests` says."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Final

from vshell.errors import SymlinkLoopError, VshellError
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import BufferedOutput
from vshell.shell.commands.find_entry import Found, Run, Stop
from vshell.shell.commands.find_parse import parse_find
from vshell.shell.commands.find_quick import answer, read_question
from vshell.shell.messages import quote_typographic, reason
from vshell.shell.nodes import Listing, stat_node, typed_join


def run_find(call: Invocation) -> int:
    question = read_question(call.operands)
    if question is not None and answer(call, question):
        return 0
    with BufferedOutput(call.stdout) as out:
        run = Run(call, out)
        plan = parse_find(call, run)
        for warning in plan.warnings:
            call.complain(f"warning: {warning}")
        changes = call.context.changing(call.name) if plan.deletes and not plan.executes else None
        with changes or nullcontext():
            walker = _Walker(call, run)
            try:
                for start in plan.starts:
                    walker.start(start)
            except Stop:
                pass
            run.finish()
    return run.status


class _Walker:
    def __init__(self, call: Invocation, run: Run) -> None:
        self._call = call
        self._files = call.context.files
        self._run = run

    def start(self, typed: str) -> None:
        run = self._run
        try:
            node = stat_node(self._files, self._call.context.resolve(typed))
            if typed.endswith("/") and node.kind == SYMLINK:
                node = stat_node(self._files, self._call.context.resolve(typed), follow=True)
            led_to = self._led_to(node) if run.follow != "never" else None
        except VshellError as error:
            run.fail(f"{quote_typographic(typed)}: {reason(error)}")
            return
        top = led_to or node
        run.start = typed
        listing = None
        if top.kind == DIRECTORY and run.max_depth > 0:
            listing = self._read(top.path, run.max_depth)
        run.listing = listing
        self._visit(Found(typed, top, 0, typed), listing, (top.inode,))

    def _read(self, path: str, depth: int) -> Listing:
        return Listing(self._files, path, max_depth=depth if depth < 1 << 30 else None)

    def _led_to(self, node: EntryStat) -> EntryStat | None:
        """Return what a link leads to; None when it leads nowhere, or is none."""
        if node.kind != SYMLINK:
            return None
        try:
            return stat_node(self._files, node.path, follow=True)
        except SymlinkLoopError:
            raise
        except VshellError:
            return None

    def _visit(self, found: Found, listing: Listing | None, above: tuple[int, ...]) -> None:
        """Judge one thing and what is below it, with a stack of our own: trees are deep."""
        run = self._run
        pending: list[tuple[Found, Listing | None, tuple[int, ...], bool]] = [
            (found, listing, above, False)
        ]
        while pending:
            one, tree, line, is_left = pending.pop()
            if is_left:
                self._judge(one)
                continue
            is_directory = one.node.kind == DIRECTORY
            if run.depth_first:
                if not is_directory:
                    self._judge(one)
                    continue
                pending.append((one, tree, line, True))
            else:
                run.pruned = False
                self._judge(one)
                if run.pruned:
                    continue
            if is_directory and one.depth < run.max_depth and tree is not None:
                pending += reversed(self._below(one, tree, line))

    def _judge(self, found: Found) -> None:
        run = self._run
        if run.min_depth <= found.depth <= run.max_depth:
            run.expression(found)

    def _below(
        self, one: Found, tree: Listing, line: tuple[int, ...]
    ) -> list[tuple[Found, Listing | None, tuple[int, ...], bool]]:
        below: list[tuple[Found, Listing | None, tuple[int, ...], bool]] = []
        real = tree.top if one.depth == 0 or one.is_link else one.node.path
        for entry in tree.entries(real):
            name = entry.path.rpartition("/")[2]
            typed = typed_join(one.path, name)
            child = Found(typed, entry, one.depth + 1, self._run.start)
            subtree: Listing | None = tree
            if entry.kind == SYMLINK and self._run.follow == "always":
                try:
                    led_to = self._led_to(entry)
                except VshellError as error:
                    self._run.fail(f"{quote_typographic(typed)}: {reason(error)}")
                    continue
                if led_to is not None:
                    child = Found(typed, led_to, one.depth + 1, self._run.start, is_link=True)
                    if led_to.kind == DIRECTORY and led_to.inode not in line:
                        subtree = self._read(led_to.path, self._run.max_depth - child.depth)
            chain = line
            if child.node.kind == DIRECTORY:
                if child.node.inode in line:
                    other = one.ancestor(line.index(child.node.inode))
                    self._run.fail(
                        f"File system loop detected; {quote_typographic(typed)} is part of"
                        f" the same file system loop as {quote_typographic(other)}."
                    )
                    continue
                chain = (*line, child.node.inode)
            below.append((child, subtree, chain, False))
        return below


_TESTS: Final = (
    "Operators, by falling precedence: ( EXPR ), ! EXPR, EXPR -a EXPR, EXPR -o EXPR, EXPR , EXPR\n"
    "Options: -depth -daystart -maxdepth N -mindepth N -mount -regextype TYPE -follow\n"
    "Tests (N can be +N or -N or N): -amin N -anewer FILE -atime N -cmin N -cnewer FILE -ctime N"
    " -empty -executable -false -fstype TYPE -gid N -group NAME -ilname PATTERN -iname PATTERN"
    " -inum N -ipath PATTERN -iregex PATTERN -links N -lname PATTERN -mmin N -mtime N"
    " -name PATTERN -newer FILE -newerXY REFERENCE -nogroup -nouser -path PATTERN"
    " -perm [-/]MODE -readable -regex PATTERN -samefile FILE -size N[bcwkMG] -true"
    " -type [bcdpflsD] -uid N -user NAME -writable -xtype [bcdpfls]\n"
    "Actions: -delete -print0 -printf FORMAT -fprintf FILE FORMAT -print -fprint0 FILE"
    " -fprint FILE -ls -fls FILE -prune -quit -exec COMMAND ; -exec COMMAND {} + -ok COMMAND ;"
    " -execdir COMMAND ; -execdir COMMAND {} + -okdir COMMAND ;"
)

COMMANDS: Final = (
    Command(
        "find",
        "[-H] [-L] [-P] [path...] [expression]",
        "Search for files in a directory hierarchy.",
        run_find,
        raw=True,
        options=(
            Option(("-P",), "Never follow symbolic links (the default)."),
            Option(("-L",), "Follow symbolic links."),
            Option(("-H",), "Follow links among the starting points."),
        ),
        description=_TESTS,
    ),
)
