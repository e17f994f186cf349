r"""Globs: patterns over the paths of a workspace.

| pattern | matches |
|---|---|
| `*`, `?` | any run of characters, any one character, never `/` |
| `**` as a whole segment | any number of directories, also none; at the end: everything below |
| `[a-c]`, `[!a]`, `[^a]`, `[[:digit:]]` | one character of a set, in which a first `]` is literal |
| `{a,b}`, `{1..3}` | alternatives, see `braces.py` |
| `\*` | the character `*` itself, see below |
| `a/` | `a`, when it is a directory |

These are bash's rules (bash(1), "Pattern Matching", with `globstar` and, by
default, `dotglob`), with these differences: `a/**` does not match `a` itself;
a `]` or a `[` without partner, `**` inside a segment and extended patterns such
as `+(a|b)` mean nothing special; sets are ranges of code points and classes hold
ASCII characters only, as in the C locale, whatever the locale.

A backslash escapes only what could mean something, that is ``* ? [ ] { } , ! ^ -``
and itself. Before any other character it is an ordinary character: `a\+b`
matches a name that holds a backslash, and not `a+b`.

`.` and `..` in a pattern are resolved as text, so `a/*/../b` is `a/b`.

A pattern compiles to one regular expression at most, which takes polynomial time
on any path: see `wildcards.py`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from vshell.errors import BadPatternError
from vshell.text.braces import expand_braces
from vshell.text.wildcards import (
    ANY_DEPTH,
    CLASSES,
    CharacterSet,
    Segment,
    Token,
    Wildcard,
    add_token,
    path_regex,
    read_set,
    segment_regex,
)

__all__ = ["MAX_GLOB_CHARACTERS", "Glob", "compile_glob", "glob_escape"]

MAX_GLOB_CHARACTERS: Final = 16 * 1024
"""The longest pattern: four times the longest path leaves room for alternatives."""

# What a backslash escapes: inside sets and braces there is more to escape than outside.
_SPECIAL = "*?[]{},!^-\\"
_ESCAPE = re.compile(r"[*?\[\]{},\\]")
_SET_ITEM = re.compile(
    r"""\[:(?P<name>[^]]{0,255}):\]
      | (?P<low>\\[][*?{},!^\\-] | .) (?:-(?P<high>\\[][*?{},!^\\-] | [^]]))?""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled glob. Paths given to it are relative, without a leading slash.

    Attributes:
        pattern: The pattern as it was given.
        prefix: The directories, by name, that every match lies in: where a walk can start.
        name_suffixes: When the name of every match ends with one of a few known texts,
            these; otherwise None. For narrowing a query; `match` still decides.
        min_depth: The least number of segments of a match. 0 is the base itself.
        max_depth: The largest number, or None when there is no bound.
        directories_only: Every alternative ends in a slash.
        absolute: Every alternative begins with a slash.
    """

    pattern: str
    prefix: tuple[str, ...]
    name_suffixes: tuple[str, ...] | None
    min_depth: int
    max_depth: int | None
    directories_only: bool
    absolute: bool
    _matches_file: Callable[[str], object] = field(repr=False, compare=False)
    _matches_directory: Callable[[str], object] = field(repr=False, compare=False)

    def match(self, path: str, *, is_directory: bool = True) -> bool:
        """Tell whether a path matches.

        Args:
            path: The path from the base, such as `src/a.ts`; `""` is the base itself.
            is_directory: Whether it is a directory. It matters only to alternatives that
                end in a slash, which a caller may also look after by `directories_only`.
        """
        return bool(self._matches_directory(path) if is_directory else self._matches_file(path))

    def filter(self, paths: Iterable[str]) -> list[str]:
        """Return those of the paths that match, in their order; all may be directories."""
        matches = self._matches_directory
        return [path for path in paths if matches(path)]


# Agents repeat their patterns; 64 of the largest take some 20 MB.
@functools.lru_cache(maxsize=64)
def compile_glob(
    pattern: str, *, base: str = "", dotfiles: bool = True, ignore_case: bool = False
) -> Glob:
    """Compile a glob; the syntax is in the module's docstring.

    Args:
        pattern: The glob.
        base: The directory that relative patterns start from, as seen from where the paths
            to match start. The default says that both are the same.
        dotfiles: Whether wildcards match names that begin with a dot. If not, a segment
            must begin with a literal dot to do so, and `**` enters no such directory.
        ignore_case: Whether letters match in both cases.

    Returns:
        The compiled glob; it is immutable and shared between calls.

    Raises:
        BadPatternError: The pattern is empty or too long, stands for too many
            alternatives, has `..` after `**`, a range that runs backwards, or a class
            of an unknown name. `data["position"]` says where.
    """
    alternatives = _alternatives(pattern, base)
    files = [each for each in alternatives if not each.directory]
    matches_directory = _matcher(alternatives, dotfiles=dotfiles, ignore_case=ignore_case)
    if len(files) == len(alternatives):
        matches_file = matches_directory
    else:
        matches_file = _matcher(files, dotfiles=dotfiles, ignore_case=ignore_case)
    depths = [each.depths() for each in alternatives]
    ceilings = [ceiling for _, ceiling in depths]
    return Glob(
        pattern=pattern,
        prefix=_common_prefix([each.prefix(ignore_case) for each in alternatives]),
        name_suffixes=None if ignore_case else _name_suffixes(alternatives),
        min_depth=min(floor for floor, _ in depths),
        max_depth=None if None in ceilings else max(filter(None, ceilings), default=0),
        directories_only=not files,
        absolute=all(each.absolute for each in alternatives),
        _matches_file=matches_file,
        _matches_directory=matches_directory,
    )


def glob_escape(text: str) -> str:
    r"""Return a pattern that matches exactly the given path.

    The result can also stand inside braces. Slashes, `.` and `..` keep their meaning.

    >>> glob_escape("src/[id].ts")
    'src/\\[id\\].ts'
    """
    return _ESCAPE.sub(r"\\\g<0>", text)


@dataclass(frozen=True, slots=True)
class _Alternative:
    segments: tuple[Segment, ...]
    directory: bool
    absolute: bool

    def literal(self) -> str | None:
        names = [_literal(segment) for segment in self.segments]
        return None if None in names else "/".join(filter(None, names))

    def depths(self) -> tuple[int, int | None]:
        deep = ANY_DEPTH in self.segments
        floor = sum(segment != ANY_DEPTH for segment in self.segments)
        if self.segments[-1:] == (ANY_DEPTH,):
            floor += 1
        return floor, None if deep else floor

    def prefix(self, ignore_case: bool) -> tuple[str, ...]:
        names: list[str] = []
        for segment in self.segments[:-1]:
            name = _literal(segment)
            if name is None or (ignore_case and _has_case(name)):
                break
            names.append(name)
        return tuple(names)


def _alternatives(pattern: str, base: str) -> list[_Alternative]:
    if len(pattern) > MAX_GLOB_CHARACTERS:
        raise BadPatternError(
            f"the pattern has more than {MAX_GLOB_CHARACTERS} characters",
            hint="use a shorter pattern, or several",
            data={"position": MAX_GLOB_CHARACTERS},
        )
    words = [word for word in expand_braces(pattern) if word]
    if not words:
        raise BadPatternError(
            "the pattern is empty", hint="`**` matches everything", data={"position": 0}
        )
    start = tuple((name,) for name in base.split("/") if name)
    return [_parse_alternative(word, start, pattern) for word in words]


def _parse_alternative(word: str, start: tuple[Segment, ...], pattern: str) -> _Alternative:
    absolute = word.startswith("/")
    segments = [] if absolute else list(start)
    parts = word.split("/")
    for part in parts:
        if part in ("", "."):
            continue
        if part == "..":
            _step_up(segments, pattern)
        elif part != "**" or segments[-1:] != [ANY_DEPTH]:
            segments.append(_parse_segment(part, pattern))
    return _Alternative(tuple(segments), parts[-1] in ("", ".", ".."), absolute)


def _step_up(segments: list[Segment], pattern: str) -> None:
    if not segments:
        return  # above the root is the root
    if segments.pop() == ANY_DEPTH:
        raise BadPatternError(
            "`..` cannot follow `**` in a pattern",
            hint="write the directory that is meant",
            data={"position": max(pattern.find(".."), 0)},
        )


def _parse_segment(text: str, pattern: str) -> Segment:
    if text == "**":
        return ANY_DEPTH
    tokens: list[Token] = []
    unclosed: set[int] = set()
    position = 0
    while position < len(text):
        character = text[position]
        token: Token = character
        end = position + 1
        if character == "*":
            token = Wildcard.STAR
        elif character == "?":
            token = Wildcard.ONE
        elif character == "\\" and text[end : end + 1] and text[end] in _SPECIAL:
            token, end = text[end], end + 1
        elif character == "[" and (found := read_set(text, position, _SET_ITEM, unclosed)):
            token, end = found
            _check_set(token, text[position:end], pattern)
        add_token(tokens, token)
        position = end
    return tuple(tokens)


def _check_set(found: CharacterSet, text: str, pattern: str) -> None:
    position = max(pattern.find(text), 0)
    for name in found.classes:
        if name not in CLASSES:
            raise BadPatternError(
                f"the pattern has a character class of the unknown name {name!r}",
                hint=f"the classes are {', '.join(CLASSES)}",
                data={"position": position},
            )
    for low, high in found.ranges:
        if low > high:
            raise BadPatternError(
                f"the range {low}-{high} in the pattern runs backwards",
                hint=f"write {high}-{low}, or put the hyphen first in the set",
                data={"position": position},
            )


def _literal(segment: Segment) -> str | None:
    only = segment[0] if len(segment) == 1 else None
    return only if isinstance(only, str) else None


def _has_case(text: str) -> bool:
    return text.lower() != text.upper()


def _common_prefix(prefixes: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    lowest, highest = min(prefixes), max(prefixes)
    for index, name in enumerate(lowest):
        if highest[index : index + 1] != (name,):
            return lowest[:index]
    return lowest


def _name_suffixes(alternatives: Sequence[_Alternative]) -> tuple[str, ...] | None:
    suffixes: set[str] = set()
    for alternative in alternatives:
        last = alternative.segments[-1][-1] if alternative.segments else None
        if not isinstance(last, str):
            return None
        suffixes.add(last)
    return tuple(sorted(suffixes))


def _matcher(
    alternatives: Sequence[_Alternative], *, dotfiles: bool, ignore_case: bool
) -> Callable[[str], object]:
    """Sort the alternatives into whole paths, endings, and what needs a regular expression.

    `str.endswith` takes a third of the time of the regular expression for `**/*.ts`.
    """
    paths: set[str] = set()
    endings: set[str] = set()
    others: dict[tuple[Segment, ...], list[Segment]] = {}
    for alternative in alternatives:
        literal = alternative.literal()
        ending = _ending(alternative.segments)
        if literal is not None and not (ignore_case and _has_case(literal)):
            paths.add(literal)
        elif ending is not None and dotfiles and not ignore_case:
            endings.add(ending)
            if ending.startswith("/"):
                paths.add(ending[1:])
        else:
            last = others.setdefault(alternative.segments[:-1], [])
            last += alternative.segments[-1:]
    regexes = [
        _path_regex(directory, last, dotfiles=dotfiles) for directory, last in others.items()
    ]
    return _combine(paths, tuple(sorted(endings)), regexes, ignore_case=ignore_case)


def _ending(segments: tuple[Segment, ...]) -> str | None:
    """For `**/*text` the ending `text`, for `**/name` the ending `/name`."""
    if len(segments) != 2 or segments[0] != ANY_DEPTH:
        return None
    match segments[1]:
        case (str(name),):
            return f"/{name}"
        case (Wildcard.STAR, str(suffix)):
            return suffix
    return None


def _combine(
    paths: set[str], endings: tuple[str, ...], regexes: Sequence[str], *, ignore_case: bool
) -> Callable[[str], object]:
    frozen = frozenset(paths)
    if not regexes:
        if not endings:
            return frozen.__contains__
        if not frozen:
            return lambda path: path.endswith(endings)
        return lambda path: path.endswith(endings) or path in frozen
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    fullmatch = re.compile("|".join(regexes), flags).fullmatch
    if not endings and not frozen:
        return fullmatch
    return lambda path: path in frozen or path.endswith(endings) or fullmatch(path)


def _path_regex(directory: tuple[Segment, ...], last: list[Segment], *, dotfiles: bool) -> str:
    """Alternatives that differ in their last segment alone share the work on their directory."""
    if ANY_DEPTH in last:
        deep = path_regex((*directory, ANY_DEPTH), dotfiles=dotfiles)
        last = [segment for segment in last if segment != ANY_DEPTH]
        return f"{deep}|{_path_regex(directory, last, dotfiles=dotfiles)}" if last else deep
    names = "|".join(segment_regex(segment, dotfiles=dotfiles) for segment in last)
    return path_regex((*directory, f"(?:{names})"), dotfiles=dotfiles)
