"""Comparing two files or two trees for `diff`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vshell.errors import NotFoundError, VshellError
from vshell.fs.paths import encode
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.shell.asking import file_type
from vshell.shell.command import Invocation
from vshell.shell.command_io import BufferedOutput, open_input, to_bytes
from vshell.shell.commands.diff_formats import Pair, render
from vshell.shell.commands.diffing.settings import excluded, rules, style
from vshell.shell.comparing import compare
from vshell.shell.messages import quote_if_needed, reason
from vshell.shell.nodes import node_at, typed_join
from vshell.shell.timeformat import format_time, zone_of
from vshell.shell.wildcards import wildcard_matches
from vshell.text.unified import split_lines

_TROUBLE: Final = 2
_BINARY_BYTES: Final = 32_768


@dataclass
class _Side:
    """One of the two things that are compared; without a node, nothing is there."""

    name: str
    node: EntryStat | None
    is_stream: bool = False

    @property
    def is_directory(self) -> bool:
        return self.node is not None and self.node.kind == DIRECTORY


class Differ:
    def __init__(self, call: Invocation, out: BufferedOutput, switches: str) -> None:
        self._call = call
        self._out = out
        self._parsed = parsed = call.parsed
        self._style = style(call)
        self._rules = rules(parsed)
        self._brief = parsed.flag("brief")
        self._excluded = excluded(call)
        self._zone = zone_of(call.environment)
        self._labels = parsed.values("label")
        self._switches = switches

    def run(self, old: str, new: str) -> int:
        """Compare two operands; return 0, 1 when they differ, 2 when that failed."""
        left, right = self._side(old), self._side(new)
        if old == new == "-" and left is not None and right is not None:
            return self._same(left, right)
        if left is None or right is None:
            return _TROUBLE
        if left.is_directory != right.is_directory:
            if left.is_directory and right.node is not None:
                left = self._inside(left, right)
            elif right.is_directory and left.node is not None:
                right = self._inside(right, left)
            if left is None or right is None:
                return _TROUBLE
        if (left.node is None and not left.is_stream) or (
            right.node is None and not right.is_stream
        ):
            return self._one_missing(left, right)
        if left.is_directory and right.is_directory:
            return self._directories(left, right, is_top=True)
        return self._files(left, right)

    def _side(self, name: str) -> _Side | None:
        if name == "-" or name.startswith("/dev/"):
            return _Side(name, None, is_stream=True)
        follow = not self._parsed.flag("no-dereference")
        try:
            return _Side(name, node_at(self._call, name, follow=follow))
        except NotFoundError:
            if self._call.services.get("inputs") is not None:
                try:
                    open_input(self._call, name)
                    return _Side(name, None, is_stream=True)
                except VshellError:
                    pass
            return _Side(name, None)
        except VshellError as error:
            self._fail(name, error)
            return None

    def _fail(self, name: str, error: VshellError) -> None:
        self._out.flush()
        self._call.complain(f"{name}: {reason(error)}")

    def _inside(self, directory: _Side, file: _Side) -> _Side | None:
        base = file.name.rstrip("/").rpartition("/")[2]
        return self._side(typed_join(directory.name, base))

    def _one_missing(self, left: _Side, right: _Side) -> int:
        """Compare with nothing, when that is asked for."""
        new_file = self._parsed.flag("new-file")
        first_only = self._parsed.flag("unidirectional-new-file")
        missing = [side for side in (left, right) if side.node is None and not side.is_stream]
        allowed = new_file or (first_only and missing == [left])
        if not allowed or len(missing) == 2:
            self._out.flush()
            for side in missing:
                self._call.complain(f"{side.name}: No such file or directory")
            return _TROUBLE
        if left.is_directory or right.is_directory:
            return self._directories(left, right, is_top=True)
        return self._files(left, right)

    # Files.

    def _files(self, left: _Side, right: _Side) -> int:
        if left.node is not None and right.node is not None:
            links = [side.node.kind == SYMLINK for side in (left, right) if side.node]
            if any(links):
                return self._links(left, right, links)
            if left.node.inode == right.node.inode:
                return self._same(left, right)
            files = self._call.context.files
            if files.stat(left.node.path).hash == files.stat(right.node.path).hash:
                return self._same(left, right)
        try:
            old, new = self._data(left), self._data(right)
        except VshellError as error:
            self._fail(error.filename or left.name, error)
            return _TROUBLE
        return self._compare(left, right, old, new)

    def _same(self, left: _Side, right: _Side) -> int:
        if self._parsed.flag("report-identical-files"):
            self._say(f"Files {left.name} and {right.name} are identical\n")
        if self._style.name in ("side", "ifdef") and not self._brief:
            data = self._data(left)
            self._compare(left, right, data, data)
        return 0

    def _links(self, left: _Side, right: _Side, links: Sequence[bool]) -> int:
        files = self._call.context.files
        assert left.node is not None
        assert right.node is not None
        if not all(links):
            self._say(_kinds(left, right))
            return 1
        if files.readlink(left.node.path) == files.readlink(right.node.path):
            return self._same(left, right) if self._parsed.flag("report-identical-files") else 0
        self._say(f"Symbolic links {left.name} and {right.name} differ\n")
        return 1

    def _data(self, side: _Side) -> bytes:
        if side.is_stream:
            return open_input(self._call, side.name).read()
        if side.node is None:
            return b""
        return self._call.context.files.read(side.node.path)

    def _compare(self, left: _Side, right: _Side, old: bytes, new: bytes) -> int:
        binary = b"\0" in old[:_BINARY_BYTES] or b"\0" in new[:_BINARY_BYTES]
        if binary and not self._parsed.flag("text"):
            if old == new:
                return 0
            what = "Files" if self._brief else "Binary files"
            self._say(f"{what} {left.name} and {right.name} differ\n")
            return 1
        if self._rules.strip_trailing_cr:
            old, new = old.replace(b"\r\n", b"\n"), new.replace(b"\r\n", b"\n")
        olds, news = split_lines(old), split_lines(new)
        ends = [side for side, lines in ((left, olds), (right, news)) if _lacks_end(lines)]
        if self._style.name in ("ed", "forward"):
            olds, news = _with_end(olds), _with_end(news)
        shows_context = self._style.name in ("context", "unified")
        context = self._style.context if shows_context else 0
        changes = compare(olds, news, self._rules, context=context)
        pair = Pair(olds, news, (self._heading(left, 0), self._heading(right, 1)), changes)
        differs = any(
            not self._rules.ignores(
                [*olds[each.old_start : each.old_end], *news[each.new_start : each.new_end]]
            )
            for each in changes
        )
        if self._brief:
            if differs:
                self._say(f"Files {left.name} and {right.name} differ\n")
        elif differs or self._style.name in ("side", "ifdef"):
            self._announce(left, right)
            for line in render(pair, self._style, self._rules):
                self._out.write(line)
        if not differs and self._parsed.flag("report-identical-files"):
            self._say(f"Files {left.name} and {right.name} are identical\n")
        if ends and self._style.name in ("ed", "forward") and not self._brief:
            self._complain_of_ends(ends)
            return _TROUBLE
        return int(differs)

    _announced: tuple[str, str] | None = None

    def _announce(self, left: _Side, right: _Side) -> None:
        if self._announced is not None:
            names = f"{quote_if_needed(left.name)} {quote_if_needed(right.name)}"
            self._say(f"{self._switches} {names}\n")

    def _complain_of_ends(self, sides: Sequence[_Side]) -> None:
        self._out.flush()
        for side in sides:
            text = f"diff: {side.name}: No newline at end of file\n\n"
            self._call.stderr.write(to_bytes(text))

    def _heading(self, side: _Side, place: int) -> bytes:
        if place < len(self._labels):
            return to_bytes(self._labels[place])
        name = side.name
        if any(letter in name for letter in ' "\\') or not name.isprintable():
            from vshell.shell.names import c_quoted

            name = c_quoted(name)
        return to_bytes(f"{name}\t{self._time(side)}")

    def _time(self, side: _Side) -> str:
        if side.node is not None:
            time_ns = side.node.mtime_ns
        else:
            time_ns = self._call.context.files.store.now() if side.is_stream else 0
        pattern = "%Y-%m-%d %H:%M:%S.%N %z"
        if self._style.name == "context" and self._call.environment.get("LC_ALL") == "C":
            pattern = "%a %b %e %H:%M:%S %Y"
        return format_time(pattern, time_ns, self._zone)

    def _say(self, text: str) -> None:
        self._out.write(to_bytes(text))

    # Directories.

    def _directories(self, left: _Side, right: _Side, *, is_top: bool) -> int:
        if not is_top and not self._parsed.flag("recursive"):
            self._say(f"Common subdirectories: {left.name} and {right.name}\n")
            return 0
        olds, news = self._entries(left), self._entries(right)
        start = self._parsed.value("starting-file")
        status = 0
        for name in sorted({*olds, *news}, key=self._order):
            if is_top and start is not None and encode(name) < encode(start):
                continue
            status = max(status, self._entry(left, right, name, olds.get(name), news.get(name)))
        return status

    def _order(self, name: str) -> bytes:
        return encode(name)

    def _entries(self, side: _Side) -> dict[str, EntryStat]:
        if side.node is None:
            return {}
        found = self._call.context.files.walk_stats(side.node.path, max_depth=1)
        named = {entry.path.rpartition("/")[2]: entry for entry in found}
        return {
            name: entry
            for name, entry in named.items()
            if not any(wildcard_matches(pattern, name) for pattern in self._excluded)
        }

    def _entry(
        self, left: _Side, right: _Side, name: str, old: EntryStat | None, new: EntryStat | None
    ) -> int:
        one = self._child(left, name, old)
        two = self._child(right, name, new)
        if old is None or new is None:
            new_file = self._parsed.flag("new-file")
            first_only = self._parsed.flag("unidirectional-new-file")
            if not (new_file or (first_only and old is None)):
                where = left if new is None else right
                self._say(f"Only in {quote_if_needed(where.name)}: {quote_if_needed(name)}\n")
                return 1
        if one is None or two is None:
            return _TROUBLE
        if one.is_directory or two.is_directory:
            if one.is_directory and two.is_directory:
                return self._directories(one, two, is_top=False)
            if one.node is None or two.node is None:
                if self._parsed.flag("recursive"):
                    return self._directories(one, two, is_top=False)
                where = left if two.node is None else right
                self._say(f"Only in {where.name}: {name}\n")
                return 1
            self._say(_kinds(one, two))
            return 1
        self._announced = (one.name, two.name)
        try:
            return self._files(one, two)
        finally:
            self._announced = None

    def _child(self, side: _Side, name: str, entry: EntryStat | None) -> _Side | None:
        typed = typed_join(side.name, name)
        if entry is None:
            return _Side(typed, None)
        if entry.kind == SYMLINK and not self._parsed.flag("no-dereference"):
            try:
                return _Side(typed, node_at(self._call, typed, follow=True))
            except VshellError as error:
                self._fail(typed, error)
                return None
        return _Side(typed, entry)


def _lacks_end(lines: Sequence[bytes]) -> bool:
    return bool(lines) and not lines[-1].endswith(b"\n")


def _with_end(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], lines[-1] + b"\n"] if _lacks_end(lines) else lines


def _kinds(left: _Side, right: _Side) -> str:
    assert left.node is not None
    assert right.node is not None
    return (
        f"File {left.name} is a {file_type(left.node)}"
        f" while file {right.name} is a {file_type(right.node)}\n"
    )
