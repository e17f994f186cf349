"""`tree`: directories as a drawing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from vshell.errors import VshellError
from vshell.fs.paths import encode
from vshell.fs.records import EntryStat
from vshell.fs.schema import DIRECTORY, FILE, SYMLINK
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, to_bytes
from vshell.shell.nodes import OWNER, Listing, mode_text, node_at, shown_size, stat_node, typed_join
from vshell.shell.sizes import readable
from vshell.shell.timeformat import format_time, zone_of
from vshell.shell.versions import version_key
from vshell.shell.wildcards import wildcard_matches

_LINES: Final = {
    "utf-8": ("├── ", "└── ", "│\u00a0\u00a0 ", "    "),
    "ascii": ("|-- ", "`-- ", "|   ", "    "),
}
_SORTS: Final = ("name", "version", "size", "mtime", "ctime", "none")
_HALF_YEAR_NS: Final = 31_556_952 // 2 * 1_000_000_000
_JSON_KINDS: Final = {FILE: "file", DIRECTORY: "directory", SYMLINK: "link"}


class _Branch:
    """A thing in the drawing, with what is below it."""

    def __init__(self, name: str, path: str, node: EntryStat) -> None:
        self.name = name
        self.path = path
        self.node = node
        self.target: str | None = None
        self.leads_to: EntryStat | None = None
        self.note = ""
        self.below: list[_Branch] | None = None
        self.size = shown_size(node)

    @property
    def is_directory(self) -> bool:
        led_to = self.leads_to
        return self.node.kind == DIRECTORY or (led_to is not None and led_to.kind == DIRECTORY)


class _Tree:
    def __init__(self, call: Invocation) -> None:
        parsed = call.parsed
        self._call = call
        self._files = call.context.files
        self._parsed = parsed
        self._all = parsed.flag("a")
        self._directories_only = parsed.flag("d")
        self._follow = parsed.flag("l")
        self._ignore_case = parsed.flag("ignore-case")
        self._patterns = [part for text in parsed.values("P") for part in text.split("|")]
        self._ignored = [part for text in parsed.values("I") for part in text.split("|")]
        self._limit = _level(parsed.value("L"))
        self._most = _count(parsed.value("filelimit"), "filelimit")
        self._sort = _sort(call)
        self._zone = zone_of(call.environment)
        charset = (parsed.value("charset") or "utf-8").lower()
        self._lines = _LINES["utf-8" if "utf" in charset else "ascii"]
        self.directories = self.files = 0
        self.bytes = 0
        self.status = 0

    def load(self, typed: str) -> _Branch | None:
        """Read the tree below an operand; None when it cannot be opened."""
        try:
            node = node_at(self._call, typed, follow=True)
            if node.kind != DIRECTORY:
                self.files += 1
                return None
            depth = self._limit
            listing = Listing(self._files, node.path, max_depth=depth)
        except VshellError:
            self.status = 2
            return None
        top = _Branch(typed, typed, node)
        self.directories += 1
        self._fill(top, listing, listing.top, (node.inode,), 1)
        return top

    def _fill(
        self, branch: _Branch, listing: Listing, real: str, above: tuple[int, ...], depth: int
    ) -> None:
        if self._limit is not None and depth > self._limit:
            return
        entries = [entry for entry in listing.entries(real) if self._shows(entry)]
        if self._most is not None and len(entries) > self._most:
            branch.note = f"  [{len(entries)} entries exceeds filelimit, not opening dir]"
            return
        below = [self._branch(branch, entry) for entry in entries]
        if self._directories_only:
            below = [each for each in below if each.is_directory]
        for each in below:
            self._go_in(each, listing, above, depth)
        if self._parsed.flag("prune"):
            below = [each for each in below if not each.is_directory or each.below]
        branch.below = self._ordered(below)
        if self._parsed.flag("du"):
            branch.size += sum(each.size for each in below)
        for each in below:
            if each.is_directory:
                self.directories += 1
            else:
                self.files += 1

    def _go_in(self, each: _Branch, listing: Listing, above: tuple[int, ...], depth: int) -> None:
        if each.node.kind == DIRECTORY:
            self._fill(each, listing, each.node.path, (*above, each.node.inode), depth + 1)
        elif self._follow and each.leads_to is not None and each.is_directory:
            if each.leads_to.inode in above:
                each.note = "  [recursive, not followed]"
                return
            inner = Listing(self._files, each.leads_to.path)
            self._fill(each, inner, inner.top, (*above, each.leads_to.inode), depth + 1)

    def _branch(self, parent: _Branch, entry: EntryStat) -> _Branch:
        name = entry.path.rpartition("/")[2]
        branch = _Branch(name, typed_join(parent.path, name), entry)
        if entry.kind == SYMLINK:
            branch.target = self._files.readlink(entry.path)
            try:
                branch.leads_to = stat_node(self._files, entry.path, follow=True)
            except VshellError:
                branch.leads_to = None
        return branch

    def _shows(self, entry: EntryStat) -> bool:
        name = entry.path.rpartition("/")[2]
        if name.startswith(".") and not self._all:
            return False
        if any(self._matches(pattern, name, entry) for pattern in self._ignored):
            return False
        if not self._patterns or (entry.kind == DIRECTORY and not self._parsed.flag("matchdirs")):
            return True
        if entry.kind == DIRECTORY:
            return True
        return any(self._matches(pattern, name, entry) for pattern in self._patterns)

    def _matches(self, pattern: str, name: str, entry: EntryStat) -> bool:
        if pattern.endswith("/") and entry.kind == DIRECTORY:
            pattern = pattern[:-1]
        return wildcard_matches(pattern, name, ignore_case=self._ignore_case)

    def _ordered(self, branches: list[_Branch]) -> list[_Branch]:
        if self._sort != "none":
            branches = sorted(branches, key=lambda each: encode(each.name))
            key = _KEYS.get(self._sort)
            if key is not None:
                branches.sort(key=key)
            if self._parsed.flag("r"):
                branches.reverse()
        if self._parsed.flag("dirsfirst"):
            branches.sort(key=lambda each: not each.is_directory)
        elif self._parsed.flag("filesfirst"):
            branches.sort(key=lambda each: each.is_directory)
        return branches

    # Printing.

    def draw(self, branch: _Branch, out: BufferedOutput) -> None:
        out.write(to_bytes(self._label(branch, top=True) + "\n"))
        self._draw_below(branch, "", out)

    def _draw_below(self, branch: _Branch, indent: str, out: BufferedOutput) -> None:
        below = branch.below or []
        tee, corner, pipe, blank = self._lines
        plain = self._parsed.flag("i")
        for place, each in enumerate(below):
            last = place == len(below) - 1
            lead = "" if plain else indent + (corner if last else tee)
            out.write(to_bytes(f"{lead}{self._label(each)}\n"))
            self._draw_below(each, indent + (blank if last else pipe), out)

    def _label(self, branch: _Branch, *, top: bool = False) -> str:
        name = branch.path if self._parsed.flag("f") or top else branch.name
        text = self._details(branch) + self._painted(self._quoted(name), branch.node, branch)
        if branch.node.kind != SYMLINK:
            text += self._mark(branch.node, name)
        if branch.target is not None:
            text += " -> " + self._painted_target(branch)
            if branch.leads_to is not None:
                text += self._mark(branch.leads_to, "")
        return text + branch.note

    def _quoted(self, name: str) -> str:
        if self._parsed.flag("Q"):
            return '"' + name.replace('"', '\\"') + '"'
        if self._parsed.flag("N") or name.isprintable():
            return name
        shown = "".join(
            letter if letter.isprintable() else "".join(f"\\{b:03o}" for b in encode(letter))
            for letter in name
        )
        return (
            shown
            if not self._parsed.flag("q")
            else "".join(letter if letter.isprintable() else "?" for letter in name)
        )

    def _mark(self, node: EntryStat, name: str) -> str:
        if not self._parsed.flag("F"):
            return ""
        if node.kind == DIRECTORY:
            return "" if name.endswith("/") else "/"
        return "*" if node.kind == FILE and node.mode & 0o111 else ""

    def _details(self, branch: _Branch) -> str:
        parsed, node = self._parsed, branch.node
        parts = []
        if parsed.flag("inodes"):
            parts.append(f"{node.inode:>7}")
        if parsed.flag("p"):
            parts.append(mode_text(node))
        if parsed.flag("u"):
            parts.append(f"{OWNER:<8}")
        if parsed.flag("g"):
            parts.append(f"{OWNER:<8}")
        if parsed.flag("h"):
            parts.append(f"{readable(branch.size):>4}")
        elif parsed.flag("si"):
            parts.append(f"{readable(branch.size, 1000):>4}")
        elif parsed.flag("s") or parsed.flag("du"):
            parts.append(f"{branch.size:>11}")
        if parsed.flag("D") or parsed.flag("timefmt"):
            parts.append(self._time(node))
        return f"[{' '.join(parts)}]  " if parts else ""

    def _time(self, node: EntryStat) -> str:
        pattern = self._parsed.value("timefmt")
        if pattern is None:
            now_ns = self._files.store.now()
            recent = now_ns - _HALF_YEAR_NS < node.mtime_ns <= now_ns
            pattern = "%b %e %H:%M" if recent else "%b %e  %Y"
        return format_time(pattern, node.mtime_ns, self._zone)

    def _painted(self, text: str, node: EntryStat, branch: _Branch) -> str:
        if not self._parsed.flag("C"):
            return text
        if node.kind == SYMLINK:
            code = "01;36" if branch.leads_to is not None else "40;31;01"
        elif node.kind == DIRECTORY:
            code = "01;34"
        else:
            code = "01;32" if node.mode & 0o111 else "00"
        return f"\x1b[{code}m{text}\x1b[0m"

    def _painted_target(self, branch: _Branch) -> str:
        text = self._quoted(branch.target or "")
        if branch.leads_to is None:
            return f"\x1b[00m{text}\x1b[0m" if self._parsed.flag("C") else text
        return self._painted(text, branch.leads_to, branch)

    def as_json(self, branch: _Branch) -> dict[str, Any]:
        """Return a branch as `-J` has it."""
        name = branch.path if self._parsed.flag("f") else branch.name
        found: dict[str, Any] = {"type": _JSON_KINDS[branch.node.kind], "name": name}
        if branch.target is not None:
            found["target"] = branch.target
        if self._parsed.flag("p"):
            found["mode"] = f"{branch.node.mode:04o}"
            found["prot"] = mode_text(branch.node)
        if self._parsed.flag("s") or self._parsed.flag("h") or self._parsed.flag("du"):
            found["size"] = branch.size
        if branch.below:
            found["contents"] = [self.as_json(each) for each in branch.below]
        return found


_KEYS: Final[dict[str, Callable[[_Branch], Any]]] = {
    "version": lambda each: version_key(encode(each.name)),
    "size": lambda each: -shown_size(each.node),
    "mtime": lambda each: each.node.mtime_ns,
    "ctime": lambda each: each.node.ctime_ns,
}


def _level(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not int(text[:9]):
        raise UsageError("Invalid level, must be greater than 0.", hint=False)
    return int(text[:9])


def _count(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"Invalid {name}, must be a number.", hint=False)
    return int(text[:9])


def _sort(call: Invocation) -> str:
    chosen = "name"
    for name, value in call.parsed.given:
        if name == "sort":
            if value not in _SORTS:
                listed = ",".join(_SORTS)
                raise UsageError(
                    f"Sort type '{value}' not valid, should be one of: {listed}", hint=False
                )
            chosen = value or ""
        elif name in ("t", "c", "v", "U"):
            chosen = {"t": "mtime", "c": "ctime", "v": "version", "U": "none"}[name]
    return chosen


def run_tree(call: Invocation) -> int:
    for name in ("H", "X", "T", "R", "fromfile", "gitignore", "o"):
        if call.parsed.flag(name):
            raise UsageError(f"-{name} is not supported", hint=False)
    tree = _Tree(call)
    shown: list[dict[str, Any]] = []
    with BufferedOutput(call.stdout) as out:
        for operand in call.operands or (".",):
            branch = tree.load(operand)
            if call.parsed.flag("J"):
                error = {"type": "directory", "name": operand, "error": "error opening dir"}
                shown.append(tree.as_json(branch) if branch else error)
            elif branch is None:
                out.write(to_bytes(f"{operand}  [error opening dir]\n"))
            else:
                tree.draw(branch, out)
                tree.bytes += branch.size
        if call.parsed.flag("J"):
            _write_json(tree, shown, out, report=not call.parsed.flag("noreport"))
        elif not call.parsed.flag("noreport"):
            out.write(to_bytes(_report(call, tree)))
    return tree.status


def _report(call: Invocation, tree: _Tree) -> str:
    directories = f"{tree.directories} director{'y' if tree.directories == 1 else 'ies'}"
    used = f"{tree.bytes:>14} bytes used in " if call.parsed.flag("du") else ""
    if call.parsed.flag("d"):
        return f"\n{used}{directories}\n"
    return f"\n{used}{directories}, {tree.files} file{'' if tree.files == 1 else 's'}\n"


def _write_json(
    tree: _Tree, shown: list[dict[str, Any]], out: BufferedOutput, *, report: bool
) -> None:
    lines = ["["]
    for place, branch in enumerate(shown):
        lines += _json_lines(branch, "  ", last=place == len(shown) - 1)
    if report:
        counts = {"type": "report", "directories": tree.directories, "files": tree.files}
        lines += [",", f"  {json.dumps(counts, separators=(',', ':'))}"]
    lines.append("]")
    out.write(to_bytes("\n".join(lines) + "\n"))


def _json_lines(branch: dict[str, Any], indent: str, *, last: bool) -> list[str]:
    contents = branch.get("contents")
    plain = {name: value for name, value in branch.items() if name != "contents"}
    text = indent + json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    comma = "" if last else ","
    if not contents:
        return [text + comma]
    lines = [text[:-1] + ',"contents":[']
    for place, each in enumerate(contents):
        lines += _json_lines(each, indent + "  ", last=place == len(contents) - 1)
    return [*lines, f"{indent}]}}{comma}"]


def _flag(letter: str, text: str) -> Option:
    return Option((f"-{letter}",), text)


COMMANDS: Final = (
    Command(
        "tree",
        "[OPTION]... [DIRECTORY]...",
        "List contents of directories in a tree-like format.",
        run_tree,
        options=(
            _flag("a", "All files are listed."),
            _flag("d", "List directories only."),
            _flag("l", "Follow symbolic links like directories."),
            _flag("f", "Print the full path prefix for each file."),
            Option(("-L",), "Descend only LEVEL directories deep.", "LEVEL"),
            Option(("-P",), "List only those files that match the pattern given.", "PATTERN"),
            Option(("-I",), "Do not list files that match the given pattern.", "PATTERN"),
            Option(("--matchdirs",), "Include directory names in -P pattern matching."),
            Option(("--ignore-case",), "Ignore case when pattern matching."),
            Option(("--noreport",), "Turn off file/directory count at end of tree listing."),
            Option(("--charset",), "Use ASCII or UTF-8 lines.", "X"),
            Option(("--filelimit",), "Do not descend dirs with more than # files in them.", "#"),
            _flag("q", "Print non-printable characters as '?'."),
            _flag("N", "Print non-printable characters as is."),
            _flag("Q", "Quote filenames with double quotes."),
            _flag("p", "Print the protections for each file."),
            _flag("u", "Displays file owner."),
            _flag("g", "Displays file group owner."),
            _flag("s", "Print the size in bytes of each file."),
            _flag("h", "Print the size in a more human readable way."),
            Option(("--si",), "Like -h, but use in SI units (powers of 1000)."),
            Option(("--du",), "Compute size of directories by their contents."),
            _flag("D", "Print the date of last modification."),
            Option(("--timefmt",), "Print and format time according to the format.", "FORMAT"),
            _flag("F", "Appends '/', '=', '*', '@', '|' or '>' as per ls -F."),
            Option(("--inodes",), "Print inode number of each file."),
            _flag("v", "Sort files alphanumerically by version."),
            _flag("t", "Sort files by last modification time."),
            _flag("c", "Sort files by last status change time."),
            _flag("U", "Leave files unsorted."),
            _flag("r", "Reverse the order of the sort."),
            Option(("--dirsfirst",), "List directories before files."),
            Option(("--filesfirst",), "List files before directories."),
            Option(("--sort",), "name, version, size, mtime, ctime or none.", "X"),
            Option(("--prune",), "Prune empty directories from the output."),
            _flag("i", "Don't print indentation lines."),
            _flag("C", "Turn colorization on always."),
            _flag("n", "Turn colorization off always."),
            _flag("J", "Prints out a JSON representation of the tree."),
            _flag("x", "Stay on current filesystem only."),
            Option(("-H",), "Not supported.", "BASE"),
            _flag("X", "Not supported."),
            _flag("R", "Not supported."),
            Option(("-T",), "Not supported.", "TITLE"),
            Option(("-o",), "Not supported.", "FILE"),
            Option(("--fromfile",), "Not supported."),
            Option(("--gitignore",), "Not supported."),
        ),
    ),
)
