"""`rg`: ripgrep's dialect of searching, over files that `.gitignore` does not leave out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Final

from vshell.errors import OperationTimeoutError, VshellError
from vshell.fs.records import EntryDetails
from vshell.fs.schema import DIRECTORY, FILE
from vshell.fs.search_index import Question
from vshell.ops.ignored import ignored_below
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, read_all, to_bytes, to_text
from vshell.shell.commands.rg_output import FileReport, Look
from vshell.shell.commands.rg_types import TYPES
from vshell.shell.messages import reason
from vshell.shell.nodes import node_at, typed_join
from vshell.shell.searching import TIMEOUT_S, BadPattern, Finder, compile_finder
from vshell.text.globs import compile_glob

_TROUBLE: Final = 2


def run_rg(call: Invocation) -> int:
    parsed = call.parsed
    if parsed.flag("type-list"):
        lines = [f"{name}: {', '.join(globs)}\n" for name, globs in sorted(TYPES.items())]
        call.write("".join(lines))
        return 0
    operands = list(call.operands)
    finder = None if parsed.flag("files") else _finder(call, operands)
    with BufferedOutput(call.stdout) as out:
        search = _Search(call, finder, out)
        if not operands and call.services.get("piped_input") and finder is not None:
            operands = ["-"]
        search.run(operands)
    if search.failed:
        return _TROUBLE
    return 0 if search.found else 1


def _finder(call: Invocation, operands: list[str]) -> Finder:
    parsed = call.parsed
    patterns = parsed.values("regexp")
    for name in parsed.values("file"):
        try:
            patterns += to_text(read_all(call, name)).splitlines()
        except VshellError as error:
            raise UsageError(f"{name}: {reason(error)} (os error 2)", hint=False) from None
    if not parsed.flag("regexp") and not parsed.flag("file"):
        if not operands:
            raise UsageError(
                "The following required arguments were not provided:\n    <PATTERN>", hint=False
            )
        patterns = [operands.pop(0)]
    case = parsed.last("ignore-case", "smart-case", "case-sensitive")
    letters = "".join(patterns)
    ignore_case = case == "ignore-case" or (
        case == "smart-case" and letters == letters.lower() and any(map(str.isalpha, letters))
    )
    try:
        return compile_finder(
            patterns or ["(?!)"],
            "fixed" if parsed.flag("fixed-strings") else "perl",
            ignore_case=ignore_case,
            word=parsed.flag("word-regexp"),
            line=parsed.flag("line-regexp"),
        )
    except BadPattern as error:
        raise UsageError(
            f"regex parse error:\n    {patterns[0]}\nerror: {error}", hint=False
        ) from None


class _Search:
    def __init__(self, call: Invocation, finder: Finder | None, out: BufferedOutput) -> None:
        parsed = call.parsed
        self._call = call
        self._files = call.context.files
        self._finder = finder
        self._out = out
        self._level = sum(1 for name, _ in parsed.given if name == "unrestricted")
        self._hidden = parsed.flag("hidden") or self._level >= 2
        self._ignores = not (
            parsed.flag("no-ignore") or parsed.flag("no-ignore-vcs") or self._level
        )
        self._globs = [
            *parsed.values("glob"),
            *(f"(?i){glob}" for glob in parsed.values("iglob")),
        ]
        self._includes, self._excludes = _type_globs(
            parsed.values("type"), parsed.values("type-not")
        )
        self._depth = _number(parsed.value("max-depth"), "max-depth")
        self._size = _size(parsed.value("max-filesize"))
        self._deadline = time.monotonic() + TIMEOUT_S
        self.found = False
        self.failed = False
        self._look = Look.read(call, many=False)

    def run(self, operands: list[str]) -> None:
        many = len(operands) != 1 or self._is_directory(operands[0])
        self._look = Look.read(self._call, many=many)
        if not operands:
            self._tree("", ".")
        for operand in operands:
            if operand == "-":
                self._search_one("<stdin>", self._call.stdin.read(), explicit=True)
            elif self._is_directory(operand):
                self._tree(operand, operand)
            else:
                self._file(operand)
            if self._look.quiet and self.found:
                return
        self._look.summary(self._out)

    def _is_directory(self, operand: str) -> bool:
        try:
            return node_at(self._call, operand, follow=True).kind == DIRECTORY
        except VshellError:
            return False

    def _fail(self, name: str, error: VshellError) -> None:
        self.failed = True
        if not self._call.parsed.flag("no-messages"):
            self._out.flush()
            number = error.errno or 2
            self._call.stderr.write(to_bytes(f"{name}: {reason(error)} (os error {number})\n"))

    def _file(self, operand: str) -> None:
        try:
            data = read_all(self._call, operand)
        except VshellError as error:
            self._fail(operand, error)
            return
        if self._finder is None:
            self._list(operand)
        else:
            self._search_one(operand, data, explicit=True)

    def _tree(self, operand: str, typed: str) -> None:
        files = self._files
        try:
            real = files.realpath(self._call.context.resolve(typed))
        except VshellError as error:
            self._fail(typed, error)
            return
        with files.reading() if not files.store.depth else nullcontext():
            chosen = self._chosen(real)
            cut = len(real.rstrip("/")) + 1
            named = {
                entry.path: typed_join(operand, entry.path[cut:]) if operand else entry.path[cut:]
                for entry in chosen
            }
            if self._finder is None:
                for entry in chosen:
                    self._list(named[entry.path])
                return
            for entry, data in self._contents(chosen):
                self._search_one(named[entry.path], data, explicit=False)
                if self._look.quiet and self.found:
                    return
        files.fold_index()

    def _contents(self, chosen: list[EntryDetails]) -> Iterator[tuple[EntryDetails, bytes]]:
        finder = self._finder
        assert finder is not None
        if finder.clauses and not self._look.needs_all:
            possible = self._files.candidates(
                Question(finder.clauses, finder.any_case, binary=True)
            )
            if possible is not None:
                chosen = [entry for entry in chosen if entry.content in possible]
        yield from self._files.read_many(chosen)

    def _chosen(self, real: str) -> list[EntryDetails]:
        entries = self._files.walk_details(real, max_depth=self._depth)
        ignored = ignored_below(self._call.context, real) if self._ignores else None
        cut = len(real.rstrip("/")) + 1
        accepts = _glob_filter(self._globs)
        chosen = []
        for entry in sorted(entries, key=lambda entry: entry.path):
            if entry.kind != FILE or (self._size is not None and entry.size > self._size):
                continue
            below = entry.path[cut:]
            verdict = accepts(below)
            if verdict is False:
                continue
            if verdict is None:
                if not self._hidden and any(part.startswith(".") for part in below.split("/")):
                    continue
                is_git = "/.git/" in entry.path  # asked for when hidden files are
                if ignored is not None and not is_git and ignored(entry.path, False):
                    continue
            if self._has_type(below):
                chosen.append(entry)
        return self._sorted(chosen)

    def _sorted(self, chosen: list[EntryDetails]) -> list[EntryDetails]:
        parsed = self._call.parsed
        reverse = parsed.flag("sortr")
        key = parsed.value("sortr") if reverse else parsed.value("sort")
        if key in ("modified", "accessed", "created"):
            return sorted(chosen, key=lambda entry: entry.mtime_ns, reverse=reverse)
        return chosen[::-1] if reverse and key == "path" else chosen

    def _has_type(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        if any(glob.matches(name) for glob in self._excludes):
            return False
        return not self._includes or any(glob.matches(name) for glob in self._includes)

    def _list(self, name: str) -> None:
        self.found = True
        self._out.write(to_bytes(name + ("\0" if self._call.parsed.flag("null") else "\n")))

    def _search_one(self, name: str, data: bytes, *, explicit: bool) -> None:
        assert self._finder is not None
        report = FileReport(name, self._finder, self._look, self._out, explicit=explicit)
        try:
            self.found |= report.run(data, self._deadline)
        except OperationTimeoutError as error:
            self.failed = True
            self._out.flush()
            self._call.complain(f"{name}: {error.message}")


def _number(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageError(
            f"Invalid value for '--{name} <NUM>': invalid digit found in string", hint=False
        )
    return int(text[:9])


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    units = {"K": 1024, "M": 1024**2, "G": 1024**3}
    digits = text[:-1] if text[-1:] in units else text
    if not digits.isascii() or not digits.isdigit():
        raise UsageError(f"invalid size '{text}'", hint=False)
    return int(digits[:12]) * units.get(text[-1:], 1)


def _type_globs(wanted: list[str], unwanted: list[str]) -> tuple[list[_Glob], list[_Glob]]:
    for name in (*wanted, *unwanted):
        if name not in TYPES and name != "all":
            raise UsageError(f"unrecognized file type: {name}", hint=False)
    return (
        [_Glob(glob) for name in wanted for glob in _globs_of(name)],
        [_Glob(glob) for name in unwanted for glob in _globs_of(name)],
    )


def _globs_of(name: str) -> tuple[str, ...]:
    if name == "all":
        return tuple(glob for globs in TYPES.values() for glob in globs)
    return TYPES[name]


class _Glob:
    """A glob of `.gitignore`'s kind: without a slash it is about names, else about paths."""

    def __init__(self, text: str) -> None:
        self.negated = text.startswith(("!", "(?i)!"))
        ignore_case = text.startswith("(?i)")
        body = text.removeprefix("(?i)").removeprefix("!")
        self._anchored = "/" in body.rstrip("/")
        self._only_directories = body.endswith("/")
        self._glob = compile_glob(body.strip("/") or body, ignore_case=ignore_case)

    def matches(self, path: str) -> bool:
        """Whether it is about a path, or about a directory that it is in."""
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            if self._only_directories and count == len(parts):
                continue
            tried = "/".join(parts[:count]) if self._anchored else parts[count - 1]
            if self._glob.match(tried):
                return True
        return False


def _glob_filter(texts: list[str]) -> Callable[[str], bool | None]:
    """Return what tells of a path whether globs take it (True), leave it out, or say nothing."""
    globs = [_Glob(text) for text in texts]
    has_positive = any(not glob.negated for glob in globs)

    def verdict(path: str) -> bool | None:
        for glob in reversed(globs):
            if glob.matches(path):
                return not glob.negated
        return False if has_positive else None

    return verdict


_OPTIONS: Final = (
    Option(("-e", "--regexp"), "A pattern to search for.", "PATTERN"),
    Option(("-f", "--file"), "Search for patterns from the given file.", "FILE"),
    Option(("-F", "--fixed-strings"), "Treat the pattern as a literal string."),
    Option(("-i", "--ignore-case"), "Case insensitive search."),
    Option(("-S", "--smart-case"), "Smart case search."),
    Option(("-s", "--case-sensitive"), "Search case sensitively (default)."),
    Option(("-w", "--word-regexp"), "Only show matches surrounded by word boundaries."),
    Option(("-x", "--line-regexp"), "Only show matches surrounded by line boundaries."),
    Option(("-v", "--invert-match"), "Invert matching."),
    Option(("-P", "--pcre2"), "Accepted: look-around and backreferences always work."),
    Option(("-n", "--line-number"), "Show line numbers."),
    Option(("-N", "--no-line-number"), "Suppress line numbers."),
    Option(("-c", "--count"), "Only show the count of matching lines for each file."),
    Option(("--count-matches",), "Only show the count of individual matches for each file."),
    Option(("-l", "--files-with-matches"), "Print the paths with at least one match."),
    Option(("--files-without-match",), "Print the paths that contain zero matches."),
    Option(("--files",), "Print each file that would be searched."),
    Option(("-o", "--only-matching"), "Print only matched parts of a line."),
    Option(("-r", "--replace"), "Replace matches with the given text.", "TEXT"),
    Option(("-m", "--max-count"), "Limit the number of matches.", "NUM"),
    Option(("-A", "--after-context"), "Show NUM lines after each match.", "NUM"),
    Option(("-B", "--before-context"), "Show NUM lines before each match.", "NUM"),
    Option(("-C", "--context"), "Show NUM lines before and after each match.", "NUM"),
    Option(("--context-separator",), "Set the context separator string.", "SEPARATOR"),
    Option(("-H", "--with-filename"), "Print the file path with the matched lines."),
    Option(("-I", "--no-filename"), "Never print the file path with the matched lines."),
    Option(("--heading",), "Print matches grouped by each file."),
    Option(("--no-heading",), "Don't group matches by each file."),
    Option(("--column",), "Show column numbers."),
    Option(("-b", "--byte-offset"), "Print the 0-based byte offset for each matching line."),
    Option(("--vimgrep",), "Show results in vim compatible format."),
    Option(("-0", "--null"), "Print a NUL byte after file paths."),
    Option(("-q", "--quiet"), "Do not print anything to stdout."),
    Option(("-g", "--glob"), "Include or exclude files.", "GLOB"),
    Option(("--iglob",), "Include or exclude files case insensitively.", "GLOB"),
    Option(("-t", "--type"), "Only search files matching TYPE.", "TYPE"),
    Option(("-T", "--type-not"), "Do not search files matching TYPE.", "TYPE"),
    Option(("--type-list",), "Show all supported file types."),
    Option(("-.", "--hidden"), "Search hidden files and directories."),
    Option(("--no-ignore",), "Don't respect ignore files."),
    Option(("--no-ignore-vcs",), "Don't respect VCS ignore files."),
    Option(("-u", "--unrestricted"), "Reduce the level of smart searching."),
    Option(("-a", "--text"), "Search binary files as if they were text."),
    Option(("--max-depth", "--maxdepth"), "Descend at most NUM directories.", "NUM"),
    Option(("--max-filesize",), "Ignore files larger than NUM in size.", "NUM+SUFFIX?"),
    Option(("--sort",), "Sort results: none, path, modified, accessed, created.", "SORTBY"),
    Option(("--sortr",), "Sort results in descending order.", "SORTBY"),
    Option(("--color",), "Controls when to use color.", "WHEN"),
    Option(("--colors",), "Accepted; the default colors are used.", "SPEC"),
    Option(("--stats",), "Print statistics about this search."),
    Option(("--trim",), "Trim prefixed whitespace."),
    Option(("--passthru",), "Print both matching and non-matching lines."),
    Option(("--no-messages",), "Suppress some error messages."),
    Option(("--no-config",), "Accepted: there is no configuration."),
    Option(("-j", "--threads"), "Accepted; has no effect.", "NUM"),
    Option(("-p", "--pretty"), "Alias for --color always --heading --line-number."),
    Option(("--line-buffered",), "Accepted; has no effect."),
    Option(("--no-mmap",), "Accepted; has no effect."),
    Option(("--mmap",), "Accepted; has no effect."),
    Option(("--crlf",), "Accepted: a carriage return before a newline is part of the line."),
)

COMMANDS: Final = (
    Command(
        "rg",
        "[OPTIONS] PATTERN [PATH ...]",
        "Recursively search the current directory for lines matching a pattern.",
        run_rg,
        options=_OPTIONS,
        usage_status=2,
    ),
)
