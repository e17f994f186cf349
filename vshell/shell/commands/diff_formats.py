"""The formats of `diff`: normal, unified, context, ed, RCS, side by side, merged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vshell.shell.comparing import Change, Rules
from vshell.shell.names import display_width

_NO_NEWLINE: Final = b"\\ No newline at end of file\n"
_COLORS: Final = {"-": b"31", "+": b"32", "@": b"36", "h": b"1"}


@dataclass(frozen=True, slots=True)
class Style:
    """How differences are printed.

    Attributes:
        name: `normal`, `unified`, `context`, `ed`, `forward`, `rcs`, `side` or `ifdef`.
        context: How many equal lines stand beside a change.
        function: Tells whether a line begins a section, for the heading of hunks; or None.
        width: Of two columns together.
        symbol: For `ifdef`.
    """

    name: str
    context: int
    function: object
    width: int
    left_column: bool
    suppresses_common: bool
    expands_tabs: bool
    initial_tab: bool
    suppresses_blank: bool
    tab: int
    symbol: bytes
    color: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files, the lines of which were compared.

    Attributes:
        headings: What stands before hunks, of the old and the new one.
    """

    old: Sequence[bytes]
    new: Sequence[bytes]
    headings: tuple[bytes, bytes]
    changes: Sequence[Change]


def render(pair: Pair, style: Style, rules: Rules) -> Iterator[bytes]:
    """Yield the differences of two files, line by line."""
    changes = pair.changes
    shown = [change for change in changes if not _ignored(change, pair, rules)]
    if style.name == "side":
        return _side_by_side(pair, style)
    if style.name == "ifdef":
        return _ifdef(pair, style)
    if not shown:
        return iter(())
    if style.name in ("unified", "context"):
        groups = _groups(pair, style, rules)
        return (_unified if style.name == "unified" else _context)(pair, style, groups)
    writer = {"normal": _normal, "ed": _ed, "forward": _forward, "rcs": _rcs}[style.name]
    return writer(pair, style, shown)


def _ignored(change: Change, pair: Pair, rules: Rules) -> bool:
    lines = [*pair.old[change.old_start : change.old_end]]
    lines += pair.new[change.new_start : change.new_end]
    return rules.ignores(lines)


def _paint(style: Style, key: str, line: bytes) -> bytes:
    if not style.color:
        return line
    body = line.removesuffix(b"\n")
    return b"\x1b[" + _COLORS[key] + b"m" + body + b"\x1b[0m" + line[len(body) :]


def _line(style: Style, mark: bytes, line: bytes, color: str = "") -> Iterator[bytes]:
    """Yield a line with its mark, and what is to be said about its end."""
    body = line.removesuffix(b"\n")
    if style.suppresses_blank and not body and not mark.strip():
        mark = b""
    if style.initial_tab and mark:
        mark = (mark.rstrip(b" ") if len(mark) == 1 else mark[:1]) + b"\t"
    if style.expands_tabs:
        body = body.expandtabs(style.tab)
    text = mark + body + b"\n"
    yield _paint(style, color, text) if color else text
    if not line.endswith(b"\n"):
        yield _NO_NEWLINE


def _span(start: int, end: int) -> bytes:
    """Return lines as the normal format numbers them."""
    return b"%d,%d" % (start + 1, end) if end - start > 1 else b"%d" % max(end, start)


def _normal(pair: Pair, style: Style, changes: Sequence[Change]) -> Iterator[bytes]:
    for change in changes:
        old, new = _span(change.old_start, change.old_end), _span(change.new_start, change.new_end)
        letter = _letter(change)
        yield _paint(style, "@", old + letter + new + b"\n")
        for line in pair.old[change.old_start : change.old_end]:
            yield from _line(style, b"< ", line, "-")
        if letter == b"c":
            yield b"---\n"
        for line in pair.new[change.new_start : change.new_end]:
            yield from _line(style, b"> ", line, "+")


def _letter(change: Change) -> bytes:
    if change.old_start == change.old_end:
        return b"a"
    return b"d" if change.new_start == change.new_end else b"c"


def _groups(pair: Pair, style: Style, rules: Rules) -> list[list[Change]]:
    """Gather changes that are so near that their context would meet."""
    groups: list[list[Change]] = []
    for change in pair.changes:
        near = 2 * style.context
        ignored = _ignored(change, pair, rules)
        if groups and change.old_start - groups[-1][-1].old_end <= (
            style.context if ignored else near
        ):
            groups[-1].append(change)
        else:
            groups.append([change])
    return [group for group in groups if not all(_ignored(change, pair, rules) for change in group)]


def _heading(pair: Pair, style: Style, line: int) -> bytes:
    """Return the section that a hunk is in: the last line before it that begins one."""
    function = style.function
    if not callable(function):
        return b""
    for place in range(min(line, len(pair.old)) - 1, -1, -1):
        text = pair.old[place].removesuffix(b"\n")
        if function(text):
            return b" " + text[:40].rstrip()
    return b""


def _unified(pair: Pair, style: Style, groups: Sequence[Sequence[Change]]) -> Iterator[bytes]:
    yield _paint(style, "h", b"--- " + pair.headings[0] + b"\n")
    yield _paint(style, "h", b"+++ " + pair.headings[1] + b"\n")
    for group in groups:
        first, last = group[0], group[-1]
        lead = min(style.context, first.old_start)
        tail = min(style.context, len(pair.old) - last.old_end)
        old = _count(first.old_start - lead, last.old_end + tail)
        new = _count(first.new_start - lead, last.new_end + tail)
        place = b"@@ -" + old + b" +" + new + b" @@"
        yield _paint(style, "@", place) + _heading(pair, style, first.old_start - lead) + b"\n"
        at = first.old_start - lead
        for change in group:
            for line in pair.old[at : change.old_start]:
                yield from _line(style, b" ", line)
            for line in pair.old[change.old_start : change.old_end]:
                yield from _line(style, b"-", line, "-")
            for line in pair.new[change.new_start : change.new_end]:
                yield from _line(style, b"+", line, "+")
            at = change.old_end
        for line in pair.old[at : at + tail]:
            yield from _line(style, b" ", line)


def _count(start: int, end: int) -> bytes:
    size = end - start
    if size == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + 1 if size else start, size)


def _context(pair: Pair, style: Style, groups: Sequence[Sequence[Change]]) -> Iterator[bytes]:
    yield _paint(style, "h", b"*** " + pair.headings[0] + b"\n")
    yield _paint(style, "h", b"--- " + pair.headings[1] + b"\n")
    for group in groups:
        first, last = group[0], group[-1]
        lead = min(style.context, first.old_start)
        tail = min(style.context, len(pair.old) - last.old_end)
        start, end = first.old_start - lead, last.old_end + tail
        yield b"***************" + _heading(pair, style, start) + b"\n"
        yield _paint(style, "@", b"*** " + _range(start, end) + b" ****\n")
        if any(change.old_end > change.old_start for change in group):
            yield from _context_side(pair.old, style, group, start, end, is_old=True)
        start, end = first.new_start - lead, last.new_end + tail
        yield _paint(style, "@", b"--- " + _range(start, end) + b" ----\n")
        if any(change.new_end > change.new_start for change in group):
            yield from _context_side(pair.new, style, group, start, end, is_old=False)


def _range(start: int, end: int) -> bytes:
    return b"%d,%d" % (start + 1, end) if end - start > 1 else b"%d" % end


def _context_side(
    lines: Sequence[bytes],
    style: Style,
    group: Sequence[Change],
    at: int,
    end: int,
    *,
    is_old: bool,
) -> Iterator[bytes]:
    for change in group:
        begin, stop = change[:2] if is_old else change[2:]
        for line in lines[at:begin]:
            yield from _line(style, b"  ", line)
        mark = b"! " if _letter(change) == b"c" else b"- " if is_old else b"+ "
        for line in lines[begin:stop]:
            yield from _line(style, mark, line, "-" if is_old else "+")
        at = stop
    for line in lines[at:end]:
        yield from _line(style, b"  ", line)


def _ed(pair: Pair, _style: Style, changes: Sequence[Change]) -> Iterator[bytes]:
    for change in reversed(changes):
        letter = _letter(change)
        yield _span(change.old_start, change.old_end) + letter + b"\n"
        if letter != b"d":
            yield from _ed_text(pair.new[change.new_start : change.new_end])


def _ed_text(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Yield text for `ed`, in which a line of one dot would end it."""
    is_open = True
    for line in lines:
        if not is_open:
            yield b"a\n"
            is_open = True
        body = line.removesuffix(b"\n")
        if body == b".":
            yield b"..\n.\ns/.//\n"
            is_open = False
        else:
            yield body + b"\n"
    if is_open:
        yield b".\n"


def _forward(pair: Pair, _style: Style, changes: Sequence[Change]) -> Iterator[bytes]:
    for change in changes:
        letter = _letter(change)
        yield letter + _span(change.old_start, change.old_end).replace(b",", b" ") + b"\n"
        if letter != b"d":
            for line in pair.new[change.new_start : change.new_end]:
                yield line.removesuffix(b"\n") + b"\n"
            yield b".\n"


def _rcs(pair: Pair, _style: Style, changes: Sequence[Change]) -> Iterator[bytes]:
    for change in changes:
        removed, added = change.old_end - change.old_start, change.new_end - change.new_start
        if removed:
            yield b"d%d %d\n" % (change.old_start + 1, removed)
        if added:
            yield b"a%d %d\n" % (change.old_end, added)
            yield from pair.new[change.new_start : change.new_end]


def _ifdef(pair: Pair, style: Style) -> Iterator[bytes]:
    at = 0
    symbol = style.symbol
    for change in pair.changes:
        yield from pair.old[at : change.old_start]
        letter = _letter(change)
        if letter == b"a":
            yield b"#ifdef " + symbol + b"\n"
            yield from _ended(pair.new[change.new_start : change.new_end])
            yield b"#endif /* " + symbol + b" */\n"
        else:
            yield b"#ifndef " + symbol + b"\n"
            yield from _ended(pair.old[change.old_start : change.old_end])
            if letter == b"c":
                yield b"#else /* " + symbol + b" */\n"
                yield from _ended(pair.new[change.new_start : change.new_end])
                yield b"#endif /* " + symbol + b" */\n"
            else:
                yield b"#endif /* ! " + symbol + b" */\n"
        at = change.old_end
    yield from pair.old[at:]


def _ended(lines: Sequence[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield line if line.endswith(b"\n") else line + b"\n"


# Side by side.


def _side_by_side(pair: Pair, style: Style) -> Iterator[bytes]:
    columns = _Columns(style)
    at = new_at = 0
    for change in pair.changes:
        yield from _common(columns, pair, at, new_at, change.old_start - at)
        olds = pair.old[change.old_start : change.old_end]
        news = pair.new[change.new_start : change.new_end]
        both = min(len(olds), len(news))
        for old, new in zip(olds[:both], news[:both], strict=True):
            yield columns.row(old, b"|", new)
        for old in olds[both:]:
            yield columns.row(old, b"<", None)
        for new in news[both:]:
            yield columns.row(None, b">", new)
        at, new_at = change.old_end, change.new_end
    yield from _common(columns, pair, at, new_at, len(pair.old) - at)


def _common(columns: _Columns, pair: Pair, at: int, new_at: int, count: int) -> Iterator[bytes]:
    if columns.style.suppresses_common:
        return
    for step in range(count):
        old, new = pair.old[at + step], pair.new[new_at + step]
        if columns.style.left_column:
            yield columns.row(old, b"(", None)
        else:
            yield columns.row(old, b" ", new)


class _Columns:
    def __init__(self, style: Style) -> None:
        self.style = style
        self._tab = 1 if style.expands_tabs else style.tab
        offset = (style.width + self._tab + 3) // (2 * self._tab) * self._tab
        half = max(0, min(offset - 3, style.width - offset))
        self._half = half
        self._second = offset if half else style.width

    def row(self, old: bytes | None, mark: bytes, new: bytes | None) -> bytes:
        text, column = self._fit((old or b"").removesuffix(b"\n"))
        if mark != b" ":
            place = (self._half + self._second - 1) >> 1
            if mark == b"|" and old is not None and new is not None:
                missing = new.endswith(b"\n") - old.endswith(b"\n")
                mark = b"\\" if missing > 0 else b"/" if missing < 0 else mark
            text += self._pad(column, place) + mark
            column = place + 1
        if new is not None:
            body = new.removesuffix(b"\n")
            if body:
                text += self._pad(column, self._second) + self._fit(body)[0]
            elif mark == b" " and not text:
                text = b""
        ended = any(line is not None and line.endswith(b"\n") for line in (old, new))
        return text + (b"\n" if ended else b"")

    def _fit(self, line: bytes) -> tuple[bytes, int]:
        """Cut a line to half of the width; return how wide it is."""
        out = b""
        column = 0
        for letter in line.decode("utf-8", "surrogateescape"):
            if letter == "\t":
                width = self.style.tab - column % self.style.tab
                if column + width > self._half:
                    break
                out += b" " * width if self.style.expands_tabs else b"\t"
            else:
                width = display_width(letter)
                if column + width > self._half:
                    break
                out += letter.encode("utf-8", "surrogateescape")
            column += width
        return out, column

    def _pad(self, column: int, target: int) -> bytes:
        text = b""
        tab = self.style.tab
        while not self.style.expands_tabs and column // tab < target // tab and column < target:
            step = tab - column % tab
            text += b"\t" if step > 0 else b""
            column += step
        return text + b" " * (target - column)
