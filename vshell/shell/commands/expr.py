"""`expr`: expressions of integers and strings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vshell.shell.command import Command, Invocation, UsageError
from vshell.shell.command_io import Failure, failing
from vshell.shell.messages import quote_typographic
from vshell.text.posix_regex import PosixRegexError, compile_posix

_INTEGER: Final = re.compile(r"-?\d+", re.ASCII)
_MAX_DIGITS: Final = 4000
_MAX_DEPTH: Final = 200
_LEVELS: Final = (
    ("|",),
    ("&",),
    ("<", "<=", "=", "==", "!=", ">=", ">"),
    ("+", "-"),
    ("*", "/", "%"),
    (":",),
)


class _Parser:
    """Evaluates while it reads: an operand that does not count is read and not computed."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self._words = words
        self._position = 0
        self._depth = 0

    def run(self) -> str:
        value = self._level(0, evaluate=True)
        if self._position < len(self._words):
            shown = self._words[self._position]
            if shown == ")":
                raise Failure("syntax error: unexpected ')'", 2)
            raise Failure(f"syntax error: unexpected argument {quote_typographic(shown)}", 2)
        return value

    def _take(self, *choices: str) -> str | None:
        if self._position < len(self._words) and self._words[self._position] in choices:
            self._position += 1
            return self._words[self._position - 1]
        return None

    def _require(self) -> str:
        if self._position == len(self._words):
            last = quote_typographic(self._words[self._position - 1])
            raise Failure(f"syntax error: missing argument after {last}", 2)
        self._position += 1
        return self._words[self._position - 1]

    def _level(self, level: int, *, evaluate: bool) -> str:
        if level == len(_LEVELS):
            return self._operand(evaluate=evaluate)
        left = self._level(level + 1, evaluate=evaluate)
        while (operator := self._take(*_LEVELS[level])) is not None:
            if operator == "|":
                right = self._level(level + 1, evaluate=evaluate and is_null(left))
                left = (right if not is_null(right) else "0") if is_null(left) else left
            elif operator == "&":
                right = self._level(level + 1, evaluate=evaluate and not is_null(left))
                left = "0" if is_null(left) or is_null(right) else left
            else:
                right = self._level(level + 1, evaluate=evaluate)
                left = _compute(operator, left, right) if evaluate else left
        return left

    def _operand(self, *, evaluate: bool) -> str:
        word = self._require_first()
        if word == "(":
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise Failure("the expression is nested too deeply", 2)
            value = self._level(0, evaluate=evaluate)
            if self._position == len(self._words):
                last = quote_typographic(self._words[self._position - 1])
                raise Failure(f"syntax error: expecting ')' after {last}", 2)
            if self._take(")") is None:
                wrong = quote_typographic(self._words[self._position])
                raise Failure(f"syntax error: expecting ')' instead of {wrong}", 2)
            self._depth -= 1
            return value
        if word == ")":
            raise Failure("syntax error: unexpected ')'", 2)
        if word == "+":
            return self._require()
        count = {"length": 1, "match": 2, "index": 2, "substr": 3}.get(word)
        if count is None or self._position == len(self._words):
            # A keyword that nothing follows: GNU wants an argument there.
            if count is not None:
                self._require()
            return word
        arguments = [self._level(len(_LEVELS), evaluate=evaluate) for _ in range(count)]
        return _FUNCTIONS[word](arguments) if evaluate else ""

    def _require_first(self) -> str:
        return self._require()


def is_null(value: str) -> bool:
    """Tell whether a value counts as false: empty, or a zero of any length."""
    return value == "" or re.fullmatch(r"-?0+", value) is not None


def _integer(value: str) -> int:
    if _INTEGER.fullmatch(value) is None:
        raise Failure("non-integer argument", 2)
    if len(value) > _MAX_DIGITS:
        raise Failure("the number is too long", 2)
    return int(value)


def _compute(operator: str, left: str, right: str) -> str:
    if operator == ":":
        return _match(left, right)
    if operator in _LEVELS[2]:
        return str(int(_compare(operator, left, right)))
    first, second = _integer(left), _integer(right)
    if operator in "/%" and second == 0:
        raise Failure("division by zero", 2)
    if operator == "+":
        return str(first + second)
    if operator == "-":
        return str(first - second)
    if operator == "*":
        return str(first * second)
    quotient = abs(first) // abs(second) * (1 if (first < 0) == (second < 0) else -1)
    return str(quotient if operator == "/" else first - quotient * second)


def _compare(operator: str, left: str, right: str) -> bool:
    if (
        _INTEGER.fullmatch(left)
        and _INTEGER.fullmatch(right)
        and max(len(left), len(right)) < _MAX_DIGITS
    ):
        order = (int(left) > int(right)) - (int(left) < int(right))
    else:
        order = (left > right) - (left < right)
    return {
        "<": order < 0,
        "<=": order <= 0,
        "=": order == 0,
        "==": order == 0,
        "!=": order != 0,
        ">=": order >= 0,
        ">": order > 0,
    }[operator]


def _match(text: str, source: str) -> str:
    try:
        pattern = compile_posix(source)
        found = pattern.match(text, timeout=20)
    except PosixRegexError as error:
        raise Failure(str(error), 2) from None
    except TimeoutError:
        raise Failure("the regular expression took too long", 2) from None
    if pattern.groups:
        return (found.group(1) or "") if found else ""
    return str(len(found.group())) if found else "0"


def _substring(arguments: list[str]) -> str:
    text, start_text, length_text = arguments
    if _INTEGER.fullmatch(start_text) is None or _INTEGER.fullmatch(length_text) is None:
        return ""
    start, length = int(start_text[:18]), int(length_text[:18])
    return text[start - 1 : start - 1 + length] if start > 0 and length > 0 else ""


def _index(arguments: list[str]) -> str:
    text, letters = arguments
    return str(next((place for place, letter in enumerate(text, 1) if letter in letters), 0))


_FUNCTIONS: Final[dict[str, Callable[[list[str]], str]]] = {
    "length": lambda arguments: str(len(arguments[0])),
    "match": lambda arguments: _match(arguments[0], arguments[1]),
    "index": _index,
    "substr": _substring,
}


@failing
def run(call: Invocation) -> int:
    words = call.operands
    if words[:1] == ("--",):
        words = words[1:]
    if not words:
        raise UsageError("missing operand")
    value = _Parser(words).run()
    call.write(value + "\n")
    return 1 if is_null(value) else 0


COMMANDS: Final = (
    Command(
        "expr",
        "EXPRESSION",
        "Print the value of EXPRESSION.",
        run,
        raw=True,
        usage_status=2,
    ),
)
