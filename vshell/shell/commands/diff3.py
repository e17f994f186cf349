"""`diff3`: two files that were changed from a third one, compared and merged.

As GNU's does it: the two differences from the common file, those that touch each other put
together to blocks. What is common is the older file, but in the plain listing the third one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, Parsed, UsageError
from vshell.shell.command_io import BufferedOutput, read_all, to_bytes
from vshell.shell.comparing import Change, Rules, compare
from vshell.shell.messages import reason
from vshell.text.unified import split_lines

_TROUBLE: Final = 2
_HORIZON: Final = 100
"""How many equal lines at the ends are looked at: GNU's `--horizon-lines`."""
_NO_NEWLINE: Final = b"\n\\ No newline at end of file\n"
_NAMES: Final = {
    "show-all": "A", "ed": "e", "show-overlap": "E", "easy-only": "3", "overlap-only": "x",
    "X": "X",
}  # fmt: skip


class _Span(NamedTuple):
    """Lines of one file, from the first one to behind the last one."""

    start: int
    end: int


class _Block(NamedTuple):
    """Where the three differ.

    Attributes:
        odd: Which of the files differs from two equal ones; None when all do.
        spans: The lines, by file in the order of the command line.
    """

    odd: int | None
    spans: tuple[_Span, _Span, _Span]


@dataclass(frozen=True, slots=True)
class _Mode:
    """What is made of the blocks; the attributes are GNU's variables."""

    merge: bool
    edits: bool
    show_old: bool
    flagging: bool
    simple_only: bool
    overlap_only: bool
    final_write: bool
    labels: tuple[bytes, bytes, bytes]

    def conflicts(self, block: _Block) -> bool | None:
        """Whether a block is a conflict; None when nothing is to be done about it."""
        if block.odd == 1:
            return True if self.show_old else None
        if block.odd == 2:
            return None if self.overlap_only else False
        if block.odd is None:
            return None if self.simple_only else self.flagging
        return None


def run_diff3(call: Invocation) -> int:
    mode = _mode(call.parsed, call.operands)
    texts: list[Sequence[bytes]] = []
    for name in call.operands:
        try:
            data = read_all(call, name)
        except VshellError as error:
            call.complain(f"{name}: {reason(error)}")
            return _TROUBLE
        if b"\0" in data and not call.parsed.flag("text"):
            # GNU's asks `diff`, which only says that binary files differ.
            call.complain("subsidiary program 'diff' failed (exit status 2)")
            return _TROUBLE
        if call.parsed.flag("strip-trailing-cr"):
            data = data.replace(b"\r\n", b"\n")
        texts.append(split_lines(data))
    common = 1 if mode.merge or mode.edits else 2
    sides = [index for index in range(3) if index != common]
    changes = [compare(texts[side], texts[common], Rules(), context=_HORIZON) for side in sides]
    if mode.edits:
        _warn(call, texts, changes, sides)
        texts = [[line.removesuffix(b"\n") + b"\n" for line in lines] for lines in texts]
    blocks = list(_blocks(texts, changes, sides, common))
    with BufferedOutput(call.stdout) as out:
        if mode.merge:
            return _merge(out, blocks, texts, mode)
        if mode.edits:
            return _edits(out, blocks, texts, mode)
        _list(out, blocks, texts, b"\t" if call.parsed.flag("initial-tab") else b"  ")
    return 0


def _mode(parsed: Parsed, operands: Sequence[str]) -> _Mode:
    kinds = [_NAMES[name] for name, _ in parsed.given if name in _NAMES]
    merge = parsed.flag("merge")
    labels = parsed.values("label")
    if len(labels) > 3:
        raise UsageError("too many file label options")
    kind = kinds[0] if kinds else "A" if merge else ""
    flagging = kind in ("A", "E")
    if len(kinds) > 1 or (merge and parsed.flag("i")) or (labels and not flagging):
        raise UsageError("incompatible options")
    if len(operands) < 3:
        raise UsageError(f"missing operand after '{operands[-1] if operands else 'diff3'}'")
    if len(operands) > 3:
        raise UsageError(f"extra operand '{operands[3]}'")
    first, second, third = map(to_bytes, (*labels, *operands[len(labels) :]))
    return _Mode(
        merge=merge,
        edits=bool(kinds) and not merge,
        show_old=kind == "A",
        flagging=flagging,
        simple_only=kind == "3",
        overlap_only=kind in ("x", "X"),
        final_write=parsed.flag("i"),
        labels=(first, second, third),
    )


def _warn(
    call: Invocation,
    texts: Sequence[Sequence[bytes]],
    changes: Sequence[Sequence[Change]],
    sides: Sequence[int],
) -> None:
    """Complain of last lines that `ed` would end."""
    common = 3 - sum(sides)
    for side, found in zip(sides, changes, strict=True):
        for change in found:
            old = texts[side][change.old_start : change.old_end]
            new = texts[common][change.new_start : change.new_end]
            for lines in (old, new):
                if lines and not lines[-1].endswith(b"\n"):
                    call.complain("No newline at end of file")


# Where they differ.


def _blocks(
    texts: Sequence[Sequence[bytes]],
    changes: Sequence[Sequence[Change]],
    sides: Sequence[int],
    common: int,
) -> Iterator[_Block]:
    """Yield the blocks; the changes are those of the sides from the common file."""
    at = [0, 0]
    offsets = [0, 0]  # of the common file's lines, in each of the two
    while at[0] < len(changes[0]) or at[1] < len(changes[1]):
        used, span = _touching(changes, at)
        spans = [_Span(0, 0)] * 3
        spans[common] = span
        for number, side in enumerate(sides):
            start = span.start + offsets[number]
            for change in used[number]:
                grown = (change.old_end - change.old_start) - (change.new_end - change.new_start)
                offsets[number] += grown
            spans[side] = _Span(start, span.end + offsets[number])
        odd = _odd(texts, spans, sides, used, common)
        yield _Block(odd, (spans[0], spans[1], spans[2]))


def _touching(
    changes: Sequence[Sequence[Change]], at: list[int]
) -> tuple[tuple[list[Change], list[Change]], _Span]:
    """Take the next changes of both sides that touch each other; move `at` behind them."""
    used: tuple[list[Change], list[Change]] = ([], [])
    ahead = [side for side in (0, 1) if at[side] < len(changes[side])]
    first = min(ahead, key=lambda side: (changes[side][at[side]].new_start, side))
    start = end = changes[first][at[first]].new_start
    grew = True
    while grew:
        grew = False
        for side in (first, 1 - first):
            while at[side] < len(changes[side]) and changes[side][at[side]].new_start <= end:
                change = changes[side][at[side]]
                used[side].append(change)
                end = max(end, change.new_end)
                at[side] += 1
                grew = True
    return used, _Span(start, end)


def _odd(
    texts: Sequence[Sequence[bytes]],
    spans: Sequence[_Span],
    sides: Sequence[int],
    used: Sequence[list[Change]],
    common: int,
) -> int | None:
    if not used[0]:
        return sides[1]
    if not used[1]:
        return sides[0]
    one, other = (texts[side][spans[side].start : spans[side].end] for side in sides)
    return common if one == other else None


# What is printed.


def _list(
    out: BufferedOutput,
    blocks: Sequence[_Block],
    texts: Sequence[Sequence[bytes]],
    prefix: bytes,
) -> None:
    for block in blocks:
        out.write(b"====%s\n" % (b"" if block.odd is None else b"%d" % (block.odd + 1)))
        # Of two equal ones only the later one is shown.
        silent = {None: None, 0: 1}.get(block.odd, 0)
        for file in (0, 2, 1) if block.odd == 1 else (0, 1, 2):
            span = block.spans[file]
            out.write(b"%d:%s\n" % (file + 1, _place(span)))
            lines = texts[file][span.start : span.end]
            if file == silent or not lines:
                continue
            out.write(b"".join(prefix + line for line in lines))
            if not lines[-1].endswith(b"\n"):
                out.write(_NO_NEWLINE)


def _place(span: _Span) -> bytes:
    if span.start == span.end:
        return b"%da" % span.start
    if span.end == span.start + 1:
        return b"%dc" % span.end
    return b"%d,%dc" % (span.start + 1, span.end)


def _merge(
    out: BufferedOutput,
    blocks: Sequence[_Block],
    texts: Sequence[Sequence[bytes]],
    mode: _Mode,
) -> int:
    """Write the merged file; return 1 when there are conflicts."""
    found = False
    done = 0

    def show(file: int, block: _Block) -> None:
        span = block.spans[file]
        out.write(b"".join(texts[file][span.start : span.end]))

    for block in blocks:
        conflict = mode.conflicts(block)
        if conflict is None:
            continue
        mine = block.spans[0]
        out.write(b"".join(texts[0][done : mine.start]))
        done = mine.end
        if conflict:
            found = True
            if block.odd is None:
                out.write(b"<<<<<<< %s\n" % mode.labels[0])
                show(0, block)
            if mode.show_old:
                mark = b"|||||||" if block.odd is None else b"<<<<<<<"
                out.write(b"%s %s\n" % (mark, mode.labels[1]))
                show(1, block)
            out.write(b"=======\n")
        show(2, block)
        if conflict:
            out.write(b">>>>>>> %s\n" % mode.labels[2])
    out.write(b"".join(texts[0][done:]))
    return int(found)


def _edits(
    out: BufferedOutput,
    blocks: Sequence[_Block],
    texts: Sequence[Sequence[bytes]],
    mode: _Mode,
) -> int:
    """Write a script for `ed`; return 1 when there are conflicts."""
    found = False
    for block in reversed(blocks):
        conflict = mode.conflicts(block)
        if conflict is None:
            continue
        _, old, yours = (
            texts[file][span.start : span.end] for file, span in enumerate(block.spans)
        )
        mine = block.spans[0]
        if conflict:
            found = True
            _mark(out, block, old, yours, mode)
        elif not yours:
            first, last = mine.start + 1, mine.end
            out.write(b"%dd\n" % first if first == last else b"%d,%dd\n" % (first, last))
        else:
            out.write(_place(mine) + b"\n")
            _dotted(out, (yours,), mine.start + 1, len(yours))
    if mode.final_write:
        out.write(b"w\nq\n")
    return int(found)


def _mark(
    out: BufferedOutput, block: _Block, old: Sequence[bytes], yours: Sequence[bytes], mode: _Mode
) -> None:
    """Write the commands that put marks around a conflict, and the other texts into it."""
    mine = block.spans[0]
    mine_label, old_label, your_label = mode.labels
    end = b">>>>>>> %s\n" % your_label
    out.write(b"%da\n" % mine.end)
    texts: list[Sequence[bytes]] = []
    if block.odd is None:
        if mode.show_old:
            texts += [[b"||||||| %s\n" % old_label], old]
        texts += [[b"=======\n"], yours]
    _dotted(out, (*texts, [end]), mine.end + 2, len(old) + len(yours) + 1)
    label = mine_label if block.odd is None else old_label
    start: list[Sequence[bytes]] = [[b"<<<<<<< %s\n" % label]]
    if block.odd == 1:
        start += [old, [b"=======\n"]]
    out.write(b"%da\n" % mine.start)
    _dotted(out, start, mine.start + 2, len(old))


def _dotted(out: BufferedOutput, texts: Sequence[Sequence[bytes]], first: int, count: int) -> None:
    """Write lines up to the dot that ends them; those that begin with one get another one."""
    has_dots = False
    for lines in texts:
        for line in lines:
            has_dots = has_dots or line.startswith(b".")
            out.write((b"." if line.startswith(b".") else b"") + line)
    out.write(b".\n")
    if has_dots:
        places = b"%d" % first if count == 1 else b"%d,%d" % (first, first + count - 1)
        out.write(b"%ss/^\\.//\n" % places)


COMMANDS: Final = (
    Command(
        "diff3",
        "[OPTION]... MYFILE OLDFILE YOURFILE",
        "Compare three files line by line.",
        run_diff3,
        options=(
            Option(("-A", "--show-all"), "Output all changes, bracketing conflicts."),
            Option(("-e", "--ed"), "Output ed script with the changes from OLDFILE to YOURFILE."),
            Option(("-E", "--show-overlap"), "Like -e, but bracket conflicts."),
            Option(("-3", "--easy-only"), "Like -e, but only nonoverlapping changes."),
            Option(("-x", "--overlap-only"), "Like -e, but only overlapping changes."),
            Option(("-X",), "Like -x, but bracket conflicts."),
            Option(("-i",), "Append 'w' and 'q' commands to ed scripts."),
            Option(("-m", "--merge"), "Output actual merged file, as -A says without another one."),
            Option(("-a", "--text"), "Treat all files as text."),
            Option(("--strip-trailing-cr",), "Strip trailing carriage return on input."),
            Option(("-T", "--initial-tab"), "Make tabs line up by prepending a tab."),
            Option(("-L", "--label"), "Use LABEL instead of file name.", "LABEL"),
        ),
        usage_status=_TROUBLE,
    ),
)
