"""`diff`: two files, or two trees."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from vshell.errors import NotFoundError, VshellError
from vshell.fs.paths import encode
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.shell.asking import file_type
from vshell.shell.command import Command, Invocation, Option, Parsed, UsageError
from vshell.shell.command_io import BufferedOutput, open_input, to_bytes
from vshell.shell.commands.diff_formats import Pair, Style, render
from vshell.shell.comparing import Rules, compare
from vshell.shell.messages import quote_if_needed, reason
from vshell.shell.nodes import node_at, typed_join
from vshell.shell.options import help_text, parse, version_text
from vshell.shell.timeformat import format_time, zone_of
from vshell.shell.wildcards import wildcard_matches
from vshell.text.unified import split_lines

_TROUBLE: Final = 2
_BINARY_BYTES: Final = 32_768
_FUNCTION: Final = re.compile(rb"[A-Za-z_$]")
_LETTER_STYLES: Final = {
    "normal": "normal", "ed": "ed", "forward-ed": "forward", "rcs": "rcs",
    "side-by-side": "side", "ifdef": "ifdef", "u": "unified", "unified": "unified",
    "U": "unified", "c": "context", "context": "context", "C": "context",
}  # fmt: skip


@dataclass
class _Side:
    """One of the two things that are compared; without a node, nothing is there."""

    name: str
    node: EntryStat | None
    is_stream: bool = False

    @property
    def is_directory(self) -> bool:
        return self.node is not None and self.node.kind == DIRECTORY


def run_diff(call: Invocation) -> int:
    words = call.operands
    parsed = parse(_DIFF, words, call.environment)
    shown = parsed.last("help", "version")
    if shown is not None:
        call.write((help_text if shown == "help" else version_text)(_DIFF))
        return 0
    call = replace(call, parsed=parsed)
    operands = list(parsed.operands)
    anchor = parsed.value("from-file") or parsed.value("to-file")
    if anchor is None:
        if len(operands) < 2:
            if operands:
                raise UsageError(f"missing operand after '{operands[0]}'")
            raise UsageError("missing operand after 'diff'")
        if len(operands) > 2:
            raise UsageError(f"extra operand '{operands[2]}'")
        pairs = [(operands[0], operands[1])]
    elif parsed.flag("from-file"):
        pairs = [(anchor, each) for each in operands]
    else:
        pairs = [(each, anchor) for each in operands]
    status = 0
    with BufferedOutput(call.stdout) as out:
        differ = _Differ(call, out, _switches(words, parsed.operands))
        for old, new in pairs:
            status = max(status, differ.run(old, new))
    return status


class _Differ:
    def __init__(self, call: Invocation, out: BufferedOutput, switches: str) -> None:
        self._call = call
        self._out = out
        self._parsed = parsed = call.parsed
        self._style = _style(call)
        self._rules = _rules(parsed)
        self._brief = parsed.flag("brief")
        self._excluded = _excluded(call)
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


def _switches(words: Sequence[str], operands: Sequence[str]) -> str:
    """Return the command as it is shown before the differences of each file of a tree."""
    given = [word for word in words if word != "--"]
    for operand in operands:
        given.reverse()  # of two equal words, the operand is more likely the later one
        given.remove(operand)
        given.reverse()
    return " ".join(["diff", *(quote_if_needed(word, colon=False) for word in given)])


def _style(call: Invocation) -> Style:
    parsed = call.parsed
    name, context = "", 3
    digits = ""
    for option, value in parsed.given:
        if option in _LETTER_STYLES:
            chosen = _LETTER_STYLES[option]
            if name and name != chosen:
                raise UsageError("conflicting output style options")
            name = chosen
            if option in ("U", "C", "unified", "context") and value is not None:
                context = _number(value, "context length")
        elif len(option) == 1 and option.isdigit():
            digits += option
            context = min(int(digits[:9]), 1 << 30)
    color = parsed.value("color", "always") if parsed.flag("color") else "never"
    if color not in ("always", "never", "auto"):
        raise UsageError(f"invalid color '{color}'")
    pattern = parsed.value("show-function-line")
    width = _number(parsed.value("width", "130") or "", "width")
    if not width:
        raise UsageError("invalid width '0'")
    function: object = None
    if pattern is not None:
        function = _regex(pattern)
    elif parsed.flag("show-c-function"):
        function = _FUNCTION.match
    return Style(
        name=name or ("context" if parsed.flag("show-c-function") else "normal"),
        context=context,
        function=function,
        width=width,
        left_column=parsed.flag("left-column"),
        suppresses_common=parsed.flag("suppress-common-lines"),
        expands_tabs=parsed.flag("expand-tabs"),
        initial_tab=parsed.flag("initial-tab"),
        suppresses_blank=parsed.flag("suppress-blank-empty"),
        tab=max(1, _number(parsed.value("tabsize", "8") or "", "tabsize")),
        symbol=to_bytes(parsed.value("ifdef", "") or ""),
        color=color == "always" or (color == "auto" and bool(call.services.get("terminal"))),
    )


def _number(text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"invalid {what} '{text}'")
    return min(int(text[:9]), 1 << 30)


def _rules(parsed: Parsed) -> Rules:
    return Rules(
        ignore_case=parsed.flag("ignore-case"),
        ignore_all_space=parsed.flag("ignore-all-space"),
        ignore_space_change=parsed.flag("ignore-space-change"),
        ignore_trailing_space=parsed.flag("ignore-trailing-space"),
        ignore_tab_expansion=parsed.flag("ignore-tab-expansion"),
        ignore_blank_lines=parsed.flag("ignore-blank-lines"),
        strip_trailing_cr=parsed.flag("strip-trailing-cr"),
        ignore_matching=tuple(_regex(each) for each in parsed.values("ignore-matching-lines")),
    )


def _regex(pattern: str) -> Callable[[bytes], bool]:
    from vshell.text.posix_regex import PosixRegexError, compile_posix

    try:
        compiled = compile_posix(pattern)
    except PosixRegexError as error:
        raise UsageError(f"{pattern}: {error}", hint=False) from None

    def matches(line: bytes) -> bool:
        return compiled.search(line.decode("utf-8", "surrogateescape"), timeout=10) is not None

    return matches


def _excluded(call: Invocation) -> list[str]:
    patterns = call.parsed.values("exclude")
    for name in call.parsed.values("exclude-from"):
        try:
            data = open_input(call, name).read()
        except VshellError as error:
            raise UsageError(f"{name}: {reason(error)}", hint=False) from None
        patterns += [line for line in data.decode("utf-8", "surrogateescape").splitlines() if line]
    return patterns


_OPTIONS: Final = (
    Option(("--normal",), "Output a normal diff (the default)."),
    Option(("-q", "--brief"), "Report only when files differ."),
    Option(("-s", "--report-identical-files"), "Report when two files are the same."),
    Option(("-c",), "Output 3 lines of copied context."),
    Option(("-C",), "Output NUM lines of copied context.", "NUM"),
    Option(("--context",), "Output NUM (default 3) lines of copied context.", "NUM", optional=True),
    Option(("-u",), "Output 3 lines of unified context."),
    Option(("-U",), "Output NUM lines of unified context.", "NUM"),
    Option(
        ("--unified",), "Output NUM (default 3) lines of unified context.", "NUM", optional=True
    ),
    Option(("-e", "--ed"), "Output an ed script."),
    Option(("-f", "--forward-ed"), "Output an ed script in forward order, for no ed."),
    Option(("-n", "--rcs"), "Output an RCS format diff."),
    Option(("-y", "--side-by-side"), "Output in two columns."),
    Option(("-W", "--width"), "Output at most NUM (default 130) print columns.", "NUM"),
    Option(("--left-column",), "Output only the left column of common lines."),
    Option(("--suppress-common-lines",), "Do not output common lines."),
    Option(("-p", "--show-c-function"), "Show which C function each change is in."),
    Option(("-F", "--show-function-line"), "Show the most recent line matching RE.", "RE"),
    Option(("-L", "--label"), "Use LABEL instead of file name and timestamp.", "LABEL"),
    Option(("-t", "--expand-tabs"), "Expand tabs to spaces in output."),
    Option(("-T", "--initial-tab"), "Make tabs line up by prepending a tab."),
    Option(("--tabsize",), "Tab stops every NUM (default 8) print columns.", "NUM"),
    Option(("--suppress-blank-empty",), "Suppress space or tab before empty output lines."),
    Option(("-r", "--recursive"), "Recursively compare any subdirectories found."),
    Option(("--no-dereference",), "Don't follow symbolic links."),
    Option(("-N", "--new-file"), "Treat absent files as empty."),
    Option(("-P", "--unidirectional-new-file"), "Treat absent first files as empty."),
    Option(("-x", "--exclude"), "Exclude files that match PAT.", "PAT"),
    Option(("-X", "--exclude-from"), "Exclude files that match any pattern in FILE.", "FILE"),
    Option(("-S", "--starting-file"), "Start with FILE when comparing directories.", "FILE"),
    Option(("--from-file",), "Compare FILE1 to all operands.", "FILE1"),
    Option(("--to-file",), "Compare all operands to FILE2.", "FILE2"),
    Option(("-i", "--ignore-case"), "Ignore case differences in file contents."),
    Option(("-E", "--ignore-tab-expansion"), "Ignore changes due to tab expansion."),
    Option(("-Z", "--ignore-trailing-space"), "Ignore white space at line end."),
    Option(("-b", "--ignore-space-change"), "Ignore changes in the amount of white space."),
    Option(("-w", "--ignore-all-space"), "Ignore all white space."),
    Option(("-B", "--ignore-blank-lines"), "Ignore changes where lines are all blank."),
    Option(("-I", "--ignore-matching-lines"), "Ignore changes where all lines match RE.", "RE"),
    Option(("-a", "--text"), "Treat all files as text."),
    Option(("--strip-trailing-cr",), "Strip trailing carriage return on input."),
    Option(("-D", "--ifdef"), "Output merged file with '#ifdef NAME' diffs.", "NAME"),
    Option(("-d", "--minimal"), "Try hard to find a smaller set of changes; always done."),
    Option(("--horizon-lines",), "Accepted; has no effect.", "NUM"),
    Option(("--speed-large-files",), "Accepted; has no effect."),
    Option(("-H",), "Accepted; has no effect."),
    Option(("--color",), "Color output: never, always or auto.", "WHEN", optional=True),
    *(Option((f"-{digit}",), "") for digit in range(10)),
)

_DIFF: Final = Command(
    "diff",
    "[OPTION]... FILES",
    "Compare FILES line by line.",
    run_diff,
    options=_OPTIONS,
    raw=True,
    usage_status=2,
)
COMMANDS: Final = (_DIFF,)
