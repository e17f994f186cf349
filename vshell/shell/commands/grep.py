"""`grep`, `egrep`, `fgrep` and `rgrep`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Final

from vshell.errors import OperationTimeoutError, VshellError
from vshell.fs.records import EntryDetails, EntryStat
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.fs.search_index import Question
from vshell.shell.command import Command, Input, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, open_input, read_all, to_text
from vshell.shell.commands.grep_output import FileSearch, Groups, Settings
from vshell.shell.commands.grep_settings import Selection, read_selection, read_settings
from vshell.shell.messages import reason
from vshell.shell.nodes import node_at, typed_join
from vshell.shell.searching import (
    TIMEOUT_S,
    BadPattern,
    Dialect,
    Finder,
    compile_finder,
)

_BLOCK_BYTES: Final = 1024 * 1024
_FEW_CONTENTS: Final = 1000


def run_grep(call: Invocation) -> int:
    parsed = call.parsed
    operands = list(call.operands)
    patterns = _patterns(call, operands)
    settings = read_settings(call, operands)
    selection = read_selection(call)
    try:
        finder = _finder(call, patterns)
    except BadPattern as error:
        raise UsageError(str(error), hint=False) from None
    shows_others = parsed.flag("invert-match") or parsed.flag("files-without-match")
    if settings.max_count == 0 or (finder is None and not shows_others):
        return 1
    with BufferedOutput(call.stdout) as out:
        search = _Search(call, finder, settings, selection, out)
        if not operands and selection.recursive:
            search.here()
        for operand in operands or ([] if selection.recursive else ["-"]):
            search.operand(operand)
            if search.is_done:
                return 0
    if search.failed and not (search.found and parsed.flag("silent")):
        return 2
    return 0 if search.found else 1


def _patterns(call: Invocation, operands: list[str]) -> list[str]:
    """Return the patterns, taken from the options or else from the operands.

    Raises:
        UsageError: There are none, or their file cannot be read.
    """
    found: list[str] = []
    given = False
    for name, value in call.parsed.given:
        if name == "regexp":
            given = True
            found += (value or "").split("\n")
        elif name == "file":
            given = True
            try:
                text = to_text(read_all(call, value or ""))
            except VshellError as error:
                raise UsageError(f"{value}: {reason(error)}", hint=False) from None
            found += text.removesuffix("\n").split("\n") if text else []
    if not given:
        if not operands:
            raise UsageError("")
        found = operands.pop(0).split("\n")
    return list(dict.fromkeys(found))


def _finder(call: Invocation, patterns: list[str]) -> Finder | None:
    """Return what finds lines; None when no pattern is left, which matches nothing."""
    parsed = call.parsed
    dialects: dict[str, Dialect] = {
        "basic-regexp": "basic",
        "extended-regexp": "extended",
        "fixed-strings": "fixed",
        "perl-regexp": "perl",
    }
    default: dict[str, Dialect] = {"egrep": "extended", "fgrep": "fixed"}
    dialect = default.get(call.name, "basic")
    chosen = {name for name, _ in parsed.given if name in dialects}
    if "perl-regexp" in chosen and len(chosen) > 1:
        raise UsageError("conflicting matchers specified", hint=False)
    name = parsed.last(*dialects)
    dialect = dialects[name] if name else dialect
    if not patterns:
        return None
    if dialect == "perl" and len(patterns) > 1:
        raise UsageError("the -P option only supports a single pattern", hint=False)
    ignore_case = parsed.last("ignore-case", "y", "no-ignore-case") in ("ignore-case", "y")
    return compile_finder(
        patterns,
        dialect,
        ignore_case=ignore_case,
        word=parsed.flag("word-regexp"),
        line=parsed.flag("line-regexp"),
        newlines=parsed.flag("null-data"),
    )


class _Search:
    """One run over all operands."""

    def __init__(
        self,
        call: Invocation,
        finder: Finder | None,
        settings: Settings,
        selection: Selection,
        out: BufferedOutput,
    ) -> None:
        self._call = call
        self._files = call.context.files
        self._finder = finder
        self._settings = settings
        self._selection = selection
        self._out = out
        self._deadline = time.monotonic() + TIMEOUT_S
        self._groups = Groups()
        self.found = False
        self.failed = False
        self.is_done = False

    def operand(self, operand: str) -> None:
        selection = self._selection
        if operand == "-":
            self._stream(self._settings.label, self._call.stdin, None)
            return
        try:
            node = node_at(self._call, operand, follow=True)
        except VshellError as error:
            if operand.startswith("/dev/") or self._call.services.get("inputs"):
                self._open(operand)
            elif selection.accepts_operand(operand, is_directory=False):
                self._fail(operand, error)
            return
        is_directory = node.kind == DIRECTORY
        if not selection.accepts_operand(operand, is_directory=is_directory):
            return
        if not is_directory:
            self._open(operand, node.size)
        elif selection.recursive:
            self._tree(operand, node)
        elif not selection.skips_directories:
            self._complain(f"{operand}: Is a directory")

    def here(self) -> None:
        """Search the working directory, whose files have names without a directory."""
        try:
            self._tree("", node_at(self._call, ".", follow=True))
        except VshellError as error:
            self._fail(".", error)

    def _open(self, name: str, size: int | None = None) -> None:
        try:
            source = open_input(self._call, name, dash=False)
        except VshellError as error:
            self._fail(name, error)
            return
        self._stream(name, source, size)

    def _fail(self, name: str, error: VshellError) -> None:
        self._complain(f"{name}: {reason(error)}")

    def _complain(self, message: str) -> None:
        self.failed = True
        if not self._selection.silent:
            self._out.flush()
            self._call.complain(message)

    def _stream(self, name: str, source: Input, size: int | None) -> None:
        """Search what comes in blocks of whole lines, so that an endless input is searched too."""
        search = self._file_search(name, size)
        separator = self._settings.separator
        rest = b""
        while piece := source.read(_BLOCK_BYTES):
            whole, end, tail = (rest + piece if rest else piece).rpartition(separator)
            if not end:
                rest = tail
                continue
            rest = tail
            if not self._feed(search, whole + end):
                break
        else:
            if rest:
                self._feed(search, rest)
        self._finish(search)

    def _file_search(self, name: str, size: int | None) -> FileSearch:
        return FileSearch(
            name,
            self._finder,
            self._settings,
            self._out,
            groups=self._groups,
            deadline=self._deadline,
            size=size,
        )

    def _feed(self, search: FileSearch, block: bytes) -> bool:
        try:
            return search.feed(block)
        except OperationTimeoutError as error:
            self._complain(f"{search.name}: {error.message}")
            self._deadline = time.monotonic() + TIMEOUT_S
            return False

    def _finish(self, search: FileSearch) -> None:
        self.found |= search.finish()
        if search.is_suppressed and self._settings.binary == "binary" and not self._settings.quiet:
            self._out.flush()
            self._call.complain(f"{search.name}: binary file matches")
        self.is_done = self._settings.quiet and self.found

    # Trees.

    def _tree(self, operand: str, node: EntryStat) -> None:
        real = self._files.realpath(node.path)
        with self._files.reading() if not self._files.store.depth else nullcontext():
            for name, data in self._tree_contents(operand, real):
                search = self._file_search(name, len(data or b""))
                if data:
                    self._feed(search, data)
                self._finish(search)
                if self.is_done:
                    return
        if not self._selection.follows:
            self._files.fold_index()

    def _tree_contents(self, operand: str, real: str) -> Iterator[tuple[str, bytes | None]]:
        """Yield the files of a tree by name; no content means that nothing in it matches."""
        if self._selection.follows:
            yield from self._followed(operand, real, (real,))
            return
        possible = self._possible()
        cut = len(real.rstrip("/")) + 1
        accepted = self._accepted(real, possible)
        named = {entry.path: _name(operand, entry.path[cut:]) for entry in accepted}
        if possible is None:
            for entry, data in self._files.read_many(accepted):
                yield named[entry.path], data
            return
        left = (entry for entry in accepted if entry.content in possible)
        contents = self._files.read_many(left)
        if not self._settings.shows_without_match:
            for entry, data in contents:
                yield named[entry.path], data
            return
        for entry in accepted:
            found = next(contents)[1] if entry.content in possible else None
            yield named[entry.path], found

    def _possible(self) -> set[int] | None:
        """Ask the index which contents may match; None: any of them."""
        finder = self._finder
        if finder is None or self._settings.invert or not finder.clauses or self._settings.zero:
            return None
        question = Question(finder.clauses, finder.any_case, binary=True)
        return self._files.candidates(question)

    def _accepted(self, real: str, possible: set[int] | None) -> list[EntryDetails]:
        """Return the files of a tree that the options let through, by their paths."""
        selection = self._selection
        few = possible is not None and len(possible) <= _FEW_CONTENTS
        if few and not self._settings.shows_without_match:
            entries = self._files.survey(real, contents=possible)[0][1:]
        else:
            entries = self._files.walk_details(real, suffixes=selection.suffixes)
        cut = len(real.rstrip("/")) + 1
        return [
            entry
            for entry in sorted(entries, key=lambda entry: entry.path)
            if entry.kind == FILE and selection.accepts(entry.path[cut:])
        ]

    def _followed(
        self, operand: str, directory: str, above: tuple[str, ...]
    ) -> Iterator[tuple[str, bytes | None]]:
        """Yield the files of a tree with what its links lead to."""
        selection = self._selection
        for entry in self._files.list_directory(directory)[0]:
            base = entry.path.rpartition("/")[2]
            name = typed_join(operand, base) if operand else base
            try:
                kind, path = entry.kind, entry.path
                if kind == SYMLINK:
                    path = self._files.realpath(path)
                    kind = DIRECTORY if self._files.stat(path).kind == "directory" else FILE
                if kind == DIRECTORY:
                    if not selection.accepts_directory(base):
                        continue
                    if path in above:
                        self._out.flush()
                        self._call.complain(f"{name}: warning: recursive directory loop")
                        continue
                    yield from self._followed(name, path, (*above, path))
                elif selection.accepts_file(base):
                    yield name, self._files.read(path)
            except VshellError as error:
                self._fail(name, error)


def _name(operand: str, below: str) -> str:
    return typed_join(operand, below) if operand else below


_DIGITS: Final = tuple(Option((f"-{digit}",), "") for digit in range(10))
_OPTIONS: Final = (
    Option(("-E", "--extended-regexp"), "PATTERNS are extended regular expressions."),
    Option(("-F", "--fixed-strings"), "PATTERNS are strings."),
    Option(("-G", "--basic-regexp"), "PATTERNS are basic regular expressions."),
    Option(("-P", "--perl-regexp"), "PATTERNS are Perl regular expressions."),
    Option(("-e", "--regexp"), "Use PATTERNS for matching.", "PATTERNS"),
    Option(("-f", "--file"), "Take PATTERNS from FILE.", "FILE"),
    Option(("-i", "--ignore-case"), "Ignore case distinctions in patterns and data."),
    Option(("-y",), ""),
    Option(("--no-ignore-case",), "Do not ignore case distinctions (default)."),
    Option(("-w", "--word-regexp"), "Match only whole words."),
    Option(("-x", "--line-regexp"), "Match only whole lines."),
    Option(("-z", "--null-data"), "A data line ends in 0 byte, not newline."),
    Option(("-s", "--no-messages"), "Suppress error messages."),
    Option(("-v", "--invert-match"), "Select non-matching lines."),
    Option(("-V",), "Display version information and exit."),
    Option(("-m", "--max-count"), "Stop after NUM selected lines.", "NUM"),
    Option(("-b", "--byte-offset"), "Print the byte offset with output lines."),
    Option(("-n", "--line-number"), "Print line number with output lines."),
    Option(("--line-buffered",), "Flush output on every line."),
    Option(("-H", "--with-filename"), "Print file name with output lines."),
    Option(("-h", "--no-filename"), "Suppress the file name prefix on output."),
    Option(("--label",), "Use LABEL as the standard input file name prefix.", "LABEL"),
    Option(("-o", "--only-matching"), "Show only nonempty parts of lines that match."),
    Option(("-q", "--quiet", "--silent"), "Suppress all normal output."),
    Option(("--binary-files",), "Binary files are TYPE: binary, text, without-match.", "TYPE"),
    Option(("-a", "--text"), "Equivalent to --binary-files=text."),
    Option(("-I",), "Equivalent to --binary-files=without-match."),
    Option(("-d", "--directories"), "Directories: read, recurse or skip.", "ACTION"),
    Option(("-D", "--devices"), "Devices: read or skip; there are none.", "ACTION"),
    Option(("-r", "--recursive"), "Like --directories=recurse."),
    Option(("-R", "--dereference-recursive"), "Likewise, but follow all symlinks."),
    Option(("--include",), "Search only files that match GLOB.", "GLOB"),
    Option(("--exclude",), "Skip files that match GLOB.", "GLOB"),
    Option(("--exclude-from",), "Skip files that match a pattern from FILE.", "FILE"),
    Option(("--exclude-dir",), "Skip directories that match GLOB.", "GLOB"),
    Option(("-L", "--files-without-match"), "Print only names of FILEs with no selected lines."),
    Option(("-l", "--files-with-matches"), "Print only names of FILEs with selected lines."),
    Option(("-c", "--count"), "Print only a count of selected lines per FILE."),
    Option(("-T", "--initial-tab"), "Make tabs line up."),
    Option(("-Z", "--null"), "Print 0 byte after FILE name."),
    Option(("-A", "--after-context"), "Print NUM lines of trailing context.", "NUM"),
    Option(("-B", "--before-context"), "Print NUM lines of leading context.", "NUM"),
    Option(("-C", "--context"), "Print NUM lines of output context.", "NUM"),
    Option(("--group-separator",), "Print SEP between groups with context.", "SEP"),
    Option(("--no-group-separator",), "Do not separate groups with context."),
    Option(("--color", "--colour"), "Highlight: always, never or auto.", "WHEN", optional=True),
    Option(("-U", "--binary"), "Do not strip CR characters at line ends."),
    *_DIGITS,
)


def _command(name: str, summary: str) -> Command:
    return Command(
        name,
        "[OPTION]... PATTERNS [FILE]...",
        summary,
        run_grep,
        options=_OPTIONS,
        usage_status=2,
    )


COMMANDS: Final = (
    _command("grep", "Search for PATTERNS in each FILE."),
    _command("egrep", "The same as `grep -E`."),
    _command("fgrep", "The same as `grep -F`."),
    _command("rgrep", "The same as `grep -r`."),
)
