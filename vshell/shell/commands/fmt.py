"""`fmt`: paragraphs, filled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    DIGITS,
    BufferedOutput,
    failing,
    old_number,
    open_input,
    records,
    stripped,
    to_bytes,
    to_text,
)
from vshell.shell.messages import quote, quote_typographic, reason

_TAB: Final = 8
_ENDS: Final = ".?!"


class _Word:
    """A word of a paragraph, and the room that follows it."""

    __slots__ = ("is_final", "is_period", "is_punctuated", "opens", "size", "space", "text")

    def __init__(self, text: str, space: int) -> None:
        self.text = text
        self.size = len(to_bytes(text))
        self.space = space
        self.is_final = False
        stripped_text = text.rstrip("\"')]}")
        self.is_period = stripped_text[-1:] in tuple(_ENDS) if stripped_text else False
        self.is_punctuated = (
            bool(text)
            and not text[-1].isalnum()
            and text[-1].isprintable()
            and text[-1] in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
        )
        self.opens = text[:1] in tuple("(['`\"") if text else False


def _line_cost(length: int, goal: int, following: int | None) -> int:
    cost = 0
    if length != goal:
        short = (goal - length) * 10
        cost = short * short
    if following is not None:
        ragged = (length - following) * 10
        cost += ragged * ragged // 2
    return cost


def _break_cost(words: Sequence[_Word], index: int) -> int:
    """What it costs to begin a line with the word at `index`."""
    cost = 70 * 70
    word = words[index]
    if index > 0:
        before = words[index - 1]
        if before.is_period:
            cost += -(50 * 50) if before.is_final else 600 * 600
        elif before.is_punctuated:
            cost -= 40 * 40
        elif index > 1 and words[index - 2].is_final:
            cost += 200 * 200 // (before.size + 2)
    if word.opens:
        cost -= 40 * 40
    elif word.is_final:
        cost += 150 * 150 // (word.size + 2)
    return cost


def _lay_out(
    words: Sequence[_Word], first: int, other: int, width: int, goal: int
) -> list[list[_Word]]:
    """Choose the lines of a paragraph so that all together cost least, from the end on."""
    count = len(words)
    best: list[int] = [0] * (count + 1)
    following: list[int] = [count] * (count + 1)
    lengths: list[int] = [0] * (count + 1)
    for start in range(count - 1, -1, -1):
        length = (first if start == 0 else other) + words[start].size
        least: int | None = None
        end = start + 1
        while True:
            if end == count:
                total = best[count]
            else:
                ragged = lengths[end] if following[end] != count else None
                total = _line_cost(length, goal, ragged) + best[end]
            if least is None or total < least:
                least, following[start], lengths[start] = total, end, length
            if end == count:
                break
            length += words[end - 1].space + words[end].size
            if length >= width:
                break
            end += 1
        best[start] = (least or 0) + _break_cost(words, start)
    lines, position = [], 0
    while position < count:
        lines.append(list(words[position : following[position]]))
        position = following[position]
    return lines


class _Formatter:
    def __init__(self, call: Invocation) -> None:
        parsed = call.parsed
        self.width = _positive(
            old_number(parsed, "width") or parsed.value("width", "75") or "", "width"
        )
        goal = parsed.value("goal")
        if goal is not None:
            self.goal = _positive(goal, "width")
            if not parsed.flag("width"):
                self.width = self.goal + 10
        else:
            self.goal = self.width * (2 * (100 - 7) + 1) // 200
        self.crown = parsed.flag("crown-margin")
        self.tagged = parsed.flag("tagged-paragraph")
        self.split_only = parsed.flag("split-only")
        self.uniform = parsed.flag("uniform-spacing")
        self.prefix = parsed.value("prefix", "") or ""
        self._tabs = False

    def paragraphs(self, lines: Iterator[str]) -> Iterator[str]:
        held: list[tuple[int, str]] = []
        for line in lines:
            indent, body = self._indent(line)
            if body is None:
                yield from self._flush(held)
                yield line.rstrip() if not line.strip() else line
                continue
            if held and not self._continues(held, indent):
                yield from self._flush(held)
            held.append((indent, body))
            if self.split_only:
                yield from self._flush(held)
        yield from self._flush(held)

    def _indent(self, line: str) -> tuple[int, str | None]:
        self._tabs = self._tabs or "\t" in line
        text = line.expandtabs()
        body = text.lstrip()
        indent = len(text) - len(body)
        if self.prefix:
            prefix = self.prefix.strip()
            if not body.startswith(prefix):
                return indent, None
            body = body[len(prefix) :]
            rest = body.lstrip()
            return indent * 1000 + len(body) - len(rest), rest or None
        return indent, body or None

    def _continues(self, held: list[tuple[int, str]], indent: int) -> bool:
        if self.crown or self.tagged:
            if len(held) == 1:
                return not self.tagged or indent != held[0][0]
            return indent == held[1][0]
        return indent == held[0][0]

    def _flush(self, held: list[tuple[int, str]]) -> Iterator[str]:
        if not held:
            return
        first = held[0][0]
        other = held[1][0] if len(held) > 1 and (self.crown or self.tagged) else first
        if self.tagged and other == first:
            other = 0 if first else 3
        words = self._words(held)
        # The last word of a paragraph counts as the end of a sentence.
        words[-1].is_period = words[-1].is_final = True
        held.clear()
        lead_first, lead_other = self._lead(first), self._lead(other)
        for number, line in enumerate(
            _lay_out(words, len(lead_first), len(lead_other), self.width, self.goal)
        ):
            shown = "".join(word.text + " " * word.space for word in line[:-1]) + line[-1].text
            text = (lead_first if number == 0 else lead_other) + shown
            yield _with_tabs(text) if self._tabs else text

    def _lead(self, indent: int) -> str:
        if not self.prefix:
            return " " * indent
        outer, inner = divmod(indent, 1000)
        return " " * outer + self.prefix.strip() + " " * inner

    def _words(self, held: Sequence[tuple[int, str]]) -> list[_Word]:
        words: list[_Word] = []
        for _, body in held:
            for match in re.finditer(r"(\S+)(\s*)", body):
                word = _Word(match[1], len(match[2]))
                at_end = match.end() == len(body)
                word.is_final = word.is_period and (at_end or len(match[2]) > 1)
                if at_end or self.uniform:
                    word.space = 2 if word.is_final else 1
                words.append(word)
        return words


def _with_tabs(line: str) -> str:
    """Return a line with tabs for spaces, as the input has some: but never for a single one."""
    parts: list[str] = []
    column = 0
    for part in re.findall(" +|[^ ]+", line):
        if part[0] != " ":
            parts.append(part)
            column += len(to_bytes(part))
            continue
        goal = column + len(part)
        stop = goal - goal % _TAB
        if column + 1 < stop:
            parts.append("\t" * (stop // _TAB - column // _TAB))
            column = stop
        parts.append(" " * (goal - column))
        column = goal
    return "".join(parts)


def _positive(text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= 2500:
        out = text.isascii() and text.isdigit()
        why = ": Numerical result out of range" if out else ""
        raise UsageError(f"invalid {what}: {quote_typographic(text)}{why}", hint=False)
    return int(text)


@failing
def run_fmt(call: Invocation) -> int:
    formatter = _Formatter(call)
    failures: list[str] = []
    form = "cannot open {quoted} for reading: {reason}"
    with BufferedOutput(call.stdout) as out:
        for name in call.operands or ("-",):
            try:
                source = open_input(call, name)
            except VshellError as error:
                call.complain(form.format(quoted=quote(name), reason=reason(error)))
                failures.append(name)
                continue
            for line in formatter.paragraphs(map(to_text, stripped(records(source)))):
                out.write(to_bytes(line) + b"\n")
    return 1 if failures else 0


COMMANDS: Final = (
    Command(
        "fmt",
        "[-WIDTH] [OPTION]... [FILE]...",
        "Reformat each paragraph in the FILE(s), writing to standard output.",
        run_fmt,
        options=(
            Option(("-c", "--crown-margin"), "Preserve indentation of first two lines."),
            Option(("-p", "--prefix"), "Reformat only lines beginning with STRING.", "STRING"),
            Option(("-s", "--split-only"), "Split long lines, but do not refill."),
            Option(
                ("-t", "--tagged-paragraph"), "Indentation of first line different from second."
            ),
            Option(("-u", "--uniform-spacing"), "One space between words, two after sentences."),
            Option(("-w", "--width"), "Maximum line width (default of 75 columns).", "WIDTH"),
            Option(("-g", "--goal"), "Goal width (default of 93% of width).", "WIDTH"),
            *DIGITS,
        ),
    ),
)
