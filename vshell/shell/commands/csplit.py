"""`csplit`: a file, cut where its lines say so."""

from __future__ import annotations

import re
from typing import Any, Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    Failure,
    failing,
    open_input,
    require_write,
    to_text,
)
from vshell.shell.commands.split import MAX_FILES
from vshell.shell.messages import quote, quote_typographic, reason

# csplit.


class _Pattern:
    """Where to split: at a line's number, or at lines that match."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.repeat: int | None = 0  # None is as often as can be
        self.line: int | None = None
        self.regex: Any = None
        self.offset = 0
        self.skips = False
        match = re.fullmatch(r"([/%])(.*)\1([-+]?\d+)?", text, re.DOTALL)
        if match:
            from vshell.text.posix_regex import PosixRegexError, compile_posix

            self.skips = match[1] == "%"
            self.offset = int(match[3] or 0)
            try:
                self.regex = compile_posix(match[2])
            except PosixRegexError as error:
                raise Failure(f"{text}: invalid regular expression: {error}") from None
        elif text[:1] in ("/", "%"):
            if text.count(text[0]) < 2:
                raise Failure(f"{text}: closing delimiter {quote_typographic(text[0])} missing")
            raise Failure(f"{text}: integer expected after delimiter")
        elif text.isdigit() and text.isascii():
            self.line = int(text[:18])
            if not self.line:
                raise Failure(f"{text}: line number must be greater than zero")
        else:
            raise Failure(f"{quote_typographic(text)}: invalid pattern")


def _patterns(words: tuple[str, ...]) -> list[_Pattern]:
    patterns: list[_Pattern] = []
    last = 0
    for word in words:
        repeat = re.fullmatch(r"\{(\d+|\*)\}", word)
        if repeat and patterns:
            patterns[-1].repeat = None if repeat[1] == "*" else int(repeat[1][:9])
            continue
        pattern = _Pattern(word)
        if pattern.line is not None:
            if pattern.line < last:
                raise Failure(
                    f"line number {quote_typographic(word)} is smaller than preceding line number,"
                    f" {last}"
                )
            last = pattern.line
        patterns.append(pattern)
    return patterns


class _Splitter:
    def __init__(self, call: Invocation, lines: list[bytes]) -> None:
        parsed = call.parsed
        self._call = call
        self._lines = lines
        self._position = 0
        self._quiet = parsed.flag("quiet") or parsed.flag("silent")
        self._prefix = parsed.value("prefix", "xx") or ""
        self._format = parsed.value("suffix-format")
        digits = parsed.value("digits", "2") or ""
        if not digits.isdigit():
            raise Failure(f"invalid number: {quote_typographic(digits)}")
        self._digits = int(digits[:3])
        self._elide = parsed.flag("elide-empty-files")
        self._suppress = parsed.flag("suppress-matched")
        self.files: list[tuple[str, bytes]] = []

    def run(self, patterns: list[_Pattern]) -> None:
        for pattern in patterns:
            done = 0
            while pattern.repeat is None or done <= pattern.repeat:
                if not self._one(pattern, done):
                    break
                done += 1
        self._emit(len(self._lines))

    def _one(self, pattern: _Pattern, done: int) -> bool:
        end = self._end(pattern, done)
        if end is None:
            if pattern.repeat is None and pattern.regex is not None:
                return False
            if not pattern.skips:
                self._emit(len(self._lines))
            suffix = f" on repetition {done}" if done else ""
            what = "line number out of range" if pattern.line is not None else "match not found"
            raise Failure(f"{quote_typographic(pattern.text)}: {what}{suffix}")
        if pattern.skips:
            self._position = end
        else:
            self._emit(end)
        if self._suppress:
            self._position = min(end + 1, len(self._lines))
        return True

    def _end(self, pattern: _Pattern, done: int) -> int | None:
        if pattern.line is not None:
            end = pattern.line * (done + 1) - 1
            return (
                end
                if end < len(self._lines)
                or (end == len(self._lines) and pattern.repeat is not None)
                else None
            )
        start = self._position + (1 if self._position or done else 0)
        if self._position == 0 and not self.files and not done:
            start = 0
        for index in range(start, len(self._lines)):
            if pattern.regex.search(to_text(self._lines[index].removesuffix(b"\n")), timeout=20):
                end = index + pattern.offset
                return end if self._position <= end <= len(self._lines) else None
        return None

    def _emit(self, end: int) -> None:
        data = b"".join(self._lines[self._position : end])
        self._position = max(end, self._position)
        if not data and self._elide:
            return
        if len(self.files) >= MAX_FILES:
            raise Failure(f"more than {MAX_FILES} files")
        self.files.append((self._name(), data))
        if not self._quiet:
            self._call.write(f"{len(data)}\n")

    def _name(self) -> str:
        number = len(self.files)
        if self._format is None:
            return f"{self._prefix}{number:0{self._digits}d}"
        match = re.fullmatch(
            r"((?:[^%]|%%)*)%([-+ #0]*)(\d{0,3})(?:\.(\d{1,3}))?([diuoxX])((?:[^%]|%%)*)",
            self._format,
        )
        if match is None:
            raise Failure(
                "missing % conversion specification in suffix"
                if "%" not in self._format
                else "invalid conversion specifier in suffix"
            )
        lead, flags, width, precision, letter, tail = match.groups()
        shown = (
            f"%{flags}{width}{'.' + precision if precision else ''}{letter.replace('u', 'd')}"
            % number
        )
        return self._prefix + lead.replace("%%", "%") + shown + tail.replace("%%", "%")


@failing
def run_csplit(call: Invocation) -> int:
    if len(call.operands) < 2:
        if not call.operands:
            raise UsageError("missing operand")
        raise UsageError(f"missing operand after {quote_typographic(call.operands[0])}")
    name, *words = call.operands
    patterns = _patterns(tuple(words))
    try:
        lines = list(open_input(call, name))
    except VshellError as error:
        raise Failure(f"cannot open {quote(name)} for reading: {reason(error)}") from None
    splitter = _Splitter(call, lines)
    try:
        splitter.run(patterns)
    except Failure:
        if call.parsed.flag("keep-files"):
            _keep(call, splitter)
        raise
    _keep(call, splitter)
    return 0


def _keep(call: Invocation, splitter: _Splitter) -> None:
    with call.context.changing("csplit"):
        for name, data in splitter.files:
            require_write(call, name, data)


COMMANDS: Final = (
    Command(
        "csplit",
        "[OPTION]... FILE PATTERN...",
        "Output pieces of FILE separated by PATTERN(s) to files 'xx00', 'xx01', ...",
        run_csplit,
        options=(
            Option(("-b", "--suffix-format"), "Use sprintf FORMAT instead of %02d.", "FORMAT"),
            Option(("-f", "--prefix"), "Use PREFIX instead of 'xx'.", "PREFIX"),
            Option(("-k", "--keep-files"), "Do not remove output files on errors."),
            Option(("--suppress-matched",), "Suppress the lines matching PATTERN."),
            Option(("-n", "--digits"), "Use specified number of digits instead of 2.", "DIGITS"),
            Option(("-s", "--quiet"), "Do not print counts of output file sizes."),
            Option(("--silent",), "The same."),
            Option(("-z", "--elide-empty-files"), "Remove empty output files."),
        ),
    ),
)
