"""POSIX regular expressions, basic and extended, with GNU's additions.

They are translated for the `regex` module, which knows leftmost-longest matching; that is
asked for only where it differs from taking the first alternative, as it costs time.
Text is matched as characters; bytes that are no UTF-8 are surrogates.

GNU's programs read the same expression in two ways. The strict one, sed's, refuses what has
nothing to repeat (`+a` when extended, `a**` when basic). Grep's and everybody else's takes
an operator for what it can be: for itself in a basic expression, for nothing in an extended
one, where a `)` without its `(` and a `{` that begins no interval stand for themselves, too.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import regex

__all__ = ["PosixRegexError", "compile_posix", "least_width", "translate_posix"]

MAX_REPEAT: Final = 32767
_NO_NUMBER: Final = -1
_CLASSES: Final = {
    "alpha": r"\p{L}",
    "digit": "0-9",
    "alnum": r"\p{L}\p{Nd}",
    "upper": r"\p{Lu}",
    "lower": r"\p{Ll}",
    "space": r"\s",
    "blank": r"\ \t",
    "punct": r"!-/:-@\[-`{-~\p{P}\p{S}",
    "print": r"\ -~\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}",
    "graph": r"!-~\p{L}\p{M}\p{N}\p{P}\p{S}",
    "cntrl": r"\p{Cc}",
    "xdigit": "0-9A-Fa-f",
}
_PERL_CLASSES: Final = {"w": r"[\w]", "W": r"[^\w]", "s": r"\s", "S": r"\S"}
_ANCHORS: Final = {
    "b": r"\b",
    "B": r"\B",
    "<": r"\b(?=\w)",
    ">": r"\b(?<=\w)",
    "`": r"\A",
    "'": r"\Z",
}
_BOUND: Final = re.compile(r"[0-9]*")


class PosixRegexError(ValueError):
    """It is no regular expression; the text is glibc's."""


def compile_posix(
    pattern: str,
    *,
    extended: bool = False,
    ignore_case: bool = False,
    multiline: bool = False,
    strict: bool = False,
) -> regex.Pattern[str]:
    """Compile a POSIX regular expression.

    Args:
        pattern: The expression.
        extended: Whether it is an extended one; else a basic one.
        ignore_case: Whether letters match in both cases.
        multiline: Whether `^` and `$` also match at newlines.
        strict: Whether what has nothing to repeat is refused, as sed does.

    Raises:
        PosixRegexError: It is none.
    """
    translator = _Translator(pattern, extended=extended, multiline=multiline, strict=strict)
    translated = translator.run()
    flags = regex.DOTALL | regex.VERSION0
    if ignore_case:
        flags |= regex.IGNORECASE
    if translator.needs_longest:
        flags |= regex.POSIX
    try:
        return regex.compile(translated, flags)
    except regex.error as error:
        raise PosixRegexError(f"Invalid preceding regular expression ({error.msg})") from None
    except (RecursionError, OverflowError):
        raise PosixRegexError("Regular expression too big") from None


def translate_posix(pattern: str, *, extended: bool = False, places: bool = False) -> str:
    """Return what finds the same lines in the syntax of the `regex` module.

    Without asking for the longest match, it says whether a line matches, and where.

    Args:
        pattern: The expression.
        extended: Whether it is an extended one; else a basic one.
        places: Whether it says what grep shows of a line, as with `-o`: for that grep asks
            glibc, which passes over a `{` that has nothing to repeat.

    Raises:
        PosixRegexError: It is none.
    """
    translator = _Translator(pattern, extended=extended, multiline=False, strict=False)
    translator.skips_brace = places
    return translator.run()


def least_width(pattern: str, *, extended: bool = False) -> int:
    """Return how many characters every match has at least.

    Args:
        pattern: The expression.
        extended: Whether it is an extended one; else a basic one.

    Raises:
        PosixRegexError: It is none.
    """
    translator = _Translator(pattern, extended=extended, multiline=False, strict=False)
    translator.run()
    return translator.width


class _Interval(NamedTuple):
    """`{LEAST,MOST}`, and where it ends."""

    least: int
    most: int | None
    end: int


class _Translator:
    def __init__(self, pattern: str, *, extended: bool, multiline: bool, strict: bool) -> None:
        self._pattern = pattern
        self._extended = extended
        self._strict = strict
        self._start = r"(?:(?<=\n)|\A)" if multiline else r"\A"
        self._end = r"(?=\n|\Z)" if multiline else r"\Z"
        self._position = 0
        self._depth = 0
        self._groups = 0
        self._closed: set[int] = set()
        self.needs_longest = False
        self.skips_brace = False
        self.width = 0
        """The least width of what was translated last: an atom, a branch, in the end all."""

    def run(self) -> str:
        translated = self._alternatives()
        if self._position < len(self._pattern):
            raise PosixRegexError("Unmatched ) or \\)")
        return translated

    # What the next thing is.

    def _peek(self, count: int = 1) -> str:
        return self._pattern[self._position : self._position + count]

    def _is_operator(self, operator: str) -> bool:
        """Whether `operator` stands here: bare in extended expressions, else escaped."""
        return self._operator_at(self._position, operator)

    def _operator_at(self, position: int, operator: str) -> bool:
        return self._pattern.startswith(operator if self._extended else "\\" + operator, position)

    def _skip_operator(self) -> None:
        self._position += 1 if self._extended else 2

    def _closes(self) -> bool:
        """Whether a `)` stands here that ends a group, or must not stand here."""
        return self._is_operator(")") and bool(self._depth or self._strict or not self._extended)

    # The grammar.

    def _alternatives(self) -> str:
        branches = [self._branch()]
        width = self.width
        while self._is_operator("|"):
            self._skip_operator()
            branches.append(self._branch())
            width = min(width, self.width)
        self.width = width
        if len(branches) > 1:
            self.needs_longest = True
        return "|".join(branches)

    def _branch(self) -> str:
        parts: list[str] = []
        # Behind anchors, the operators of a basic expression have nothing to repeat still.
        at_start = True
        width = 0
        while self._position < len(self._pattern):
            if self._is_operator("|") or self._closes():
                break
            atom, is_group, repeatable = self._atom(first=not parts, at_start=at_start)
            at_start = at_start and not repeatable
            if not is_group:
                self.width = int(repeatable)
            if repeatable:
                parts.append(self._repeated(atom, is_group))
                width += self.width
            elif self._extended and not self._strict:
                parts.append(self._repeated_anchor(atom))
            else:
                parts.append(atom)
        self.width = width
        return "".join(parts)

    def _atom(self, *, first: bool, at_start: bool) -> tuple[str, bool, bool]:
        """Return the next atom, whether it is a group, and whether it may be repeated."""
        letter = self._peek()
        if self._is_operator("("):
            return self._group(), True, True
        if letter == "\\":
            return self._escape()
        if self._extended and letter in "*+?{":
            return self._operator_alone(letter, at_start=at_start)
        self._position += 1
        if letter == "[":
            return self._bracket(), False, True
        if letter == ".":
            return ".", False, True
        if letter == "^" and (self._extended or first):
            return self._start, False, False
        if letter == "$" and (self._extended or self._ends_branch()):
            return self._end, False, False
        if letter == "*" and at_start and not self._extended:
            return r"\*", False, True
        return regex.escape(letter, special_only=False, literal_spaces=True), False, True

    def _operator_alone(self, letter: str, *, at_start: bool) -> tuple[str, bool, bool]:
        """Take an operator of an extended expression that has nothing to repeat."""
        if self._strict:
            raise PosixRegexError("Invalid preceding regular expression")
        if letter == "{" and self._interval() is None:
            self._position += 1
            is_skipped = self.skips_brace and at_start
            return ("", False, False) if is_skipped else (r"\{", False, True)
        return "", False, False

    def _ends_branch(self) -> bool:
        return self._position == len(self._pattern) or self._peek(2) in ("\\)", "\\|")

    def _group(self) -> str:
        self._skip_operator()
        self._groups += 1
        number = self._groups
        self._depth += 1
        if self._depth > 200:
            raise PosixRegexError("Regular expression too big")
        inner = self._alternatives()
        if not self._is_operator(")"):
            raise PosixRegexError("Unmatched ( or \\(")
        self._skip_operator()
        self._depth -= 1
        self._closed.add(number)
        return f"({inner})"

    def _escape(self) -> tuple[str, bool, bool]:
        if self._position + 1 == len(self._pattern):
            raise PosixRegexError("Trailing backslash")
        letter = self._pattern[self._position + 1]
        self._position += 2
        if letter in _PERL_CLASSES:
            return _PERL_CLASSES[letter], False, True
        if letter in _ANCHORS:
            return _ANCHORS[letter], False, False
        if letter in "123456789":
            if int(letter) not in self._closed:
                raise PosixRegexError("Invalid back reference")
            self.width = 0
            return f"(?:\\{letter})", True, True
        if letter == "n":
            return r"\n", False, True
        if not self._extended and letter == "{" and self._strict:
            raise PosixRegexError("Invalid preceding regular expression")
        if not self._extended and letter in "+?{":
            return regex.escape(letter), False, True
        return regex.escape(letter, special_only=False, literal_spaces=True), False, True

    # Repetition.

    def _repeated(self, atom: str, is_group: bool) -> str:
        again = False
        while (quantifier := self._quantifier()) is not None:
            if again and self._strict and not self._extended and quantifier[0] in "*{":
                raise PosixRegexError("Invalid preceding regular expression")
            again = True
            self.width = min(self.width * _least(quantifier), MAX_REPEAT)
            if is_group:
                self.needs_longest = True
            atom = f"(?:{atom}){quantifier}" if atom else ""
        return atom

    def _repeated_anchor(self, anchor: str) -> str:
        """Repeat an anchor, or nothing, as grep does."""
        before = self._position
        repeated = self._repeated(anchor, False)
        if self._position > before and self._is_operator(")"):
            # glibc passes over the operator and takes the next thing for an expression.
            self._skip_operator()
            return repeated + r"\)"
        return repeated

    def _quantifier(self) -> str | None:
        if self._peek() == "*":
            self._position += 1
            return "*"
        for operator in "+?":
            if self._is_operator(operator):
                self._skip_operator()
                return operator
        if self._is_operator("{") and (found := self._interval()) is not None:
            self._position = found.end
            return f"{{{found.least},{'' if found.most is None else found.most}}}"
        return None

    def _interval(self) -> _Interval | None:
        """Return the interval that begins here; None when the `{` stands for itself.

        After glibc's `parse_dup_op`.
        """
        least, at = self._bound(self._position + (1 if self._extended else 2))
        most = least
        comma = self._pattern.startswith(",", at)
        if least is None and not comma:
            if at >= len(self._pattern):
                self._refuse_interval(at)
                return None
            raise PosixRegexError("Invalid content of \\{\\}")
        if comma and least != _NO_NUMBER:
            most, at = self._bound(at + 1)
        if _NO_NUMBER in (least, most) or at >= len(self._pattern):
            self._refuse_interval(at)
            return None
        if (most is not None and most < (least or 0)) or not self._operator_at(at, "}"):
            raise PosixRegexError("Invalid content of \\{\\}")
        if max(least or 0, most or 0) > MAX_REPEAT:
            raise PosixRegexError("Regular expression too big")
        return _Interval(least or 0, most, at + (1 if self._extended else 2))

    def _refuse_interval(self, at: int) -> None:
        """Refuse what is no interval, unless its `{` can stand for itself."""
        if not self._extended or self._strict:
            is_open = at >= len(self._pattern)
            raise PosixRegexError("Unmatched \\{" if is_open else "Invalid content of \\{\\}")

    def _bound(self, position: int) -> tuple[int | None, int]:
        """Return a bound of an interval (None when there is none) and where it ends."""
        end = position
        while end < len(self._pattern) and self._pattern[end] != ",":
            if self._operator_at(end, "}"):
                break
            end += 1
        text = self._pattern[position:end]
        if not text:
            return None, end
        if not _BOUND.fullmatch(text):
            return _NO_NUMBER, end
        is_big = len(text.lstrip("0")) > len(str(MAX_REPEAT))
        return (MAX_REPEAT + 1 if is_big else int(text)), end

    # Brackets.

    def _bracket(self) -> str:
        negated = self._peek() == "^"
        self._position += negated
        if self._position == len(self._pattern):
            raise PosixRegexError("Invalid regular expression")
        items: list[str] = []
        first = True
        while True:
            letter = self._peek()
            if not letter:
                raise PosixRegexError("Unmatched [, [^, [:, [., or [=")
            if letter == "]" and not first:
                self._position += 1
                break
            if letter == "-" and not first and self._peek(2) != "-]":
                raise PosixRegexError("Invalid range end")
            first = False
            items.append(self._item())
        inner = "".join(items)
        return f"[^{inner}]" if negated else f"[{inner}]"

    def _item(self) -> str:
        if self._peek(2) == "[:":
            name = self._named(":")
            if name not in _CLASSES:
                raise PosixRegexError("Invalid character class name")
            return _CLASSES[name]
        low = self._element()
        if self._peek() != "-" or self._peek(2) in ("-]", "-"):
            return _in_set(low)
        self._position += 1
        high = self._element()
        if high < low:
            raise PosixRegexError("Invalid range end")
        return f"{_in_set(low)}-{_in_set(high)}"

    def _element(self) -> str:
        if self._peek(2) in ("[.", "[="):
            name = self._named(self._peek(2)[1])
            if len(name) != 1:
                raise PosixRegexError("Invalid collation character")
            return name
        letter = self._peek()
        self._position += 1
        if not letter:
            raise PosixRegexError("Unmatched [, [^, [:, [., or [=")
        return letter

    def _named(self, mark: str) -> str:
        end = self._pattern.find(mark + "]", self._position + 2)
        if end < 0:
            raise PosixRegexError("Unmatched [, [^, [:, [., or [=")
        name = self._pattern[self._position + 2 : end]
        self._position = end + 2
        return name


def _least(quantifier: str) -> int:
    """Return how often a quantifier repeats at least."""
    if quantifier[0] == "{":
        return int(quantifier[1:].partition(",")[0])
    return int(quantifier == "+")


def _in_set(letter: str) -> str:
    if letter.isascii() and not letter.isalnum():
        return f"\\x{ord(letter):02x}"
    return letter
