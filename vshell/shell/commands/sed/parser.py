"""Scripts of `sed`, read into commands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

from vshell.shell.commands.sed.escapes import read_replacement, regex_escapes, template_of, unescape
from vshell.shell.commands.sed.scanner import Scanner
from vshell.shell.commands.sed.script import Address, Pattern, SedCommand, SedError, Substitution
from vshell.text.posix_regex import PosixRegexError, compile_posix, least_width

_PLAIN: Final = "=dDgGhHnNpPxzF"


class SedParser(Scanner):
    """Reads scripts.

    Args:
        extended: Whether expressions are extended ones.
        posix: Whether GNU's additions are off.
        sandbox: Whether `e`, `r` and `w` are refused.
    """

    def __init__(self, *, extended: bool, posix: bool = False, sandbox: bool = False) -> None:
        super().__init__()
        self._extended = extended
        self._posix = posix
        self._sandbox = sandbox
        self.commands: list[SedCommand] = []
        self._blocks: list[tuple[int, str]] = []
        self._labels: dict[str, int] = {}

    def parse(self, text: str, where: str, *, by_line: bool = False) -> None:
        """Read one script; `where` begins the complaints about it."""
        self._begin(text, where, by_line=by_line)
        while self._command():
            pass

    def finish(self) -> list[SedCommand]:
        """Resolve the jumps, and return all commands."""
        if self._blocks:
            where = self._blocks[-1][1]
            raise SedError(f"{where}unmatched `{{'")
        for command in self.commands:
            if command.name in ("b", "t", "T"):
                if not command.text:
                    command.target = len(self.commands)
                elif command.text not in self._labels:
                    raise SedError(f"can't find label for jump to `{command.text}'", 4)
                else:
                    command.target = self._labels[command.text]
        return self.commands

    # Commands.

    def _command(self) -> bool:
        self._skip(" \t\n;\r\v\f")
        if self._position >= len(self._text):
            return False
        if self._peek() == "#":
            self._comment()
            return True
        first = self._address(second=False)
        second = None
        if first is not None:
            self._skip(" \t")
            if self._peek() == ",":
                self._position += 1
                self._skip(" \t")
                second = self._address(second=True)
                if second is None:
                    self._position += 1
                    raise self._error("unexpected `,'")
        is_zero = first is not None and first.kind == "line" and first.number == 0
        if is_zero and (second is None or second.kind != "regex" or self._posix):
            self._position += 1
            raise self._error("invalid usage of line address 0")
        self._skip(" \t")
        command = SedCommand("", first, second, self._negation())
        self._named(command)
        return True

    def _comment(self) -> None:
        end = self._text.find("\n", self._position)
        self._position = len(self._text) if end < 0 else end + 1

    def _negation(self) -> bool:
        if self._peek() != "!":
            return False
        self._position += 1
        self._skip(" \t")
        if self._peek() == "!":
            self._position += 1
            raise self._error("multiple `!'s")
        return True

    def _named(self, command: SedCommand) -> None:
        name = self._next()
        if not name:
            raise self._error("missing command")
        command.name = name
        if name == "{":
            self._blocks.append((len(self.commands), f"{self._where}, char 0: "))
            self.commands.append(command)
        elif name == "}":
            self._close(command)
        elif name == ":":
            self._label(command)
        elif name in _PLAIN:
            self.commands.append(command)
            self._end()
        else:
            reader = _READERS.get(name)
            if reader is None:
                raise self._error(f"unknown command: `{name}'")
            self.commands.append(command)
            reader(self, command)

    def _close(self, command: SedCommand) -> None:
        if not self._blocks:
            raise self._error("unexpected `}'")
        if command.first is not None:
            raise self._error("} doesn't want any addresses")
        start, _ = self._blocks.pop()
        self.commands[start].target = len(self.commands)
        self._end()

    def _label(self, command: SedCommand) -> None:
        if command.first is not None:
            raise self._error(": doesn't want any addresses")
        label = self._word(ends="\n;")
        if not label:
            raise self._error('":" lacks a label')
        self._labels[label] = len(self.commands)

    def _end(self, complaint: str = "extra characters after command") -> None:
        """Make sure that nothing follows a command but its end."""
        self._skip(" \t\r")
        letter = self._peek()
        if letter in ("", "\n", ";"):
            self._position += len(letter)
        elif letter not in "}#":
            self._position += 1
            raise self._error(complaint)

    # Arguments of commands.

    def _jump(self, command: SedCommand) -> None:
        command.text = self._word(ends="\n;}" if not self._posix else "\n")
        self._end()

    def _exit_code(self, command: SedCommand) -> None:
        self._optional_number(command)

    def _optional_number(self, command: SedCommand) -> None:
        self._skip(" \t")
        if self._peek().isdigit():
            command.number = self._number()
        self._end()

    def _file_name(self, command: SedCommand) -> None:
        if self._sandbox:
            raise self._error("e/r/w commands disabled in sandbox mode")
        command.text = self._rest_of_line()
        if not command.text:
            raise self._error("missing filename in r/R/w/W commands")

    def _execute(self, command: SedCommand) -> None:
        if self._sandbox:
            raise self._error("e/r/w commands disabled in sandbox mode")
        command.text = self._rest_of_line()

    def _version(self, _: SedCommand) -> None:
        if _version_of(self._word(ends=" \t\n;")) > _VERSION:
            raise self._error("expected newer version of sed")

    def _lines_of_text(self, command: SedCommand) -> None:
        self._skip(" \t")
        if self._position >= len(self._text):
            raise self._error("expected \\ after `a', `c' or `i'")
        if self._peek() == "\\":
            self._position += 1
            self._skip(" \t") if self._blank_line() else None
            if self._peek() == "\n":
                self._position += 1
            elif self._position >= len(self._text):
                return
        command.text = self._read_text() + "\n"

    def _blank_line(self) -> bool:
        return re.compile(r"[ \t]*\n").match(self._text, self._position) is not None

    def _read_text(self) -> str:
        parts: list[str] = []
        while self._position < len(self._text):
            letter = self._next()
            if letter == "\n":
                break
            if letter != "\\":
                parts.append(letter)
                continue
            if self._position >= len(self._text):
                break
            parts.append(self._text_escape())
        return "".join(parts)

    def _text_escape(self) -> str:
        if self._position and parts_begin(self._text, self._position - 1):
            return self._next()
        found, self._position = unescape(self._text, self._position)
        if found is not None:
            return found
        return self._next()

    def _translation(self, command: SedCommand) -> None:
        delimiter = self._delimiter("unterminated `y' command")
        source = self._listed(
            self._until(delimiter, "unterminated `y' command", regex=False), delimiter
        )
        target = self._listed(
            self._until(delimiter, "unterminated `y' command", regex=False), delimiter
        )
        if len(source) != len(target):
            raise self._error("strings for `y' command are different lengths")
        command.table = {}
        for before, after in zip(source, target, strict=True):
            command.table.setdefault(ord(before), after)
        self._end()

    def _listed(self, text: str, delimiter: str) -> list[str]:
        letters: list[str] = []
        position = 0
        while position < len(text):
            letter = text[position]
            position += 1
            if letter == "\\" and position < len(text):
                following = text[position]
                if following in ("\\", delimiter):
                    letters.append(following)
                    position += 1
                    continue
                found, position = unescape(text, position)
                if found is not None:
                    letters.append(found)
                    continue
                letter = following
                position += 1
            letters.append(letter)
        return letters

    def _substitute(self, command: SedCommand) -> None:
        message = "unterminated `s' command"
        delimiter = self._delimiter(message)
        source = self._until(delimiter, message, regex=True)
        replacement = self._until(delimiter, message, regex=False)
        parts, has_cases = read_replacement(replacement)
        found = Substitution(None, parts, has_cases)
        flags = self._flags(found)
        found.pattern = self._compile(source, flags)
        highest = max((value for kind, value in parts if kind == "group"), default=0)
        if found.pattern is not None and highest > found.pattern.groups:
            raise self._error(f"invalid reference \\{highest} on `s' command's RHS")
        if found.pattern is not None and self._is_simple(found, source):
            found.template = template_of(parts)
        command.substitution = found

    def _is_simple(self, found: Substitution, source: str) -> bool:
        """Whether matches can be replaced in one go.

        After a match, an empty one at its end counts for the module, and not for `sed`.
        """
        if found.has_cases or found.number != 1:
            return False
        source = regex_escapes(source)
        return not found.is_global or least_width(source, extended=self._extended) > 0

    def _flags(self, found: Substitution) -> str:
        flags = ""
        seen: set[str] = set()
        while True:
            self._skip(" \t")
            letter = self._next()
            if letter and letter in "iImM":
                flags += letter.lower()
            elif letter and letter in "gp0123456789":
                self._counted_flag(found, letter, seen)
            elif letter == "e":
                if self._sandbox:
                    raise self._error("e/r/w commands disabled in sandbox mode")
                found.is_executed = True
            elif letter == "w":
                found.file = self._written_file()
                return flags
            else:
                self._position -= len(letter)
                self._end("unknown option to `s'")
                return flags

    def _counted_flag(self, found: Substitution, letter: str, seen: set[str]) -> None:
        """Take a flag that may be there only once."""
        kind = letter if letter in "gp" else "number"
        if kind in seen:
            what = "number" if kind == "number" else f"`{kind}'"
            raise self._error(f"multiple {what} options to `s' command")
        seen.add(kind)
        if letter == "g":
            found.is_global = True
        elif letter == "p":
            found.is_printed = True
        else:
            self._position -= 1
            found.number = self._number()
            if not found.number:
                raise self._error("number option to `s' command may not be zero")

    def _written_file(self) -> str:
        if self._sandbox:
            raise self._error("e/r/w commands disabled in sandbox mode")
        name = self._rest_of_line()
        if not name:
            raise self._error("missing filename in r/R/w/W commands")
        return name

    # Addresses and expressions.

    def _address(self, *, second: bool) -> Address | None:
        letter = self._peek()
        if letter.isdigit() and letter.isascii():
            return self._line_address()
        if letter == "$":
            self._position += 1
            return Address("last")
        if letter in ("+", "~") and second:
            self._position += 1
            if not self._peek().isdigit():
                raise self._error("expected number")
            kind: Literal["plus", "multiple"] = "plus" if letter == "+" else "multiple"
            return Address(kind, self._number())
        if letter in {"/", "\\"}:
            self._position += 1
            delimiter = letter if letter == "/" else self._delimiter("unterminated address regex")
            source = self._until(delimiter, "unterminated address regex", regex=True)
            flags = ""
            while self._peek() in ("I", "M"):
                flags += self._next().lower()
            return Address("regex", pattern=self._compile(source, flags))
        return None

    def _line_address(self) -> Address:
        number = self._number()
        self._skip(" \t")
        if self._peek() != "~" or self._posix:
            return Address("line", number)
        self._position += 1
        step = self._number() if self._peek().isdigit() else 0
        return Address("step", number, step) if step else Address("line", number)

    def _compile(self, source: str, flags: str) -> Pattern | None:
        if not source:
            return None
        try:
            pattern: Pattern = compile_posix(
                regex_escapes(source),
                extended=self._extended,
                ignore_case="i" in flags,
                multiline="m" in flags,
                strict=True,
            )
            return pattern
        except PosixRegexError as error:
            raise self._error(str(error)) from None


_READERS: Final[dict[str, Any]] = {
    "a": SedParser._lines_of_text,  # noqa: SLF001
    "i": SedParser._lines_of_text,  # noqa: SLF001
    "c": SedParser._lines_of_text,  # noqa: SLF001
    "b": SedParser._jump,  # noqa: SLF001
    "t": SedParser._jump,  # noqa: SLF001
    "T": SedParser._jump,  # noqa: SLF001
    "q": SedParser._exit_code,  # noqa: SLF001
    "Q": SedParser._exit_code,  # noqa: SLF001
    "l": SedParser._optional_number,  # noqa: SLF001
    "L": SedParser._optional_number,  # noqa: SLF001
    "r": SedParser._file_name,  # noqa: SLF001
    "R": SedParser._file_name,  # noqa: SLF001
    "w": SedParser._file_name,  # noqa: SLF001
    "W": SedParser._file_name,  # noqa: SLF001
    "e": SedParser._execute,  # noqa: SLF001
    "s": SedParser._substitute,  # noqa: SLF001
    "y": SedParser._translation,  # noqa: SLF001
    "v": SedParser._version,  # noqa: SLF001
}


def parts_begin(text: str, position: int) -> bool:
    """Whether the backslash at a position begins the text of a command: `a\\text`."""
    return (
        position > 0 and text[position - 1] == "\n" and text[position + 1 : position + 2] in " \t"
    )


def _version_of(text: str) -> list[tuple[int, int]]:
    """Return what versions are ordered by: letters come after numbers, numbers by their values."""
    parts = re.findall(r"[0-9]{1,18}|[^0-9]", text)
    return [(48, int(part)) if part.isdigit() else (ord(part), 0) for part in parts]


_VERSION: Final = _version_of("4.9")
"""What Debian 12 has."""


def join_expressions(texts: Sequence[str]) -> str:
    """Return several `-e` scripts as one."""
    return "\n".join(texts)
