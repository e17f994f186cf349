"""`fd`: finding by name, over files that `.gitignore` does not leave out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Final

from vshell.errors import VshellError
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.ops.ignored import ignored_below
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, to_bytes
from vshell.shell.dates import BadDateError, parse_date
from vshell.shell.nodes import typed_join
from vshell.shell.options import help_text, parse, version_text
from vshell.shell.searching import BadPattern, compile_finder
from vshell.shell.timeformat import zone_of
from vshell.text.globs import compile_glob

_KINDS: Final = {
    "f": "file", "file": "file", "d": "directory", "directory": "directory", "l": "symlink",
    "symlink": "symlink", "x": "executable", "executable": "executable", "e": "empty",
    "empty": "empty", "s": "none", "socket": "none", "p": "none", "pipe": "none",
}  # fmt: skip
_SIZE: Final = re.compile(r"([-+]?)(\d+)([kmgt]?i?b?)", re.IGNORECASE)
_UNITS: Final = {
    "b": 1, "": 1, "k": 1000, "kb": 1000, "m": 1000**2, "mb": 1000**2, "g": 1000**3,
    "gb": 1000**3, "t": 1000**4, "tb": 1000**4, "ki": 1024, "kib": 1024, "mi": 1024**2,
    "mib": 1024**2, "gi": 1024**3, "gib": 1024**3, "ti": 1024**4, "tib": 1024**4,
}  # fmt: skip
_SPAN: Final = re.compile(r"(\d+)\s*(s|sec|m|min|h|hour|d|day|w|week|month|y|year)\w*")
_SPANS: Final = {
    "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400,
    "w": 604800, "week": 604800, "month": 2_630_016, "y": 31_557_600, "year": 31_557_600,
}  # fmt: skip
_NS: Final = 1_000_000_000

Test = Callable[[EntryStat], bool]


def run_fd(call: Invocation) -> int:
    words, command, batch = _split_command(call.operands)
    parsed = parse(_FD, words, call.environment)
    shown = parsed.last("help", "version")
    if shown is not None:
        call.write((help_text if shown == "help" else version_text)(_FD))
        return 0
    call = replace(call, parsed=parsed)
    operands = list(parsed.operands)
    pattern = operands.pop(0) if operands else ""
    roots = operands + parsed.values("search-path")
    if (
        "/" in pattern
        and not parsed.flag("full-path")
        and call.context.files.exists(call.context.resolve(pattern))
    ):
        raise UsageError(
            f"The search pattern '{pattern}' contains a path-separation character ('/') and will"
            " not lead to any search results.",
            hint=False,
        )
    search = _Search(call, pattern)
    found: list[str] = []
    status = 0
    for root in roots or [""]:
        try:
            found += search.run(root)
        except VshellError:
            call.stderr.write(to_bytes(f"[fd error]: Search path '{root}' is not a directory.\n"))
            status = 1
    limit = 1 if parsed.flag("1") else _number(parsed.value("max-results"), "max-results")
    if limit is not None:
        found = found[:limit]
    if parsed.flag("quiet"):
        return 0 if found else 1
    if command:
        return _execute(call, found, command, batch=batch)
    end = "\0" if parsed.flag("print0") else "\n"
    with BufferedOutput(call.stdout) as out:
        out.write(to_bytes("".join(f"{each}{end}" for each in found)))
    return status


class _Search:
    def __init__(self, call: Invocation, pattern: str) -> None:
        parsed = call.parsed
        self._call = call
        self._files = call.context.files
        self._matches = _matcher(call, pattern)
        level = sum(1 for name, _ in parsed.given if name == "unrestricted")
        self._hidden = parsed.flag("hidden") or level > 0
        self._ignores = not (parsed.flag("no-ignore") or parsed.flag("no-ignore-vcs") or level)
        exact = _number(parsed.value("exact-depth"), "exact-depth")
        self._most = exact if exact is not None else _number(parsed.value("max-depth"), "max-depth")
        least = _number(parsed.value("min-depth"), "min-depth")
        self._least = exact if exact is not None else least or 1
        self._extensions = [f".{each.lstrip('.').lower()}" for each in parsed.values("extension")]
        self._excluded = [_exclusion(each) for each in parsed.values("exclude")]
        self._tests = [*_kinds(call), *_sizes(parsed.values("size")), *_ages(call)]

    def run(self, root: str) -> list[str]:
        """Return what is found below a directory, as it is printed."""
        context = self._call.context
        real = self._files.realpath(context.resolve(root or "."))
        cut = len(real.rstrip("/")) + 1
        with self._files.reading() if not self._files.store.depth else nullcontext():
            entries = self._files.walk_stats(real, max_depth=self._most)
            ignored = ignored_below(context, real) if self._ignores else None
            found = []
            for entry in sorted(entries, key=lambda entry: entry.path):
                below = entry.path[cut:]
                if self._is_left_out(below, entry, ignored):
                    continue
                if self._accepts(below, entry):
                    found.append(self._shown(root, below, entry))
        return found

    def _is_left_out(
        self, below: str, entry: EntryStat, ignored: Callable[[str, bool], bool] | None
    ) -> bool:
        parts = below.split("/")
        if len(parts) < self._least:
            return True
        if not self._hidden and any(part.startswith(".") for part in parts):
            return True
        if any(excludes(below) for excludes in self._excluded):
            return True
        if ignored is None or ".git" in parts:
            return False
        return ignored(entry.path, entry.kind == DIRECTORY)

    def _accepts(self, below: str, entry: EntryStat) -> bool:
        name = below.rpartition("/")[2]
        if self._extensions and not any(map(name.lower().endswith, self._extensions)):
            return False
        text = entry.path if self._call.parsed.flag("full-path") else name
        return self._matches(text) and all(test(entry) for test in self._tests)

    def _shown(self, root: str, below: str, entry: EntryStat) -> str:
        if self._call.parsed.flag("absolute-path"):
            path = entry.path
        else:
            path = typed_join(root, below) if root else below
        if not root and self._call.parsed.flag("print0"):
            path = f"./{path}"
        return path + "/" if entry.kind == DIRECTORY else path


def _matcher(call: Invocation, pattern: str) -> Callable[[str], bool]:
    parsed = call.parsed
    case = parsed.last("ignore-case", "case-sensitive")
    ignore_case = case == "ignore-case" or (case is None and pattern == pattern.lower())
    if parsed.flag("glob"):
        glob = compile_glob(pattern or "*", ignore_case=ignore_case)
        return lambda text: glob.match(text.lstrip("/"))
    try:
        dialect = "fixed" if parsed.flag("fixed-strings") else "perl"
        finder = compile_finder([pattern], dialect, ignore_case=ignore_case)  # type: ignore[arg-type]
    except BadPattern as error:
        raise UsageError(f"regex parse error:\n    {pattern}\nerror: {error}", hint=False) from None
    return lambda text: any(each.search(text, timeout=10) for each in finder.exact)


def _exclusion(text: str) -> Callable[[str], bool]:
    anchored = "/" in text.strip("/")
    glob = compile_glob(text.strip("/") or text)

    def excludes(below: str) -> bool:
        parts = below.split("/")
        places = range(1, len(parts) + 1)
        return any(glob.match("/".join(parts[:n]) if anchored else parts[n - 1]) for n in places)

    return excludes


def _kinds(call: Invocation) -> list[Test]:
    wanted = set()
    for name in call.parsed.values("type"):
        if name not in _KINDS:
            raise UsageError(f"'{name}' isn't a valid value for '--type <filetype>...'", hint=False)
        wanted.add(_KINDS[name])
    if not wanted:
        return []
    files = call.context.files
    names = {FILE: "file", DIRECTORY: "directory", SYMLINK: "symlink"}
    kinds = wanted & {"file", "directory", "symlink"}

    def test(entry: EntryStat) -> bool:
        if kinds and names[entry.kind] not in kinds:
            return False
        if "executable" in wanted and not (entry.kind == FILE and entry.mode & 0o111):
            return False
        if "empty" in wanted:
            if entry.kind == DIRECTORY:
                return not files.list_directory(entry.path, limit=1)[1]
            return entry.kind == FILE and not entry.size
        return bool(wanted - {"none"})

    return [test]


def _sizes(texts: Sequence[str]) -> list[Test]:
    tests: list[Test] = []
    for text in texts:
        found = _SIZE.fullmatch(text)
        if found is None:
            raise UsageError(
                f"'{text}' is not a valid size constraint. See 'fd --help'.", hint=False
            )
        sign, size = found[1], int(found[2]) * _UNITS[found[3].lower()]
        if sign == "+":
            tests.append(lambda entry, size=size: entry.kind == FILE and entry.size >= size)  # type: ignore[misc]
        elif sign == "-":
            tests.append(lambda entry, size=size: entry.kind == FILE and entry.size <= size)  # type: ignore[misc]
        else:
            tests.append(lambda entry, size=size: entry.kind == FILE and entry.size == size)  # type: ignore[misc]
    return tests


def _ages(call: Invocation) -> list[Test]:
    tests: list[Test] = []
    for name, value in call.parsed.given:
        if name not in ("changed-within", "changed-before"):
            continue
        limit = _moment(call, value or "")
        if name == "changed-within":
            tests.append(lambda entry, limit=limit: entry.mtime_ns > limit)  # type: ignore[misc]
        else:
            tests.append(lambda entry, limit=limit: entry.mtime_ns < limit)  # type: ignore[misc]
    return tests


def _moment(call: Invocation, text: str) -> int:
    now_ns = call.context.files.store.now()
    span = _SPAN.fullmatch(text.strip())
    if span is not None:
        return now_ns - int(span[1]) * _SPANS[span[2]] * _NS
    try:
        return parse_date(text, now_ns, zone_of(call.environment))
    except BadDateError:
        message = f"'{text}' is not a valid date or duration. See 'fd --help'."
        raise UsageError(message, hint=False) from None


def _number(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"Invalid value for '--{name}': invalid digit found in string", hint=False)
    return int(text[:9])


def _split_command(words: Sequence[str]) -> tuple[list[str], list[str], bool]:
    """Take out the command after `-x` or `-X`, up to `;`; and tell whether it is for all."""
    for place, word in enumerate(words):
        if word in ("-x", "--exec", "-X", "--exec-batch"):
            rest = list(words[place + 1 :])
            end = rest.index(";") if ";" in rest else len(rest)
            if not end:
                raise UsageError(f"{word} needs a command", hint=False)
            return [*words[:place], *rest[end + 1 :]], rest[:end], word in ("-X", "--exec-batch")
    return list(words), [], False


def _execute(call: Invocation, found: list[str], words: Sequence[str], *, batch: bool) -> int:
    """Run a command for each path, or one for all."""
    status = 0
    for paths in [found] if batch and found else [[each] for each in found]:
        done = call.execute(_filled(words, paths), b"")
        call.stdout.write(done.stdout)
        if done.stderr:
            call.stderr.write(done.stderr)
        status = status or int(done.exit_code != 0)
    return status


_PLACES: Final[dict[str, Callable[[str], str]]] = {
    "{}": lambda path: path,
    "{.}": lambda path: re.sub(r"(?<=[^/])\.[^./]*\Z", "", path),
    "{/}": lambda path: path.rstrip("/").rpartition("/")[2],
    "{//}": lambda path: path.rstrip("/").rpartition("/")[0] or ".",
    "{/.}": lambda path: re.sub(r"(?<=.)\.[^.]*\Z", "", path.rstrip("/").rpartition("/")[2]),
}


def _filled(words: Sequence[str], paths: Sequence[str]) -> list[str]:
    out: list[str] = []
    used = False
    for word in words:
        place = next((key for key in _PLACES if key in word), None)
        if place is None:
            out.append(word)
            continue
        used = True
        out += [word.replace(place, _PLACES[place](path.rstrip("/") or path)) for path in paths]
    return out if used else [*out, *(path.rstrip("/") or path for path in paths)]


_OPTIONS: Final = (
    Option(("-H", "--hidden"), "Search hidden files and directories."),
    Option(("-I", "--no-ignore"), "Do not respect .(git|fd)ignore files."),
    Option(("--no-ignore-vcs",), "Do not respect .gitignore files."),
    Option(("-u", "--unrestricted"), "Alias for '--no-ignore --hidden'."),
    Option(("-s", "--case-sensitive"), "Case-sensitive search (default: smart case)."),
    Option(("-i", "--ignore-case"), "Case-insensitive search (default: smart case)."),
    Option(("-g", "--glob"), "Glob-based search (default: regular expression)."),
    Option(("--regex",), "Regular-expression based search (default)."),
    Option(("-F", "--fixed-strings"), "Treat pattern as literal string."),
    Option(("-a", "--absolute-path"), "Show absolute instead of relative paths."),
    Option(("-p", "--full-path"), "Search full abs. path (default: filename only)."),
    Option(("-d", "--max-depth"), "Set maximum search depth.", "DEPTH"),
    Option(("--min-depth",), "Only show results at or below this depth.", "DEPTH"),
    Option(("--exact-depth",), "Only show results at exactly this depth.", "DEPTH"),
    Option(("-t", "--type"), "file, directory, symlink, executable, empty.", "TYPE"),
    Option(("-e", "--extension"), "Filter by file extension.", "EXT"),
    Option(("-E", "--exclude"), "Exclude entries that match the given glob pattern.", "PATTERN"),
    Option(("-S", "--size"), "Limit results based on the size of files.", "SIZE"),
    Option(("--changed-within",), "Filter by file modification time (newer than).", "DATE|DUR"),
    Option(("--changed-before",), "Filter by file modification time (older than).", "DATE|DUR"),
    Option(("-x", "--exec"), "Execute a command for each result.", "CMD"),
    Option(("-X", "--exec-batch"), "Execute a command once with all results.", "CMD"),
    Option(("-0", "--print0"), "Separate results by the null character."),
    Option(("-1",), "Limit the search to a single result."),
    Option(("--max-results",), "Limit the number of search results.", "COUNT"),
    Option(("-q", "--quiet"), "Print nothing, exit code 0 if match found, 1 otherwise."),
    Option(("--search-path",), "Provide paths to search.", "PATH"),
    Option(("-c", "--color"), "Accepted: output is not coloured.", "WHEN"),
    Option(("-j", "--threads"), "Accepted; has no effect.", "NUM"),
)

_FD: Final = Command(
    "fd",
    "[OPTIONS] [PATTERN] [PATH]...",
    "Find entries in the filesystem by a pattern in their names.",
    run_fd,
    options=_OPTIONS,
    aliases=("fdfind",),
    raw=True,
)
COMMANDS: Final = (_FD,)
