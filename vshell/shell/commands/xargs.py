"""`xargs`: builds and runs commands from what it reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, Parsed, UsageError
from vshell.shell.command_io import read_all, to_bytes, to_text
from vshell.shell.messages import quote_if_needed, quote_typographic, reason

_MAX_BYTES: Final = 131_072
_NOT_FOUND: Final = 127
_FAILED: Final = 123
_STOPPED: Final = 124
_IGNORED: Final = "{} and {} are mutually exclusive, ignoring previous {} value"
_BLANKS: Final = " \t\n"
_SPACES: Final = " \t\n\v\f\r"
"""What is passed over before a word; only blanks end one."""
_ESCAPES: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
}  # fmt: skip


class _Item:
    """One argument that was read; whether a line ends after it, and whether it goes on."""

    __slots__ = ("ends_line", "text")

    def __init__(self, text: str, *, ends_line: bool) -> None:
        self.text = text
        self.ends_line = ends_line


def run_xargs(call: Invocation) -> int:
    parsed = call.parsed
    try:
        name = parsed.value("arg-file")
        data = call.stdin.read() if name is None else read_all(call, name)
    except VshellError as error:
        call.complain(f"Cannot open input file {quote_typographic(name or '')}: {reason(error)}")
        return 1
    settings = _Settings(parsed)
    command = list(call.operands) or ["echo"]
    if settings.asks:
        call.complain("failed to open /dev/tty for reading: No such device or address")
        return 1
    if settings.ignored:
        call.complain(f"warning: options {settings.ignored}")
    items: list[_Item] = []
    failure = None
    try:
        items.extend(_items(to_text(data), settings))
    except ValueError as error:
        failure = str(error)
    runner = _Runner(call, command, settings)
    for group in _groups(items, settings, command) if items or not failure else ():
        status = runner.run(group)
        if status is not None:
            return status
    if failure is not None:
        call.complain(failure)
        return 1
    return runner.status


class _Settings:
    """What the options ask for; of -I, -L and -n, the last one is in force."""

    def __init__(self, parsed: Parsed) -> None:
        self.zero = parsed.flag("null")
        delimiter = parsed.value("delimiter")
        self.delimiter = "\0" if self.zero else None
        if delimiter is not None and parsed.last("null", "delimiter") == "delimiter":
            self.delimiter = _delimiter(delimiter)
        self.replace: str | None = None
        self.lines = self.words = 0
        self.end: str | None = None
        self.ignored = ""
        for name, value in parsed.given:
            if name in ("I", "i", "replace"):
                if self.words:
                    self.ignored = _IGNORED.format("--max-args", "--replace/-I/-i", "--max-args")
                self.replace = "{}" if value is None else value
                self.lines, self.words = 0, 0
            elif name in ("L", "l", "max-lines"):
                self.lines = 1 if value is None else _positive(value, name)
                self.replace, self.words = None, 0
            elif name == "max-args":
                self.words = _positive(value or "", "n")
                if not (self.words == 1 and self.replace is not None):
                    if self.replace is not None:
                        self.ignored = _IGNORED.format("--replace", "--max-args/-n", "--replace")
                    self.replace, self.lines = None, 0
            elif name in ("E", "e", "eof"):
                self.end = value or None
        self.max_bytes = min(
            _positive(parsed.value("max-chars", str(_MAX_BYTES)) or "", "s"), _MAX_BYTES
        )
        _positive(parsed.value("max-procs", "1") or "", "P", least=0)
        self.slot = parsed.value("process-slot-var")
        self.skips_empty = parsed.flag("no-run-if-empty") or self.replace is not None
        self.exits = parsed.flag("exit")
        self.traces = parsed.flag("verbose")
        self.asks = parsed.flag("interactive")


def _positive(text: str, name: str, *, least: int = 1) -> int:
    letter = {"max-lines": "L", "l": "L"}.get(name, name)
    if not text.removeprefix("-").isdecimal():
        raise UsageError(f'invalid number "{text}" for -{letter} option')
    number = int(text[:18])
    if number < least:
        raise UsageError(f"value {text} for -{letter} option should be >= {least}")
    return number


def _delimiter(text: str) -> str:
    if len(text) == 1:
        return text
    if text.startswith("\\") and len(text) > 1:
        if text[1] in _ESCAPES and len(text) == 2:
            return _ESCAPES[text[1]]
        digits, base = (text[2:], 16) if text[1] == "x" else (text[1:], 8)
        try:
            return chr(int(digits, base))
        except ValueError:
            raise UsageError(
                f"Invalid escape sequence {text} in input delimiter specification.", hint=False
            ) from None
    raise UsageError(
        f"Invalid input delimiter specification {text}: the delimiter must be either a single"
        " character or an escape sequence starting with \\.",
        hint=False,
    )


def _items(text: str, settings: _Settings) -> Iterator[_Item]:
    """Yield the arguments.

    Raises:
        ValueError: A quote is not closed.
    """
    if settings.delimiter is not None:
        parts = text.split(settings.delimiter)
        if parts and not parts[-1]:
            parts.pop()
        for part in parts:
            yield _Item(part, ends_line=True)
        return
    for item in _Words(text, whole_lines=settings.replace is not None).items():
        if settings.end is not None and item.text == settings.end:
            return
        yield item


class _Words:
    """Splits at blanks as `xargs` does, with its quotes and backslashes."""

    def __init__(self, text: str, *, whole_lines: bool) -> None:
        self._text = text
        self._place = 0
        self._blanks = "\n" if whole_lines else _BLANKS

    def items(self) -> Iterator[_Item]:
        text = self._text
        while True:
            self._skip(_SPACES)
            if self._place >= len(text):
                return
            word = self._word()
            # A blank at the end of a line lets it go on with the next one.
            ends = text[self._place : self._place + 1] in ("\n", "")
            if not ends:
                rest = text[self._place :]
                ends = not rest.strip(_SPACES)
            yield _Item(word, ends_line=ends)

    def _skip(self, letters: str) -> None:
        while self._place < len(self._text) and self._text[self._place] in letters:
            self._place += 1

    def _word(self) -> str:
        text, parts = self._text, []
        while self._place < len(text) and text[self._place] not in self._blanks:
            letter = text[self._place]
            self._place += 1
            if letter in "'\"":
                end = text.find(letter, self._place)
                line = text.find("\n", self._place)
                if end < 0 or 0 <= line < end:
                    kind = "single" if letter == "'" else "double"
                    raise ValueError(
                        f"unmatched {kind} quote; by default quotes are special to xargs unless"
                        " you use the -0 option"
                    )
                parts.append(text[self._place : end])
                self._place = end + 1
            elif letter == "\\" and self._place < len(text):
                parts.append(text[self._place])
                self._place += 1
            else:
                parts.append(letter)
        return "".join(parts)


def _groups(
    items: list[_Item], settings: _Settings, command: list[str]
) -> Iterator[list[str] | None]:
    """Yield the arguments of each command to be run."""
    base = sum(len(to_bytes(word)) + 1 for word in command)
    if not items:
        if not settings.skips_empty:
            yield [] if base <= settings.max_bytes else None
        return
    group: list[str] = []
    size, lines = base, 0
    for item in items:
        length = len(to_bytes(item.text)) + 1
        if settings.replace is not None:
            yield [item.text]
            continue
        is_full = settings.words and len(group) >= settings.words
        if group and (is_full or size + length > settings.max_bytes):
            yield group
            group, size, lines = [], base, 0
        if base + length > settings.max_bytes:
            yield None
            return
        group.append(item.text)
        size += length
        lines += item.ends_line
        if settings.lines and lines >= settings.lines:
            yield group
            group, size, lines = [], base, 0
    if group:
        yield group


class _Runner:
    def __init__(self, call: Invocation, command: list[str], settings: _Settings) -> None:
        self._call = call
        self._command = command
        self._settings = settings
        self._stdin = b""
        if call.parsed.flag("arg-file"):
            self._stdin = call.stdin.read()
        self.status = 0

    def run(self, group: list[str] | None) -> int | None:
        """Run the command once; return an exit code when that is the end."""
        call = self._call
        if group is None:
            call.complain("argument line too long")
            return 1
        if self._settings.replace is not None:
            text = group[0]
            words = [word.replace(self._settings.replace, text) for word in self._command]
        else:
            words = [*self._command, *group]
        if self._settings.traces:
            shown = " ".join(quote_if_needed(word, colon=False) for word in words)
            call.stderr.write(to_bytes(f"{shown}\n"))
        slot = self._settings.slot
        asked = words if slot is None else ["env", f"{slot}=0", *words]
        stdin, self._stdin = self._stdin, b""
        done = call.execute(asked, stdin)
        call.stdout.write(done.stdout)
        if done.stderr:
            call.stderr.write(done.stderr)
        return self._judge(words[0], done.exit_code)

    def _judge(self, name: str, exit_code: int) -> int | None:
        if exit_code in (_NOT_FOUND, _NOT_FOUND - 1):
            return exit_code
        if exit_code == 255:
            self._call.complain(f"{name}: exited with status 255; aborting")
            return _STOPPED
        if exit_code > 128:
            self._call.complain(f"{name}: terminated by signal {exit_code - 128}")
            return 125
        if exit_code:
            self.status = _FAILED
        return None


COMMANDS: Final = (
    Command(
        "xargs",
        "[OPTION]... COMMAND [INITIAL-ARGS]...",
        "Run COMMAND with arguments INITIAL-ARGS and more arguments read from input.",
        run_xargs,
        options=(
            Option(("-0", "--null"), "Items are separated by a null, not whitespace."),
            Option(("-a", "--arg-file"), "Read arguments from FILE, not standard input.", "FILE"),
            Option(
                ("-d", "--delimiter"),
                "Items in input stream are separated by CHARACTER.",
                "CHARACTER",
            ),
            Option(("-E",), "Set logical EOF string.", "END"),
            Option(
                ("-e", "--eof"), "Set logical EOF string, if END is given.", "END", optional=True
            ),
            Option(("-I",), "Replace R in INITIAL-ARGS with names read from input.", "R"),
            Option(("-i", "--replace"), "Like -I; R is {} when unspecified.", "R", optional=True),
            Option(
                ("-L",), "Use at most MAX-LINES non-blank input lines per command.", "MAX-LINES"
            ),
            Option(
                ("-l", "--max-lines"), "Like -L; one when unspecified.", "MAX-LINES", optional=True
            ),
            Option(("-n", "--max-args"), "Use at most MAX-ARGS arguments per command.", "MAX-ARGS"),
            Option(("-o", "--open-tty"), "Accepted: there is no terminal to open."),
            Option(
                ("-P", "--max-procs"), "Accepted: commands run one after the other.", "MAX-PROCS"
            ),
            Option(
                ("-p", "--interactive"), "Prompt before running: there is no terminal, so it fails."
            ),
            Option(("--process-slot-var",), "Set VAR to the process slot, which is 0.", "VAR"),
            Option(("-r", "--no-run-if-empty"), "Do not run COMMAND if there are no arguments."),
            Option(
                ("-s", "--max-chars"), "Limit length of command line to MAX-CHARS.", "MAX-CHARS"
            ),
            Option(("--show-limits",), "Accepted; shows nothing."),
            Option(("-t", "--verbose"), "Print commands before executing them."),
            Option(("-x", "--exit"), "Exit if the size is exceeded."),
        ),
        permute=False,
    ),
)
