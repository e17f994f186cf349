r"""Finding the lines of a text that match: what `grep` means by a match, and how it is fast.

A line is what stands between newlines, without a carriage return before the newline
and without the byte-order mark of the file; nothing comes after the last newline.
A pattern is one of the `regex` module (version 0, so that it also means what it means
to `re`), of characters and not of bytes: `\b`, `\w` and letters of any case are
Unicode's, and a byte that is no UTF-8 is one character which is no letter.

A line matches when the pattern is found in it as if it were the whole text. Searching
each line so takes a microsecond of Python per line, so candidates are found in the
whole text first, in one of three ways (see `line_regex.py`): by a literal that the line
must hold; by the confined pattern, which is right at once; or else every line is one.
Where it can, a faster engine runs the confined pattern, over many texts at once (see
`joined_scan.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal

from vshell.errors import BadPatternError
from vshell.text.fast_scan import compile_fast
from vshell.text.joined import Joined, join, lines_of
from vshell.text.joined_scan import JoinedScan
from vshell.text.line_regex import Clause, LineRegex, most_copies, rarity, split_flags, study
from vshell.text.line_scan import LineMatch, line_match, lines_at, lines_with, places_of, time_left
from vshell.text.searched_text import CASE_PARTNERS, text_bytes, text_of

if TYPE_CHECKING:
    import regex

__all__ = [
    "CASE_PARTNERS",
    "MAX_PATTERN_CHARACTERS",
    "Engine",
    "LineMatch",
    "Matcher",
    "compile_matcher",
    "text_bytes",
    "text_of",
]

Engine = Literal["literal", "pcre2", "regex"]

MAX_PATTERN_CHARACTERS: Final = 32 * 1024
"""The longest pattern; a regular expression of that length compiles in about 0.1 s."""

_MAX_COPIES: Final = 50_000
"""How many parts a compiled pattern may have: at some 270 bytes each, 13 MB."""

_CHECKED_CLAUSES: Final = 3
_EACH_LINE: Final = ("",)
_GOOD_LITERAL: Final = 2


class Matcher:
    """A pattern that is ready to search; `compile_matcher` makes it.

    It is immutable, and may be shared between threads.
    """

    __slots__ = (
        "_clauses",
        "_confirm",
        "_ignore_case",
        "_joined",
        "_literals",
        "_multiline",
        "_scan",
        "words",
    )

    def __init__(
        self,
        *,
        clauses: Sequence[Clause],
        ignore_case: bool,
        literals: Clause | None = None,
        scan: regex.Pattern[str] | None = None,
        confirm: regex.Pattern[str] | None = None,
        joined: JoinedScan | None = None,
        multiline: bool = False,
        words: tuple[str, ...] = (),
    ) -> None:
        """See `compile_matcher`.

        Args:
            clauses: What a text must hold.
            ignore_case: Whether that is meant in any case.
            literals: Find the candidates, if given; if case is ignored, they are in lower
                case, and only for texts of ASCII.
            scan: Finds the candidates otherwise.
            confirm: Decides about a candidate; if not given, each is a match.
            joined: Finds the matches in many texts at once.
            multiline: Matches of `scan` may span lines.
            words: What words of a text must match (see `LineRegex.words`).
        """
        self.words = words
        self._clauses = _byte_clauses(clauses, ignore_case=ignore_case)
        self._ignore_case = ignore_case
        self._literals = literals
        self._scan = scan
        self._confirm = confirm
        self._joined = joined
        self._multiline = multiline

    @property
    def required(self) -> tuple[tuple[tuple[bytes, ...], ...], bool]:
        """What UTF-8 must hold to match: of each clause one text; and whether in any case."""
        return self._clauses, self._ignore_case

    def may_match(self, data: bytes) -> bool:
        """Tell quickly whether anything in UTF-8 can match; False is certain."""
        if not self._clauses:
            return True
        if self._joined is not None and len(self._clauses[0]) > 1 and data.isascii():
            return True  # it looks for several texts at once, as quickly as for one here
        if self._ignore_case:
            if not data.isascii() and any(partner in data for partner in CASE_PARTNERS):
                return True
            data = data.lower()
        return all(any(text in data for text in clause) for clause in self._clauses)

    def matches(self, text: str, deadline: float) -> Iterator[LineMatch]:
        """Yield the lines that match, in their order.

        Args:
            text: The text, from `text_of`.
            deadline: When to give up, by `time.monotonic`.

        Raises:
            TimeoutError: The search did not end before the deadline.
            MemoryError: The pattern takes too much memory on this text.
        """
        if self._multiline:
            return self._blocks(text, deadline)
        if self._joined is not None and text.isascii():
            return self._alone(self._joined, text, deadline)
        if self._confirm is None and self._literals is not None and not self._ignore_case:
            (literal,) = self._literals
            return lines_with(text, literal, deadline)
        found = lines_at(text, self._candidates(text, deadline), deadline)
        return found if self._confirm is None else self._confirmed(text, found, deadline)

    @property
    def engine(self) -> Engine:
        """What goes through the text."""
        if self._joined is None:
            return "regex"
        return "literal" if self.literal else "pcre2"

    @property
    def literal(self) -> bytes:
        """The pattern, if a line matches when it holds these bytes, and only then."""
        return self._joined.literal if self._joined is not None else b""

    @property
    def joins(self) -> bool:
        """Whether `places` may be asked."""
        return self._joined is not None

    def places(self, joined: Joined, first: int, last: int, deadline: float) -> Iterator[int]:
        """Yield places in many texts at once; see `JoinedScan.places`.

        The texts are UTF-8 as from `text_bytes`, but lines end with a newline alone.
        """
        assert self._joined is not None
        return self._joined.places(joined, first, last, deadline)

    def _alone(self, scan: JoinedScan, text: str, deadline: float) -> Iterator[LineMatch]:
        joined = join((text.encode("ascii"),))
        places = scan.places(joined, 0, 1, deadline)
        for _, line, start, end, place in lines_of(joined, places):
            yield line_match((line, place - start + 1, start, end))

    def _confirmed(
        self, text: str, found: Iterator[LineMatch], deadline: float
    ) -> Iterator[LineMatch]:
        for line, _, start, end in found:
            column = self._column(text[start:end], deadline)
            if column >= 0:
                yield line_match((line, column + 1, start, end))

    def _column(self, line: str, deadline: float) -> int:
        assert self._confirm is not None
        found = self._confirm.search(line, timeout=time_left(deadline))
        return found.start() if found else -1

    def _candidates(self, text: str, deadline: float) -> Iterator[int]:
        """Yield ascending places in lines that may match, at least one in each that does."""
        if self._literals is not None and not self._ignore_case:
            return places_of(text, self._literals)
        if self._literals is not None and text.isascii():
            return places_of(text.lower(), self._literals)
        assert self._scan is not None
        found = self._scan.finditer(text, timeout=time_left(deadline))
        return (match.start() for match in found)

    def _blocks(self, text: str, deadline: float) -> Iterator[LineMatch]:
        """Yield the lines of matches that may span lines; those that share a line are one."""
        assert self._scan is not None
        size, block, counted = len(text), None, 0
        for match in self._scan.finditer(text, timeout=time_left(deadline)):
            time_left(deadline)
            first, last = match.start(), max(match.start(), match.end() - 1)
            start = text.rfind("\n", counted, first) + 1 or counted
            if start == size:
                break
            end = text.find("\n", last)
            end = end if end >= 0 else size
            if block is not None and start <= block.end:
                block = block._replace(end=max(end, block.end))
                continue
            if block is not None:
                yield block
            number = (block.line if block else 1) + text.count("\n", counted, start)
            counted = start
            block = LineMatch(number, first - start + 1, start, end)
        if block is not None:
            yield block


@functools.lru_cache(maxsize=8)
def compile_matcher(
    pattern: str,
    *,
    literal: bool = False,
    ignore_case: bool = False,
    word: bool = False,
    multiline: bool = False,
) -> Matcher:
    """Compile a pattern.

    Args:
        pattern: A regular expression; see the module's docstring.
        literal: It is plain text, in which nothing is special.
        ignore_case: Letters match in both cases.
        word: A match must not have a letter, digit or underscore before or after it.
        multiline: A match may span lines; `^` and `$` still match at each line.

    Returns:
        The matcher; it is immutable and shared between calls.

    Raises:
        BadPatternError: The pattern is malformed, too long, or repeats its parts so
            often that compiling it would take too much memory. `data["position"]` says
            where.
    """
    _check(pattern)
    if literal:
        return _literal_matcher(pattern, ignore_case, word, multiline)
    known = study(pattern)
    if (known.copies if known else most_copies(pattern)) > _MAX_COPIES:
        raise BadPatternError(
            f"the pattern repeats its parts more than {_MAX_COPIES} times",
            hint="use smaller repeat counts, or + and *",
            data={"position": max(pattern.find("{"), 0)},
        )
    exact = _compile(pattern, ignore_case=ignore_case, multiline=multiline)
    if word:
        # In verbose mode a comment may end the pattern, and a newline ends it.
        wrapped = _as_word(pattern, end="\n" if exact.flags & _verbose() else "")
        exact = _compile(wrapped, ignore_case=ignore_case, multiline=multiline)
    if multiline:
        return Matcher(
            clauses=known.clauses if known else (),
            ignore_case=ignore_case or (known is not None and known.ignore_case),
            scan=exact,
            multiline=True,
            words=known.words if known else (),
        )
    if known is None:
        return Matcher(clauses=(), ignore_case=False, literals=_EACH_LINE, confirm=exact)
    if known.clauses == ((pattern,),):  # nothing in it is special
        return _literal_matcher(pattern, ignore_case, word, multiline)
    flags, _ = split_flags(pattern)
    confined = _as_word(known.confined) if word else known.confined
    joined = None
    if known.portable:
        joined = _joined(f"{flags}(?:{confined})", exact, ignore_case)
    located = _located(known, exact, joined, ignore_case)
    if located is not None:
        return located
    return Matcher(
        clauses=known.clauses,
        ignore_case=ignore_case or known.ignore_case,
        scan=_one_per_line(confined, ignore_case, flags=flags),
        joined=joined,
        words=known.words,
    )


def _joined(pattern: str, exact: regex.Pattern[str], ignore_case: bool) -> JoinedScan | None:
    """Return what finds a pattern that means the same to PCRE2, if that is installed."""
    fast = compile_fast(rf"{pattern}[^\n]*+", ignore_case=ignore_case)
    return None if fast is None else JoinedScan(fast=fast, exact=exact)


def _located(
    known: LineRegex, exact: regex.Pattern[str], joined: JoinedScan | None, ignore_case: bool
) -> Matcher | None:
    """Return a matcher that finds a literal first, if the pattern has a good one."""
    ignore_case |= known.ignore_case
    best = max(known.clauses, key=rarity, default=())
    if not best or min(map(len, best)) < _GOOD_LITERAL:
        return None
    if not ignore_case:
        return Matcher(
            clauses=known.clauses,
            ignore_case=False,
            literals=best,
            confirm=exact,
            joined=joined,
            words=known.words,
        )
    return Matcher(
        clauses=known.clauses,
        ignore_case=True,
        literals=_lowered(best),
        scan=_one_per_line("|".join(map(_escape, best)), ignore_case=True),
        confirm=exact,
        joined=joined,
        words=known.words,
    )


def _literal_matcher(text: str, ignore_case: bool, word: bool, multiline: bool) -> Matcher:
    if "\n" in text and not multiline:
        nothing = _compile("(?!)", ignore_case=False, multiline=False)
        return Matcher(clauses=((),), ignore_case=False, scan=nothing)  # no line holds a newline
    clauses: tuple[Clause, ...] = ((text,),) if text and "\n" not in text else ()
    if not (ignore_case or word or multiline):
        return Matcher(
            clauses=clauses, ignore_case=False, literals=(text,), joined=_joined_literal(text)
        )
    escaped = _as_word(_escape(text)) if word else _escape(text)
    exact = _compile(escaped, ignore_case=ignore_case, multiline=multiline)
    if multiline:
        return Matcher(clauses=clauses, ignore_case=ignore_case, scan=exact, multiline=True)
    is_plain = text.isascii() and text.isprintable()
    return Matcher(
        joined=_joined(f"(?:{escaped})", exact, ignore_case) if is_plain else None,
        clauses=clauses,
        ignore_case=ignore_case,
        literals=_lowered((text,)) if ignore_case else (text,),
        scan=_one_per_line(escaped, ignore_case) if ignore_case else None,
        confirm=exact if word else None,
    )


def _joined_literal(text: str) -> JoinedScan | None:
    try:
        return JoinedScan(literal=text.encode()) if text else None
    except UnicodeEncodeError:  # an undecodable byte can be a part of a character elsewhere
        return None


def _lowered(literals: Clause) -> Clause | None:
    return tuple(map(str.lower, literals)) if "".join(literals).isascii() else None


def _one_per_line(confined: str, ignore_case: bool, *, flags: str = "") -> regex.Pattern[str]:
    """Return a pattern that matches once in a line: the rest of it belongs to the match."""
    return _compile(rf"{flags}(?:{confined})[^\n]*+", ignore_case=ignore_case, multiline=True)


def _as_word(pattern: str, *, end: str = "") -> str:
    flags, rest = split_flags(pattern)
    return rf"{flags}(?<!\w)(?:{rest}{end})(?!\w)"


def _escape(text: str) -> str:
    import regex

    return str(regex.escape(text))


def _verbose() -> int:
    import regex

    return int(regex.VERBOSE)


def _compile(pattern: str, *, ignore_case: bool, multiline: bool) -> regex.Pattern[str]:
    import regex

    flags = regex.VERSION0
    if ignore_case:
        flags |= regex.IGNORECASE
    if multiline:
        flags |= regex.MULTILINE
    try:
        return regex.compile(pattern, flags, cache_pattern=False)
    except regex.error as error:
        position = error.pos or 0
        raise BadPatternError(
            f"the pattern is malformed at character {position + 1}: {error.msg}",
            hint="use literal=True for text in which nothing is special",
            data={"position": position, "reason": error.msg},
        ) from None
    except ValueError as error:
        raise BadPatternError(
            f"the pattern's flags contradict each other: {error}", data={"position": 0}
        ) from None
    except RecursionError:
        raise BadPatternError(
            "the pattern is nested too deeply",
            hint="use fewer groups within groups",
            data={"position": 0},
        ) from None


def _check(pattern: str) -> None:
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise BadPatternError(
            f"the pattern has more than {MAX_PATTERN_CHARACTERS} characters",
            hint="use a shorter pattern, or several",
            data={"position": MAX_PATTERN_CHARACTERS},
        )
    try:
        pattern.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise BadPatternError(
            "the pattern holds a character that stands for no bytes (a lone surrogate)",
            hint="undecodable bytes are U+DC80 to U+DCFF",
            data={"position": error.start},
        ) from None


def _byte_clauses(clauses: Sequence[Clause], *, ignore_case: bool) -> tuple[tuple[bytes, ...], ...]:
    """Return the clauses that tell most, as bytes; in lower case when case is ignored."""
    if ignore_case:
        clauses = [tuple(map(_ascii_part, clause)) for clause in clauses]
    sound = [clause for clause in clauses if all(clause)]
    sound.sort(key=lambda clause: rarity(clause) if clause else (0, 0), reverse=True)
    return tuple(
        tuple(text.encode("utf-8", "surrogateescape") for text in clause)
        for clause in sound[:_CHECKED_CLAUSES]
    )


def _ascii_part(text: str) -> str:
    """Return the longest piece of ASCII, whose other case is known, in lower case."""
    pieces = "".join(character if character.isascii() else "\n" for character in text)
    return max(pieces.split("\n"), key=len).lower()
