"""What a command line may say, reading it, and telling people about it.

The rules are those of GNU's getopt: options and words in any order, `--name VALUE` and
`--name=VALUE`, `-n5`, `-ri` for `-r -i`, and everything after `--` is a word. Python's
argparse is not used: it gives an optional word its default as soon as an option
follows (`write PATH --json TEXT` fails), and it costs a fifth of the start-up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

ASKED_FOR_HELP: Final = "help"

_TAKES_VALUE: Final = object()


class UsageError(Exception):
    """The command line is wrong; the message says how, `hint` what would be right."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Argument(NamedTuple):
    """An option, or without flags a word that is known by its place.

    Attributes:
        name: Under which name the value is found.
        help: What it means; an option without it is accepted and not shown.
        flags: What is typed, such as `("-r", "--recursive")`.
        metavar: What stands for the value in the help; empty: the name in capitals.
        convert: Makes the value of the text; a `ValueError` says that it cannot.
        expected: What the text must be, for the error when it is not.
        choices: The only texts that are allowed; empty for any.
        value: What the option stands for by itself; left out, it takes a value.
        required: Whether a word must be given.
        repeated: Whether an option may be given several times, or a word stands for all
            words that are left over: its value is a list.
    """

    name: str
    help: str = ""
    flags: tuple[str, ...] = ()
    metavar: str = ""
    convert: Callable[[str], Any] = str
    expected: str = ""
    choices: tuple[str, ...] = ()
    value: object = _TAKES_VALUE
    required: bool = False
    repeated: bool = False

    @property
    def takes_value(self) -> bool:
        return self.value is _TAKES_VALUE

    @property
    def placeholder(self) -> str:
        """What stands for the value in the help."""
        if self.choices:
            return "|".join(self.choices)
        return self.metavar or self.name.upper()


def whole_number(text: str) -> int:
    """Return an integer that 64 bits hold; all numbers of the workspace are such.

    Raises:
        ValueError: The text is none.
    """
    value = int(text) if len(text) < 30 else 1 << 63
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(text)
    return value


_EXPECTED: Final[dict[object, str]] = {
    whole_number: "a whole number of at most 64 bits",
    float: "a number",
}

HELP: Final = Argument(ASKED_FOR_HELP, "Show this.", ("-h", "--help"), value=True)


def parse(arguments: Sequence[Argument], given: Sequence[str]) -> dict[str, Any]:
    """Return the values of what was given, by name; what was not given is not there.

    When help was asked for, nothing else is checked, and it is all that is returned.

    Raises:
        UsageError: Something unknown or too much was given, or something is missing.
    """
    values, words = _parse(arguments, given, stop_at_word=False)
    if ASKED_FOR_HELP not in values:
        _place_words(arguments, words, values)
    return values


def parse_leading(
    arguments: Sequence[Argument], given: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the values of the options before the first word, and the rest as it is.

    Raises:
        UsageError: One of the options is unknown, or lacks its value.
    """
    return _parse(arguments, given, stop_at_word=True)


def usage(program: str, arguments: Sequence[Argument]) -> str:
    """Return the line that shows how a command is called."""
    parts = [program]
    for argument in arguments:
        if not argument.flags:
            name = argument.metavar or argument.name.upper()
            name += "..." if argument.repeated else ""
            parts.append(name if argument.required else f"[{name}]")
    if any(argument.flags and argument.help for argument in arguments):
        parts.append("[options]")
    return f"usage: {' '.join(parts)}\n"


def help_text(program: str, arguments: Sequence[Argument], description: str) -> str:
    """Return the whole help of a command."""
    words = [argument for argument in arguments if not argument.flags]
    options = [argument for argument in arguments if argument.flags and argument.help]
    text = f"{usage(program, arguments)}\n{description.strip()}\n"
    if words:
        text += "\narguments:\n" + help_table(words)
    return text + "\noptions:\n" + help_table([*options, HELP])


def help_table(arguments: Sequence[Argument]) -> str:
    """Return the arguments with their meanings, one below the other."""
    import textwrap

    rows = [(f"  {_left(argument)}", argument.help) for argument in arguments]
    width = min(26, max((len(left) for left, _ in rows), default=0) + 2)
    lines = []
    for left, text in rows:
        wrapped = textwrap.wrap(text, 96 - width) or [""]
        if len(left) + 2 > width:
            lines.append(left)
        else:
            lines.append(f"{left:<{width}}{wrapped.pop(0)}")
        lines += [f"{'':<{width}}{line}" for line in wrapped]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def nearest(given: str, known: Sequence[str]) -> str | None:
    """Return what somebody may have meant, or None."""
    import difflib

    near = difflib.get_close_matches(given, known, n=1)
    return near[0] if near else None


def _left(argument: Argument) -> str:
    if not argument.flags:
        return argument.metavar or argument.name.upper()
    shown = ", ".join(argument.flags)
    return f"{shown} {argument.placeholder}" if argument.takes_value else shown


def _parse(
    arguments: Sequence[Argument], given: Sequence[str], *, stop_at_word: bool
) -> tuple[dict[str, Any], list[str]]:
    known = {flag: argument for argument in (*arguments, HELP) for flag in argument.flags}
    values: dict[str, Any] = {}
    words: list[str] = []
    rest = deque(given)
    while rest:
        text = rest.popleft()
        if text == "--":
            words += rest
            break
        if not _is_option(text, known):
            words.append(text)
            if stop_at_word:
                words += rest
                break
        elif text.startswith("--"):
            _long_option(text, known, rest, values)
        else:
            _short_options(text, known, rest, values)
        if ASKED_FOR_HELP in values:
            return {ASKED_FOR_HELP: True}, []
    return values, words


def _is_option(text: str, known: dict[str, Argument]) -> bool:
    """Tell options from words such as `-`, `-5` and `- item of a list`."""
    if text[:2] in known:
        return True
    return text[:1] == "-" and text.lstrip("-")[:1].isalpha() and not text.startswith("---")


def _long_option(
    text: str, known: dict[str, Argument], rest: deque[str], values: dict[str, Any]
) -> None:
    flag, equals, value = text.partition("=")
    argument = known.get(flag)
    if argument is None:
        raise _unknown(flag, known)
    if argument.takes_value:
        _put(argument, flag, value if equals else _value_of(argument, flag, rest), values)
    elif equals:
        raise UsageError(f"{flag} takes no value")
    else:
        values[argument.name] = argument.value


def _short_options(
    text: str, known: dict[str, Argument], rest: deque[str], values: dict[str, Any]
) -> None:
    for place, letter in enumerate(text[1:], 2):
        argument = known.get(f"-{letter}")
        if argument is None:
            raise _unknown(text if place == 2 else f"-{letter}", known)
        if argument.takes_value:
            value = text[place:].removeprefix("=") or _value_of(argument, f"-{letter}", rest)
            _put(argument, f"-{letter}", value, values)
            return
        values[argument.name] = argument.value


def _value_of(argument: Argument, flag: str, rest: deque[str]) -> str:
    if not rest:
        raise UsageError(f"{flag} needs a value: {argument.placeholder}")
    return rest.popleft()


def _put(argument: Argument, shown: str, text: str, values: dict[str, Any]) -> None:
    if argument.choices and text not in argument.choices:
        near = nearest(text, argument.choices)
        choices = ", ".join(argument.choices)
        hint = f"did you mean {near}?" if near else f"choose from {choices}"
        raise UsageError(f"{shown} cannot be {text}: it is one of {choices}", hint)
    try:
        value = argument.convert(text)
    except ValueError:
        expected = argument.expected or _EXPECTED.get(argument.convert, "valid")
        raise UsageError(f"{shown} must be {expected}, not {text!r}") from None
    if argument.repeated:
        values.setdefault(argument.name, []).append(value)
    else:
        values[argument.name] = value


def _place_words(arguments: Sequence[Argument], words: list[str], values: dict[str, Any]) -> None:
    """Give the words to the arguments in order; an optional one takes what is left over."""
    places = [argument for argument in arguments if not argument.flags]
    missing = [argument for argument in places if argument.required]
    spare = len(words) - len(missing)
    if spare < 0:
        names = " ".join(argument.metavar or argument.name.upper() for argument in missing)
        raise UsageError(f"missing {names.split(' ', len(words))[-1]}")
    rest = deque(words)
    for argument in places:
        if not argument.required:
            if not spare:
                continue
            spare -= 1
        while argument.repeated and spare > 0:
            spare -= 1
            _put(argument, argument.placeholder, rest.popleft(), values)
        _put(argument, argument.metavar or argument.name.upper(), rest.popleft(), values)
    if rest:
        raise UsageError(f"unexpected argument: {rest[0]}")


def _unknown(flag: str, known: dict[str, Argument]) -> UsageError:
    near = nearest(flag, list(known))
    hint = f"did you mean {near}?" if near else "write -- before a word that begins with -"
    return UsageError(f"no such option: {flag}", hint)
