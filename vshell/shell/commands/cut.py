"""`cut`: parts of lines, by bytes, characters or fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, each_input, failing, records, to_bytes
from vshell.shell.messages import quote_typographic

_RANGE: Final = re.compile(r"(\d*)(-?)(\d*)", re.ASCII)
_LAST: Final = 2**63

Ranges = list[tuple[int, int]]


def parse_ranges(text: str, kind: str) -> Ranges:
    """Read a list such as `1,3-5,7-`; the ranges come sorted and merged, from 0, half open.

    Raises:
        UsageError: It is none.
    """
    found: Ranges = []
    for part in re.split(r"[, \t]", text):
        found.append(_parse_range(part, text, kind))
    return _merged(found)


def _parse_range(part: str, text: str, kind: str) -> tuple[int, int]:
    byte_kind = "byte/character position" if kind == "byte" else "field"
    numbered = "byte/character positions" if kind == "byte" else "fields"
    match = _RANGE.fullmatch(part)
    if match is None:
        if re.fullmatch(r"[\d-]*", part, re.ASCII):
            raise UsageError(
                "invalid byte or character range" if kind == "byte" else "invalid field range"
            )
        rest = re.sub(r"^\d*-?\d*", "", part)
        shown = quote_typographic(rest + text[text.find(part) + len(part) :])
        invalid = "invalid byte/character position" if kind == "byte" else "invalid field value"
        raise UsageError(f"{invalid} {shown}")
    first, dash, last = match.groups()
    if not first and not last:
        if dash:
            raise UsageError("invalid range with no endpoint: -")
        raise UsageError(f"{numbered} are numbered from 1")
    start = int(first) if first else 1
    end = int(last) if last else (_LAST if dash else start)
    if start == 0 or end == 0:
        if start and dash:
            raise UsageError("invalid decreasing range")
        raise UsageError(f"{numbered} are numbered from 1")
    if max(start, end if last else 0) >= _LAST:
        raise UsageError(
            f"{byte_kind.replace('position', 'offset')} number {quote_typographic(part)}"
            " is too large"
        )
    if end < start:
        raise UsageError("invalid decreasing range")
    return start - 1, end


def _merged(ranges: Ranges) -> Ranges:
    merged: Ranges = []
    for start, end in sorted(ranges):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _complement(ranges: Ranges) -> Ranges:
    result: Ranges = []
    position = 0
    for start, end in ranges:
        if start > position:
            result.append((position, start))
        position = end
    if position < _LAST:
        result.append((position, _LAST))
    return result


def _byte_cutter(ranges: Ranges, delimiter: bytes) -> Callable[[bytes], bytes | None]:
    def cut(line: bytes) -> bytes:
        return delimiter.join([line[start:end] for start, end in ranges if start < len(line)])

    return cut


def _field_cutter(
    ranges: Ranges, delimiter: bytes, output: bytes, *, only_delimited: bool
) -> Callable[[bytes], bytes | None]:
    def cut(line: bytes) -> bytes | None:
        if delimiter not in line:
            return None if only_delimited else line
        fields = line.split(delimiter)
        if len(ranges) == 1:
            start, end = ranges[0]
            return output.join(fields[start:end])
        kept: list[bytes] = []
        for start, end in ranges:
            kept += fields[start:end]
        return output.join(kept)

    return cut


@failing
def run(call: Invocation) -> int:
    parsed = call.parsed
    kinds = [name for name, _ in parsed.given if name in ("bytes", "characters", "fields")]
    if len(kinds) > 1:
        raise UsageError("only one list may be specified")
    if not kinds:
        raise UsageError("you must specify a list of bytes, characters, or fields")
    kind = kinds[0]
    is_fields = kind == "fields"
    delimiter = parsed.value("delimiter")
    if delimiter is not None and len(to_bytes(delimiter)) > 1:
        raise UsageError("the delimiter must be a single character")
    if not is_fields and delimiter is not None:
        raise UsageError("an input delimiter may be specified only when operating on fields")
    if not is_fields and parsed.flag("only-delimited"):
        raise UsageError(
            "suppressing non-delimited lines makes sense\n\tonly when operating on fields"
        )
    ranges = parse_ranges(parsed.value(kind) or "", "field" if is_fields else "byte")
    if parsed.flag("complement"):
        ranges = _complement(ranges)
    separator = b"\t" if delimiter is None else (to_bytes(delimiter) or b"\0")
    output = parsed.value("output-delimiter")
    if is_fields:
        joiner = separator if output is None else (to_bytes(output) or b"\0")
        cut = _field_cutter(ranges, separator, joiner, only_delimited=parsed.flag("only-delimited"))
    else:
        cut = _byte_cutter(ranges, b"" if output is None else to_bytes(output))
    end = b"\0" if parsed.flag("zero-terminated") else b"\n"
    return _cut_all(call, cut, end, whole=is_fields and separator == end)


def _cut_all(
    call: Invocation, cut: Callable[[bytes], bytes | None], end: bytes, *, whole: bool
) -> int:
    failures: list[str] = []
    with BufferedOutput(call.stdout) as out:
        for _, source in each_input(call, call.operands, failures):
            if whole:
                data = b"".join(records(source, end))
                found = cut(data.removesuffix(end)) if data else None
                if found is not None:
                    out.write(found + end)
                continue
            for line in records(source, end):
                found = cut(line.removesuffix(end))
                if found is not None:
                    out.write(found + end)
    return 1 if failures else 0


COMMANDS: Final = (
    Command(
        "cut",
        "OPTION... [FILE]...",
        "Print selected parts of lines from each FILE to standard output.",
        run,
        options=(
            Option(("-b", "--bytes"), "Select only these bytes.", "LIST"),
            Option(("-c", "--characters"), "Select only these characters.", "LIST"),
            Option(("-d", "--delimiter"), "Use DELIM instead of TAB for field delimiter.", "DELIM"),
            Option(("-f", "--fields"), "Select only these fields.", "LIST"),
            Option(("-n",), "Ignored."),
            Option(("--complement",), "Complement the set of selected parts."),
            Option(("-s", "--only-delimited"), "Do not print lines without delimiters."),
            Option(("--output-delimiter",), "Use STRING as the output delimiter.", "STRING"),
            Option(("-z", "--zero-terminated"), "Lines end with NUL, not newline."),
        ),
    ),
)
