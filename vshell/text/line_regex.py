r"""What a regular expression asks of a line, read off the pattern.

Four questions are answered without running it:

- Which texts must a line hold, for the pattern to match there? A search for fixed
  text is ten times faster than the pattern, and can be done on bytes.
- Which pattern finds, in a text of many lines, what this one finds in each line by
  itself? In that *confined* pattern nothing can match a newline: `\s` becomes
  `[^\S\n]`, `[^a]` becomes `[^\na]`. A newline then stops every part of the pattern,
  lookarounds included, just as the end of a line does, and so neither loses matches
  nor makes them run on through the text. (With `MULTILINE`, for `^` and `$`.)
- Which patterns must one of its words match? `[a-z]{14}` asks for no text, but what it
  finds lies within a run of ASCII letters and digits.
- How often does the pattern repeat its parts? The `regex` module compiles `x{9}` to
  nine copies, so that `((x{999}){999}){999}` takes all memory there is.

Only syntax that means one certain thing is read, in the dialect of `regex`'s
version 0 (PyPI `regex`). For any other pattern the answer is
None, and its lines must be searched one by one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["Clause", "LineRegex", "most_copies", "rarity", "split_flags", "study"]

Clause = tuple[str, ...]
"""Texts of which a line holds at least one."""

_MAX_DEPTH: Final = 50
_MAX_ALTERNATIVES: Final = 32
_MAX_LITERAL: Final = 256
_MANY: Final = 1 << 60
_LEAST_WORD: Final = 3
"""Nearly every file has a word that holds any shorter run of characters."""

# In each, what follows must not change the meaning of what was read.
_QUANTIFIER = re.compile(r"(?:([*+?])|\{([0-9]*)(,?)([0-9]*)\})[?+]?")
_CONSTRAINT = re.compile(r"\{[ \t]*[eisd0-9]")
_GROUP = re.compile(r"\((?:\?(?::|P?<[^\W\d]\w*>|<?[=!]|>|[aimsu]+:))?(?![?*])")
_PORTABLE_GROUP = re.compile(r"\((?:\?(?:i?:|P<\w*>|<?[=!]))?")
_PORTABLE_SET = re.compile(r"(?:\\[dwsDWSt]|\\[^\w\s]|[^]\[\\\x00-\x1f])+")
_FLAGS = re.compile(r"(?:\(\?[a-zA-Z0-9]+\))*")
_KNOWN_FLAGS = re.compile(r"(?:\(\?[aimsu]+\))*")
_BACKREFERENCE = re.compile(r"\\[1-9][0-9]?(?![0-9])|\(\?P=[^\W\d]\w*\)")
_CODE_POINT = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_ALNUM_SET = re.compile(r"(?:[0-9]-[0-9]|[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9A-Za-z])+")
_PROPERTY = re.compile(r"\\[pP]\{[^{}]*\}")
_SET = re.compile(r"\[(\^?)(\]?(?:\\.|\[:\^?\w[\w=:-]*:\]|[^]\\])*)\]", re.DOTALL)
_PLAIN_SET = re.compile(r"[\w $./,;:#@!%=+*?()\"'<>{}]{1,8}")
_NO_NEWLINE_SET = re.compile(
    r"(?:\\[dwSt]|\\[^\w\s]|[^]\[\\\x00-\x1f-](?:-[^]\[\\\x00-\x1f-])?)+-?"
)

_CONTROL: Final = {"t": "\t", "r": "\r", "f": "\f", "a": "\a"}
_CONFINED: Final = {
    "d": r"\d",
    "w": r"\w",
    "S": r"\S",
    "D": r"[^\d\n]",
    "W": r"[^\w\n]",
    "s": r"[^\S\n]",
    "v": r"(?:(?!\n)\v)",
    "n": r"(?:(?!\n)\n)",
}
_DIGIT: Final = r"(?:[0-9]|[\xc2-\xf4][\x80-\xbf]{1,3})"
_EDGES: Final = {"b": r"\b", "B": r"\B", "m": r"\m", "M": r"\M", "A": "^", "Z": "$"}


@dataclass(frozen=True, slots=True)
class LineRegex:
    """What is known of a pattern.

    Attributes:
        clauses: Texts that a line must hold to match: of each clause at least one. With
            `MULTILINE` or `DOTALL` the same is true of a text that matches as a whole.
        ignore_case: Whether a part of the pattern itself asks for letters of any case, so
            that the clauses do too.
        confined: The pattern for many lines at once, without its flags; for `MULTILINE`.
        copies: How many parts the compiled pattern has, about.
        words: Patterns for bytes, each of which must be found within a run of ASCII letters,
            digits and bytes from 0x80 on; in any case, if case is ignored. A text that matches
            without one holds one of the other characters that match ASCII letters then.
        portable: Whether the confined pattern, on a text of ASCII, means the same to PCRE2:
            it holds nothing that one of the two does not know or reads in its own way.
    """

    clauses: tuple[Clause, ...]
    ignore_case: bool
    confined: str
    copies: int
    words: tuple[str, ...]
    portable: bool


def study(pattern: str) -> LineRegex | None:
    """Return what can be told of a pattern, or None when it holds anything unusual.

    A malformed pattern gives either: only compiling it tells.
    """
    flags, rest = split_flags(pattern)
    if not _KNOWN_FLAGS.fullmatch(flags):
        return None
    parser = _Parser(rest, dot_matches_newline=re.search(r"\(\?[a-z]*s", pattern) is not None)
    try:
        whole = parser.alternatives(0)
    except _Unknown:
        return None
    if parser.position < len(rest):
        return None
    ignore_case = parser.ignore_case or "i" in flags
    portable = parser.portable and pattern.isascii() and not flags.strip("(?i)")
    return LineRegex(
        _all_clauses(whole), ignore_case, whole.confined, whole.copies, _all_words(whole), portable
    )


def split_flags(pattern: str) -> tuple[str, str]:
    """Return the flags for all of a pattern, such as `(?i)`, and the rest of it.

    Flags count from where they stand, so what is put around a pattern comes after them.
    """
    match = _FLAGS.match(pattern)
    assert match is not None
    return match[0], pattern[match.end() :]


def most_copies(pattern: str) -> int:
    """Return a number of copies that no pattern with the same repeat counts exceeds."""
    copies = max(1, len(pattern))
    for digits in re.findall(r"\{\s*([0-9]+)", pattern):
        copies *= max(1, _count(digits))
    return min(copies, _MANY)


class _Unknown(Exception):  # noqa: N818 - it is no error: it says that nothing can be said
    pass


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern.

    Attributes:
        confined: Its confined form.
        exact: All texts that it can match, or None when they are many.
        clauses: What the line must hold besides.
        copies: How many copies compiling it makes.
        inside: If it matches nothing but ASCII letters and digits, and digits of others: the
            pattern of that, for bytes. Next to such a part it is a part of the same word.
        least: How many characters `inside` matches at least.
        words: What some of its words must match besides.
        is_single: Whether `inside` stands for one character, so that it may be repeated
            without taking time that grows faster than the text.
    """

    confined: str
    exact: tuple[str, ...] | None = None
    clauses: tuple[Clause, ...] = ()
    copies: int = 1
    inside: str | None = None
    least: int = 0
    words: tuple[str, ...] = ()
    is_single: bool = False


def _edge(confined: str, clauses: tuple[Clause, ...] = (), copies: int = 1) -> _Part:
    # What is left out asks for less. `\B` has to be: `_` is in no word of an index.
    inside = confined if confined == r"\b" else ""
    return _Part(confined, ("",), clauses, copies, inside)


class _Parser:
    def __init__(self, pattern: str, *, dot_matches_newline: bool) -> None:
        self._pattern = pattern
        self.position = 0
        self.ignore_case = False
        self.portable = True
        self._any = r"[^\n]" if dot_matches_newline else "."

    def alternatives(self, depth: int) -> _Part:
        """Read up to the end of a group or of the pattern."""
        if depth > _MAX_DEPTH:
            raise _Unknown
        branches = [self._sequence(depth)]
        while self._pattern.startswith("|", self.position):
            self.position += 1
            branches.append(self._sequence(depth))
        return branches[0] if len(branches) == 1 else _either(branches)

    def _sequence(self, depth: int) -> _Part:
        parts: list[_Part] = []
        while self.position < len(self._pattern):
            if self._pattern[self.position] in "|)":
                break
            parts.append(self._repeated(self._item(depth)))
        return _in_turn(parts)

    def _item(self, depth: int) -> _Part:
        pattern, start = self._pattern, self.position
        character = pattern[start]
        if character == "(":
            return self._group(depth)
        if character == "[":
            return self._set()
        if character == "\\":
            return self._escape()
        if character in "*+?" or (character == "{" and self._quantifier() is not None):
            raise _Unknown
        self.position += 1
        if character == ".":
            return _Part(self._any)
        if character in "^$":
            return _edge(character)
        return _literal(character, character)

    def _repeated(self, part: _Part) -> _Part:
        match = self._quantifier()
        if match is None:
            return part
        self.position = match.end()
        # A repeated edge, `{,3}` and what gives nothing back are each engine's own.
        self.portable &= part.exact != ("",) and not match[0].startswith("{,")
        self.portable &= match[0] == "+" or match[0][-1] != "+"
        sign, low, comma, high = match.groups()
        confined = part.confined + match[0]
        least = 1 if sign == "+" else 0 if sign else _count(low)
        copies = min(max(1, least) * part.copies, _MANY)
        once = sign == "?" or (comma and not least and high == "1")
        if least == 1 and not comma and not sign:
            return replace(part, confined=confined)
        inside = _repeated_inside(part, match[0])
        fewest = least * part.least
        if least:
            clauses = _all_clauses(part)
            words = () if inside else _all_words(part)
            return _Part(confined, None, clauses, copies, inside, fewest, words)
        if once and part.exact is not None and not part.clauses:
            return _Part(confined, _distinct(("", *part.exact)), (), copies, inside)
        return _Part(confined, None, (), copies, inside)

    def _quantifier(self) -> re.Match[str] | None:
        match = _QUANTIFIER.match(self._pattern, self.position)
        if match and (match[1] or match[2] or match[3]):
            return match
        if _CONSTRAINT.match(self._pattern, self.position):
            raise _Unknown  # a fuzzy match, or a quantifier in some other way of writing
        return None

    def _group(self, depth: int) -> _Part:
        pattern, start = self._pattern, self.position
        if reference := _BACKREFERENCE.match(pattern, start):
            self.position = reference.end()
            self.portable = False
            return _Part(reference[0])
        opening = _GROUP.match(pattern, start)
        if opening is None:
            raise _Unknown
        self.position = opening.end()
        self.ignore_case |= opening[0].endswith(":") and "i" in opening[0]
        self.portable &= _PORTABLE_GROUP.fullmatch(opening[0]) is not None
        inside = self.alternatives(depth + 1)
        if not pattern.startswith(")", self.position):
            raise _Unknown
        self.position += 1
        confined = f"{opening[0]}{inside.confined})"
        copies = inside.copies + 1
        if opening[0] in ("(?!", "(?<!"):
            return _edge(confined, (), copies)
        if opening[0] in ("(?=", "(?<="):
            return _edge(confined, _all_clauses(inside), copies)
        part = _Part(confined, inside.exact, inside.clauses, copies, words=inside.words)
        if inside.inside is None or opening[0].startswith("(?>"):
            return replace(part, words=_all_words(inside))
        plain = opening[0] if opening[0] == "(?i:" else "(?:"
        return replace(part, inside=f"{plain}{inside.inside})", least=inside.least)

    def _set(self) -> _Part:
        match = _SET.match(self._pattern, self.position)
        if match is None:
            raise _Unknown
        self.position = match.end()
        negated, inside = match.groups()
        self.portable &= _PORTABLE_SET.fullmatch(inside) is not None
        if not negated and _ALNUM_SET.fullmatch(inside):
            exact = _distinct(inside) if _PLAIN_SET.fullmatch(inside) else None
            return _Part(match[0], exact, inside=match[0], least=1, is_single=True)
        if not negated and _PLAIN_SET.fullmatch(inside):
            return _Part(match[0], _distinct(inside))
        if not negated and _NO_NEWLINE_SET.fullmatch(inside):
            return _Part(match[0])
        if negated and inside[:1] not in ("]", "-"):
            return _Part(rf"[^\n{inside}]")
        return _Part(rf"(?:(?!\n){match[0]})")

    def _escape(self) -> _Part:
        pattern, start = self._pattern, self.position
        name = pattern[start + 1 : start + 2]
        self.position = start + 2
        if name in _CONFINED:
            self.portable &= name != "v"
            if name == "d":
                return _Part(_CONFINED[name], inside=_DIGIT, least=1, is_single=True)
            return _Part(_CONFINED[name])
        if name in _EDGES:
            self.portable &= name not in "mM"
            return _edge(_EDGES[name])
        if name in _CONTROL:
            return _literal(_CONTROL[name], pattern[start : start + 2])
        if name and not name.isalnum():
            return _literal(name, pattern[start : start + 2])
        for syntax in (_BACKREFERENCE, _CODE_POINT, _PROPERTY):
            if match := syntax.match(pattern, start):
                self.position = match.end()
                break
        else:
            raise _Unknown
        self.portable &= match[0].startswith(r"\x")
        if syntax is _BACKREFERENCE:
            return _Part(match[0])
        if syntax is _PROPERTY:
            return _Part(rf"(?:(?!\n){match[0]})")
        number = int(match[match.lastindex or 0], 16)
        if number > 0x10FFFF:
            raise _Unknown
        return _literal(chr(number), match[0])


def _literal(character: str, written: str) -> _Part:
    if character == "\n":
        return _Part(_CONFINED["n"])
    if character.isascii() and character.isalnum():
        return _Part(written, (character,), inside=character, least=1, is_single=True)
    return _Part(written, (character,))


def _repeated_inside(part: _Part, quantifier: str) -> str | None:
    """Return what a part that is repeated is within a word, if it is simple enough to tell."""
    gives_back = quantifier == "+" or quantifier[-1] != "+"
    if not part.is_single or not gives_back or quantifier.startswith("{,"):
        return None
    return f"{part.inside}{quantifier}"


def _in_turn(parts: Sequence[_Part]) -> _Part:
    clauses: list[Clause] = []
    run: tuple[str, ...] = ("",)
    whole = True
    for part in parts:
        clauses += part.clauses
        joined = _joined(run, part.exact)
        if joined is not None:
            run = joined
            continue
        whole = False
        if all(run):
            clauses.append(run)
        run = ("",) if part.exact is None else part.exact
    if not whole and all(run):
        clauses.append(run)
    part = _Part(
        "".join(part.confined for part in parts),
        run if whole else None,
        tuple(clauses),
        min(sum(part.copies for part in parts), _MANY),
    )
    return _with_words(part, parts)


def _with_words(whole: _Part, parts: Sequence[_Part]) -> _Part:
    """Note what a sequence asks of words: neighbours that are within words are in the same."""
    words: list[str] = []
    inside, least = "", 0
    for part in parts:
        if part.inside is not None:
            inside += part.inside
            least += part.least
            continue
        words += [*_word(inside, least), *part.words]
        inside, least = "", 0
    if all(part.inside is not None for part in parts):
        return replace(whole, inside=inside, least=least)
    return replace(whole, words=(*words, *_word(inside, least)))


def _word(inside: str, least: int) -> tuple[str, ...]:
    return (inside,) if least >= _LEAST_WORD else ()


def _all_words(part: _Part) -> tuple[str, ...]:
    return part.words if part.inside is None else _word(part.inside, part.least)


def _joined(run: tuple[str, ...], exact: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if exact is None or len(run) * len(exact) > _MAX_ALTERNATIVES:
        return None
    if exact == ("",):
        return run
    if len(max(run, key=len)) > _MAX_LITERAL:
        return None
    return _distinct([start + end for start in run for end in exact])


def _either(branches: Sequence[_Part]) -> _Part:
    part = _either_text(branches)
    insides = [branch.inside for branch in branches if branch.inside is not None]
    if len(insides) < len(branches):
        return part
    least = min(branch.least for branch in branches)
    return replace(part, inside=f"(?:{'|'.join(insides)})", least=least)


def _either_text(branches: Sequence[_Part]) -> _Part:
    confined = "|".join(branch.confined for branch in branches)
    copies = min(sum(branch.copies for branch in branches), _MANY)
    texts = [text for branch in branches for text in branch.exact or ()]
    if len(texts) <= _MAX_ALTERNATIVES and all(
        branch.exact is not None and not branch.clauses for branch in branches
    ):
        return _Part(confined, _distinct(texts), (), copies)
    chosen: list[Clause] = []
    for branch in branches:
        choices = _all_clauses(branch)
        if not choices:
            return _Part(confined, None, (), copies)
        chosen.append(max(choices, key=rarity))
    merged = [text for clause in chosen for text in clause]
    clauses = (_distinct(merged),) if len(merged) <= _MAX_ALTERNATIVES else ()
    return _Part(confined, None, clauses, copies)


def _all_clauses(part: _Part) -> tuple[Clause, ...]:
    return (*part.clauses, part.exact) if part.exact and all(part.exact) else part.clauses


def rarity(clause: Clause) -> tuple[int, int]:
    """Return a key by which clauses that few lines satisfy come last."""
    return min(map(len, clause)), -len(clause)


def _distinct(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _count(digits: str) -> int:
    return int(digits or 0) if len(digits) < 12 else _MANY
