"""`nl`: lines with their numbers."""

from __future__ import annotations

import re
from typing import Any, Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    BufferedOutput,
    each_input,
    failing,
    records,
    stripped,
    to_bytes,
    to_text,
)
from vshell.shell.messages import quote_typographic

# nl.


class _Numbering:
    """What `nl` was asked for, and where it is."""

    def __init__(self, call: Invocation) -> None:
        parsed = call.parsed
        self.styles = {
            section: self._style(parsed.value(f"{section}-numbering", default) or "", section)
            for section, default in (("header", "n"), ("body", "t"), ("footer", "n"))
        }
        self.start = _integer(
            parsed.value("starting-line-number", "1"), "invalid starting line number"
        )
        self.step = _integer(parsed.value("line-increment", "1"), "invalid line number increment")
        self.blanks = _integer(
            parsed.value("join-blank-lines", "1"), "invalid line number of blank lines", 1
        )
        self.width = _integer(
            parsed.value("number-width", "6"), "invalid line number field width", 1
        )
        if self.width > 10_000_000:
            raise UsageError(
                f"invalid line number field width: {quote_typographic(str(self.width))}", hint=False
            )
        self.format = parsed.value("number-format", "rn") or ""
        if self.format not in ("ln", "rn", "rz"):
            raise UsageError(f"invalid line numbering format: {quote_typographic(self.format)}")
        self.separator = to_bytes(parsed.value("number-separator", "\t") or "")
        mark = to_bytes(parsed.value("section-delimiter", "\\:") or "")
        self.mark = mark + b":" if len(mark) == 1 else mark
        self.renumber = not parsed.flag("no-renumber")
        self.number = self.start
        self.section = "body"
        self.blank_count = 0

    def _style(self, text: str, section: str) -> Any:
        if text in ("a", "t", "n"):
            return text
        if text.startswith("p"):
            from vshell.text.posix_regex import compile_posix

            return compile_posix(text[1:])
        raise UsageError(f"invalid {section} numbering style: {quote_typographic(text)}")

    def section_of(self, line: bytes) -> str | None:
        if self.mark:
            for count, section in ((3, "header"), (2, "body"), (1, "footer")):
                if line == self.mark * count:
                    return section
        return None

    def numbers(self, line: bytes) -> bool:
        style = self.styles[self.section]
        if style == "a":
            if line or self.blanks == 1:
                self.blank_count = 0
                return True
            self.blank_count += 1
            if self.blank_count < self.blanks:
                return False
            self.blank_count = 0
            return True
        if style == "t":
            return bool(line)
        if style == "n":
            return False
        return style.search(to_text(line)) is not None

    def prefix(self) -> bytes:
        text = str(self.number)
        if self.format == "ln":
            shown = text.ljust(self.width)
        elif self.format == "rz":
            shown = text.zfill(self.width)
        else:
            shown = text.rjust(self.width)
        self.number += self.step
        return shown.encode() + self.separator


def _integer(text: str | None, message: str, least: int | None = None) -> int:
    if text is None or not re.fullmatch(r"\s*[-+]?\d+", text, re.ASCII):
        raise UsageError(f"{message}: {quote_typographic(text or '')}", hint=False)
    value = int(text[:24])
    if (least is not None and value < least) or not -(2**63) <= value < 2**63:
        suffix = (
            ": Numerical result out of range"
            if least is not None
            else ": Value too large for defined data type"
        )
        raise UsageError(f"{message}: {quote_typographic(text)}{suffix}", hint=False)
    return value


@failing
def run_nl(call: Invocation) -> int:
    numbering = _Numbering(call)
    failures: list[str] = []
    empty = b" " * (numbering.width + len(numbering.separator))
    with BufferedOutput(call.stdout) as out:
        for _, source in each_input(call, call.operands, failures):
            for line in stripped(records(source)):
                section = numbering.section_of(line)
                if section is not None:
                    numbering.section = section
                    if numbering.renumber:
                        numbering.number = numbering.start
                    out.write(b"\n")
                elif numbering.numbers(line):
                    out.write(numbering.prefix() + line + b"\n")
                else:
                    out.write(empty + line + b"\n")
    return 1 if failures else 0


COMMANDS: Final = (
    Command(
        "nl",
        "[OPTION]... [FILE]...",
        "Write each FILE to standard output, with line numbers added.",
        run_nl,
        options=(
            Option(("-b", "--body-numbering"), "Use STYLE for body lines: a, t, n, pBRE.", "STYLE"),
            Option(("-d", "--section-delimiter"), "Use CC for logical page delimiters.", "CC"),
            Option(("-f", "--footer-numbering"), "Use STYLE for footer lines.", "STYLE"),
            Option(("-h", "--header-numbering"), "Use STYLE for header lines.", "STYLE"),
            Option(("-i", "--line-increment"), "Line number increment at each line.", "NUMBER"),
            Option(("-l", "--join-blank-lines"), "Count NUMBER empty lines as one.", "NUMBER"),
            Option(("-n", "--number-format"), "Insert numbers as FORMAT: ln, rn, rz.", "FORMAT"),
            Option(("-p", "--no-renumber"), "Do not reset line numbers for each section."),
            Option(("-s", "--number-separator"), "Add STRING after the line number.", "STRING"),
            Option(
                ("-v", "--starting-line-number"), "First line number for each section.", "NUMBER"
            ),
            Option(("-w", "--number-width"), "Use NUMBER columns for line numbers.", "NUMBER"),
        ),
    ),
)
