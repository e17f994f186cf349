"""What `.gitignore` files leave out, decided as git decides it.

What lies below an ignored directory stays ignored whatever a later rule says. A
deeper file goes before a higher one, and in one file the last rule that matches
decides. See `text/gitignore.py` for what one rule matches.

`.git` is nothing special here, nor is a directory that holds one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Final

from vshell.errors import TooLargeError
from vshell.text.gitignore import (
    Rule,
    byte_text,
    is_literal,
    parse_rule,
    parse_rules,
    rule_regex,
)

__all__ = [
    "MAX_IGNORE_BYTES",
    "MAX_WILDCARD_CHARACTERS",
    "MAX_WILDCARD_RULES",
    "DirectoryRules",
    "IgnoreRules",
    "has_segment_named",
]

MAX_IGNORE_BYTES: Final = 2 * 1024**2
"""The largest `.gitignore`: 100,000 lines of names fit, and are read in half a second."""

MAX_WILDCARD_RULES: Final = 1000
"""How many rules with wildcards may apply in a directory: each is tried on every name."""

MAX_WILDCARD_CHARACTERS: Final = 16 * 1024
"""How long these rules may be together, which bounds the time for a hostile name."""

_MAX_CACHED_DIRECTORIES = 50_000
_HINT = "shorten it, or ask for ignored files too"


def has_segment_named(path: str, names: Collection[str]) -> bool:
    """Tell whether some segment of a path is one of the names.

    This is the plain rule of simple mirrors, in which `node_modules` leaves out every
    directory of that name with all that is in it. Nothing is a wildcard, and a name
    that holds a slash is the name of no segment.

    >>> has_segment_named("/a/node_modules/b", ["node_modules"])
    True
    >>> has_segment_named("/a/b/c", ["b/c"])
    False
    """
    return any(segment in names for segment in path.split("/") if segment)


class IgnoreRules:
    """The `.gitignore` files of a workspace.

    A file is parsed when something in its directory is first asked about, so files below
    an ignored directory cost nothing. Decisions about directories are kept. Not for use
    by several threads at once.
    """

    __slots__ = ("_directories", "_first", "_texts")

    def __init__(
        self, files: Iterable[tuple[str, str | bytes]] = (), *, patterns: Sequence[str] = ()
    ) -> None:
        """Take the files; paths are absolute paths of the workspace, normalised.

        Args:
            files: For each `.gitignore` the path of its directory and its text. Several
                texts for one directory count as one file, in the order given.
            patterns: Rules that go before those of all files and are relative to the root,
                like those of `git ls-files --exclude`: no comments, and spaces count.

        Raises:
            TooLargeError: The patterns are over the limits named at `ignored`.
        """
        self._texts: dict[str, list[str | bytes]] = {}
        for directory, text in files:
            self._texts.setdefault(directory.strip("/"), []).append(text)
        rules = [parse_rule(byte_text(pattern)) for pattern in patterns]
        self._first: _Levels = ((_table(rules, (), None), ""),) if rules else ()
        self._directories: dict[str, DirectoryRules] = {}

    def ignored(self, path: str, *, is_directory: bool) -> bool:
        """Tell whether a path is ignored, by itself or with a directory above it.

        Args:
            path: The path; the root is never ignored.
            is_directory: Whether it is a directory, for rules that end in a slash.

        Raises:
            TooLargeError: A file that applies has more than `MAX_IGNORE_BYTES`, or those
                that apply have together more than `MAX_WILDCARD_RULES` rules with
                wildcards, or more than `MAX_WILDCARD_CHARACTERS` in these.
        """
        parent, _, name = path.strip("/").rpartition("/")
        directory = self._directories.get(parent) or self.at(parent)
        return bool(name) and directory.ignores(name, is_directory=is_directory)

    def prune(self, entries: Iterable[tuple[str, bool]]) -> list[str]:
        """Return the paths that are not ignored, in their order.

        Args:
            entries: Paths, and whether each is a directory.

        Raises:
            TooLargeError: As `ignored` does.
        """
        return [path for path, kind in entries if not self.ignored(path, is_directory=kind)]

    def at(self, directory: str) -> DirectoryRules:
        """Return the rules for the entries of a directory; it need not exist.

        Args:
            directory: The path of the directory.

        Raises:
            TooLargeError: As `ignored` does.
        """
        if len(self._directories) > _MAX_CACHED_DIRECTORIES:
            self._directories.clear()
        path = directory.strip("/")
        found = self._directories.get(path)
        missing: list[str] = []
        while found is None and path:
            path, _, name = path.rpartition("/")
            missing.append(name)
            found = self._directories.get(path)
        if found is None:
            found = self._directories[""] = self._enter("", self._first)
        for name in reversed(missing):
            found = found.child(name)
            self._directories[found.path] = found
        return found

    def _enter(self, path: str, levels: _Levels, text: str | bytes = "") -> DirectoryRules:
        """Put a directory's own rules in their place: after `patterns`, before those above."""
        texts = [*self._texts.get(path, ()), text]
        if any(texts):
            file = f"/{path}/.gitignore" if path else "/.gitignore"
            rules = [rule for text in texts for rule in _read(text, file)]
            place = len(self._first)
            own = (_table(rules, levels, file), "")
            levels = (*levels[:place], own, *levels[place:])
        return DirectoryRules(path, ignored=False, levels=levels, enter=self._enter)


class DirectoryRules:
    """The rules for the entries of one directory: what a walk takes along on its way down.

    Attributes:
        path: The directory, without a leading slash.
        ignored: Whether the directory itself is ignored, and so all that is in it.
    """

    __slots__ = ("_enter", "_levels", "ignored", "path")

    def __init__(
        self,
        path: str,
        *,
        ignored: bool,
        levels: _Levels,
        enter: Callable[[str, _Levels, str | bytes], DirectoryRules],
    ) -> None:
        self.path = path
        self.ignored = ignored
        self._levels = levels
        self._enter = enter

    def ignores(self, name: str, *, is_directory: bool) -> bool:
        """Tell whether an entry of the directory is ignored.

        Args:
            name: The name of the entry.
            is_directory: Whether it is a directory, for rules that end in a slash.
        """
        if self.ignored:
            return True
        if not name.isascii():
            name = byte_text(name)
        for table, above in self._levels:
            place = (table.directories if is_directory else table.files).last(name, above)
            if place >= 0:
                return not table.negated[place]
        return False

    def child(self, name: str, *, text: str | bytes = "") -> DirectoryRules:
        """Return the rules for the entries of a directory that lies in this one.

        Args:
            name: The name of that directory.
            text: Its `.gitignore`, for a walk that meets the files on its way; it is read
                after those of that directory that `IgnoreRules` was given.

        Raises:
            TooLargeError: As `IgnoreRules.ignored` does.
        """
        path = f"{self.path}/{name}" if self.path else name
        if self.ignores(name, is_directory=True):
            return DirectoryRules(path, ignored=True, levels=(), enter=self._enter)
        step = f"{byte_text(name)}/"
        levels = tuple((table, above + step) for table, above in self._levels)
        return self._enter(path, levels, text)


def _read(text: str | bytes, file: str) -> Iterable[Rule]:
    content = byte_text(text)
    if len(content) > MAX_IGNORE_BYTES:
        raise TooLargeError(f"{file} has more than {MAX_IGNORE_BYTES} bytes", path=file, hint=_HINT)
    return parse_rules(content)


@dataclass(slots=True)
class _Wildcards:
    """Rules that need a regular expression, all in one: the last rule is its first choice."""

    regexes: list[tuple[int, str]] = field(default_factory=list)
    fullmatch: Callable[[str], re.Match[str] | None] | None = None

    def last(self, text: str) -> int:
        if self.fullmatch is None:
            latest_first = [f"({regex})" for _, regex in reversed(self.regexes)]
            self.fullmatch = re.compile("|".join(latest_first), re.DOTALL).fullmatch
        match = self.fullmatch(text)
        if match is None or match.lastindex is None:
            return -1
        return self.regexes[-match.lastindex][0]


@dataclass(slots=True)
class _Lookup:
    """Rules by the way to find them. Each is known by its place among the file's rules."""

    names: dict[str, int] = field(default_factory=dict)
    paths: dict[str, int] = field(default_factory=dict)
    prefixes: dict[str, int] = field(default_factory=dict)
    suffixes: dict[str, int] = field(default_factory=dict)
    prefix_lengths: list[int] = field(default_factory=list)
    suffix_lengths: list[int] = field(default_factory=list)
    some_prefix: tuple[str, ...] = ()
    some_suffix: tuple[str, ...] = ()
    on_name: _Wildcards = field(default_factory=_Wildcards)
    on_path: _Wildcards = field(default_factory=_Wildcards)

    def add(self, place: int, rule: Rule, regex: str) -> None:
        """Add a rule; `regex` is empty unless it needs one."""
        body = rule.body
        if regex:
            (self.on_name if rule.on_name else self.on_path).regexes.append((place, regex))
        elif body.endswith("*"):
            self.prefixes[body[:-1]] = place
        elif body.startswith("*"):
            self.suffixes[body[1:]] = place
        elif rule.on_name:
            self.names[body] = place
        else:
            self.paths[body.removeprefix("/")] = place

    def finish(self) -> None:
        self.prefix_lengths = sorted({len(text) for text in self.prefixes})
        self.suffix_lengths = sorted({len(text) for text in self.suffixes})
        self.some_prefix = _tried_first(self.prefixes)
        self.some_suffix = _tried_first(self.suffixes)

    def last(self, name: str, above: str) -> int:
        """Return the place of the last rule that matches an entry, or -1.

        Args:
            name: Its name.
            above: Its directory as seen from the file's, with a slash at the end.
        """
        best = self.names.get(name, -1)
        if name.startswith(self.some_prefix):
            for length in self.prefix_lengths:
                best = max(best, self.prefixes.get(name[:length], -1))
        if name.endswith(self.some_suffix):
            for length in self.suffix_lengths:
                best = max(best, self.suffixes.get(name[-length:], -1))
        if self.on_name.regexes:
            best = max(best, self.on_name.last(name))
        if self.paths:
            best = max(best, self.paths.get(above + name, -1))
        if self.on_path.regexes:
            best = max(best, self.on_path.last(above + name))
        return best


def _tried_first(texts: Collection[str]) -> tuple[str, ...]:
    """One call says that none of a few texts fits, which is the usual answer."""
    return tuple(texts) if len(texts) <= 64 else ("",)


@dataclass(frozen=True, slots=True)
class _Table:
    """The rules of one file."""

    files: _Lookup
    directories: _Lookup
    negated: list[bool]
    wildcard_rules: int
    wildcard_characters: int


_Levels = tuple[tuple[_Table, str], ...]
"""The files that apply in a directory, the decisive one first, each with the path from its own."""


def _needs_regex(rule: Rule) -> bool:
    body = rule.body
    if is_literal(body):
        return False
    one_star = (body[0] == "*" and is_literal(body[1:])) or (
        body[-1] == "*" and is_literal(body[:-1])
    )
    return not (rule.on_name and one_star)


def _table(rules: Sequence[Rule], levels: _Levels, file: str | None) -> _Table:
    wild = [_needs_regex(rule) for rule in rules]
    wildcards = list(compress(rules, wild))
    characters = sum(len(rule.body) for rule in wildcards)
    count = len(wildcards) + sum(table.wildcard_rules for table, _ in levels)
    total = characters + sum(table.wildcard_characters for table, _ in levels)
    if count > MAX_WILDCARD_RULES or total > MAX_WILDCARD_CHARACTERS:
        raise TooLargeError(
            f"the rules with wildcards up to {file or 'the patterns to ignore'} are more than "
            f"{MAX_WILDCARD_RULES}, or more than {MAX_WILDCARD_CHARACTERS} characters",
            path=file,
            hint=_HINT,
        )
    for_files, for_directories = _Lookup(), _Lookup()
    for place, (rule, needed) in enumerate(zip(rules, wild, strict=True)):
        regex = rule_regex(rule) if needed else ""
        for_directories.add(place, rule, regex)
        if not rule.directory_only:
            for_files.add(place, rule, regex)
    for_files.finish()
    for_directories.finish()
    return _Table(
        for_files, for_directories, [rule.negated for rule in rules], len(wildcards), characters
    )
