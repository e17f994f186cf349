"""`iconv` and `dd`: bytes converted and copied."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import (
    BufferedOutput,
    Failure,
    failing,
    open_input,
    parse_size,
    require_write,
)
from vshell.shell.messages import quote, quote_typographic, reason

# iconv.


def _codec(name: str) -> tuple[str, str]:
    """Return Python's name of an encoding, and how errors are handled."""
    bare, _, options = name.upper().partition("//")
    errors = "ignore" if "IGNORE" in options else "translit" if "TRANSLIT" in options else "strict"
    aliases = {
        "UTF8": "utf-8",
        "UNICODE": "utf-16",
        "UCS-2": "utf-16",
        "UCS-4": "utf-32",
        "LATIN1": "latin-1",
    }
    return aliases.get(bare, bare or "UTF-8"), errors


@failing
def run_iconv(call: Invocation) -> int:
    parsed = call.parsed
    if parsed.flag("list"):
        call.write(
            "ASCII//\nISO-8859-1//\nISO-8859-15//\nUTF-16//\nUTF-32//\nUTF-8//\nWINDOWS-1252//\n"
        )
        return 0
    source, _ = _codec(parsed.value("from-code", "UTF-8") or "")
    target, errors = _codec(parsed.value("to-code", "UTF-8") or "")
    if parsed.flag("c"):
        errors = "ignore"
    for name, option in ((source, "from-code"), (target, "to-code")):
        try:
            codecs.lookup(name)
        except (LookupError, ValueError):
            shown = parsed.value(option) or ""
            side = "from" if option == "from-code" else "to"
            message = f"conversion {side} {quote_plain(shown)} is not supported"
            raise UsageError(message) from None
    out_parts: list[bytes] = []
    status = _convert_all(call, source, target, errors, out_parts)
    output = parsed.value("output")
    if output is not None:
        require_write(call, output, b"".join(out_parts))
    else:
        call.stdout.write(b"".join(out_parts))
    return status


def quote_plain(text: str) -> str:
    """Return a word in the quotes that glibc's own programs use."""
    return f"`{text}'"


def _convert_all(call: Invocation, source: str, target: str, errors: str, out: list[bytes]) -> int:
    status = 0
    try:
        encoder = codecs.getincrementalencoder(target)()
    except LookupError:
        raise Failure(f"conversion to {quote_plain(target)} unsupported") from None
    for name in call.operands or ("-",):
        try:
            data = open_input(call, name).read()
        except VshellError as error:
            call.complain(f"cannot open input file {quote_plain(name)}: {reason(error)}")
            status = 1
            continue
        bad = _convert(data, source, encoder, errors, out)
        if bad is not None:
            call.complain(bad)
            return 1
    return status


def _convert(
    data: bytes, source: str, encoder: codecs.IncrementalEncoder, errors: str, out: list[bytes]
) -> str | None:
    """Add what bytes become; return what is wrong with those that cannot be converted."""
    try:
        text = data.decode(source)
        bad = None
    except UnicodeDecodeError as error:
        is_cut = error.end >= len(data) and "unexpected end" in error.reason
        bad = (
            "incomplete character or shift sequence at end of buffer"
            if is_cut
            else f"illegal input sequence at position {error.start}"
        )
        text = (
            data.decode(source, "ignore")
            if errors == "ignore"
            else data[: error.start].decode(source)
        )
        bad = bad if errors != "ignore" else None
    for position, piece in _encoded(text, encoder, errors):
        if piece is None:
            return f"illegal input sequence at position {position}"
        out.append(piece)
    return bad


def _encoded(
    text: str, encoder: codecs.IncrementalEncoder, errors: str
) -> Iterator[tuple[int, bytes | None]]:
    while text:
        try:
            yield 0, encoder.encode(text)
            return
        except UnicodeEncodeError as error:
            good, letter, text = text[: error.start], text[error.start], text[error.start + 1 :]
            if good:
                yield 0, encoder.encode(good)
            if errors == "strict":
                yield len(good.encode("utf-8")), None
                return
            if errors == "translit":
                yield 0, encoder.encode(_plain(letter))


def _plain(letter: str) -> str:
    import unicodedata

    decomposed = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return decomposed or "?"


# dd.

_FLAGS: Final = frozenset(
    [
        "append",
        "direct",
        "directory",
        "dsync",
        "sync",
        "fullblock",
        "nonblock",
        "noatime",
        "nocache",
        "noctty",
        "nofollow",
        "skip_bytes",
        "count_bytes",
        "seek_bytes",
        "excl",
        "binary",
        "text",
        "notrunc",
    ]
)
_CONVERSIONS: Final = frozenset(
    [
        "ascii",
        "ebcdic",
        "ibm",
        "block",
        "unblock",
        "lcase",
        "ucase",
        "sparse",
        "swab",
        "sync",
        "excl",
        "nocreat",
        "notrunc",
        "noerror",
        "fdatasync",
        "fsync",
    ]
)
_MAX_BLOCK: Final = 256 * 1024 * 1024


class _Copy:
    """What `dd` was asked for."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.source = self.target = "-"
        self.input_block = self.output_block = 512
        self.count: int | None = None
        self.skip = self.seek = 0
        self.conversions: set[str] = set()
        self.flags: dict[str, set[str]] = {"iflag": set(), "oflag": set()}
        self.status = ""
        for word in words:
            name, equals, value = word.partition("=")
            if not equals:
                raise UsageError(f"unrecognized operand {quote_typographic(word)}")
            self._set(name, value, word)

    def _set(self, name: str, value: str, word: str) -> None:
        if name == "if":
            self.source = value
        elif name == "of":
            self.target = value
        elif name in ("bs", "ibs", "obs", "count", "skip", "iseek", "seek", "oseek"):
            self._set_number(name, value)
        else:
            self._set_words(name, value, word)

    def _set_number(self, name: str, value: str) -> None:
        if name in ("bs", "ibs", "obs"):
            size = self._number(value)
            if not 0 < size <= _MAX_BLOCK:
                raise UsageError(f"invalid number: {quote_typographic(value)}", hint=False)
            if name != "obs":
                self.input_block = size
            if name != "ibs":
                self.output_block = size
        elif name == "count":
            self.count = self._number(value)
        elif name in ("skip", "iseek"):
            self.skip = self._number(value)
        else:
            self.seek = self._number(value)

    def _set_words(self, name: str, value: str, word: str) -> None:
        if name == "conv":
            self.conversions |= self._words(value, _CONVERSIONS, "conversion")
        elif name in ("iflag", "oflag"):
            self.flags[name] |= self._words(
                value, _FLAGS, "input flag" if name == "iflag" else "output flag"
            )
        elif name == "status":
            if value not in ("none", "noxfer", "progress"):
                raise UsageError(f"invalid status level: {quote_typographic(value)}")
            self.status = value
        elif name != "cbs":
            raise UsageError(f"unrecognized operand {quote_typographic(word)}")

    def _number(self, text: str) -> int:
        total = 1
        for part in text.split("x"):
            match = re.fullmatch(r"\s*(\d+)(c|w|.*)", part, re.ASCII)
            size = None
            if match:
                scale = {"c": 1, "w": 2, "": 1}.get(match[2])
                size = (
                    int(match[1][:20]) * scale
                    if scale
                    else parse_size(
                        part.rstrip("B") if part.endswith("B") and part[:-1].isdigit() else part
                    )
                )
            if size is None:
                raise UsageError(f"invalid number: {quote_typographic(text)}", hint=False)
            total *= size
        return total

    def _words(self, value: str, known: frozenset[str], what: str) -> set[str]:
        words = set(value.split(","))
        unknown = sorted(words - known)
        if unknown:
            raise UsageError(f"invalid {what}: {quote_typographic(unknown[0])}")
        return words


@failing
def run_dd(call: Invocation) -> int:
    copy = _Copy(call.operands)
    unsupported = copy.conversions & {"ascii", "ebcdic", "ibm", "block", "unblock"}
    if unsupported:
        raise Failure(f"conversion {quote_typographic(min(unsupported))} is not supported here")
    if _truncates_its_source(call, copy):
        require_write(call, copy.target, b"")
    data, whole, partial = _read(call, copy)
    data = _converted(data, copy)
    if copy.target in {"-", "/dev/stdout"}:
        with BufferedOutput(call.stdout) as out:
            out.write(data)
    else:
        _store(call, copy, data)
    if copy.status != "none":
        written, rest = divmod(len(data), copy.output_block)
        call.stderr.write(
            f"{whole}+{partial} records in\n{written}+{bool(rest):d} records out\n".encode()
        )
        if copy.status != "noxfer":
            call.stderr.write(_summary(len(data)).encode())
    return 0


def _truncates_its_source(call: Invocation, copy: _Copy) -> bool:
    """Whether the file that is read is emptied before: it is what is written, too."""
    if "-" in (copy.source, copy.target) or copy.seek or "notrunc" in copy.conversions:
        return False
    source, target = (call.context.resolve(name) for name in (copy.source, copy.target))
    files = call.context.files
    return source == target and files.exists(source) and files.stat(source).kind == "file"


def _read(call: Invocation, copy: _Copy) -> tuple[bytes, int, int]:
    try:
        source = open_input(call, copy.source, dash=True)
    except VshellError as error:
        raise Failure(f"failed to open {quote(copy.source)}: {reason(error)}") from None
    block = copy.input_block
    skip = copy.skip if "skip_bytes" in copy.flags["iflag"] else copy.skip * block
    limit = copy.count
    if limit is not None and "count_bytes" not in copy.flags["iflag"]:
        limit *= block
    while skip > 0 and (piece := source.read(min(skip, _MAX_BLOCK))):
        skip -= len(piece)
    parts, size = [], 0
    while limit is None or size < limit:
        piece = source.read(1024 * 1024 if limit is None else min(limit - size, 1024 * 1024))
        if not piece:
            break
        parts.append(piece)
        size += len(piece)
    whole, rest = divmod(size, block)
    return b"".join(parts), whole, int(bool(rest))


def _converted(data: bytes, copy: _Copy) -> bytes:
    if "swab" in copy.conversions:
        even = len(data) // 2 * 2
        swapped = bytearray(data)
        swapped[0:even:2], swapped[1:even:2] = data[1:even:2], data[0:even:2]
        data = bytes(swapped)
    if "lcase" in copy.conversions:
        data = data.lower()
    if "ucase" in copy.conversions:
        data = data.upper()
    if "sync" in copy.conversions:
        data += bytes(-len(data) % copy.input_block)
    return data


def _store(call: Invocation, copy: _Copy, data: bytes) -> None:
    context = call.context
    files = context.files
    path = context.resolve(copy.target)
    if path == "/dev/null":
        return
    seek = copy.seek if "seek_bytes" in copy.flags["oflag"] else copy.seek * copy.output_block
    exists = files.exists(path)
    if "excl" in copy.conversions and exists:
        raise Failure(f"failed to open {quote(copy.target)}: File exists")
    if "nocreat" in copy.conversions and not exists:
        raise Failure(f"failed to open {quote(copy.target)}: No such file or directory")
    try:
        with context.changing("dd"):
            context.require_seen(path)
            if "append" in copy.flags["oflag"]:
                seek = files.stat(path).size if exists else 0
            elif not exists or "notrunc" not in copy.conversions:
                kept = files.read(path, 0, seek) if exists and seek else b""
                files.write(path, kept + bytes(seek - len(kept)))
            written = files.write_at(path, seek, data)
            context.note_read(path, written.after.hex())
    except VshellError as error:
        raise Failure(f"failed to open {quote(copy.target)}: {reason(error)}") from None


def _summary(size: int) -> str:
    """The last line; the time of a copy within one file says nothing, so it is always one."""
    if size < 1000:
        return f"{size} byte{'' if size == 1 else 's'} copied, 0.0001 s, {size / 100:.1f} MB/s\n"
    sizes = f"{_human(size, 1000)}, {_human(size, 1024)}"
    return f"{size} bytes ({sizes}) copied, 0.0001 s, {size / 100:.1f} MB/s\n"


def _human(size: int, base: int) -> str:
    value, power = float(size), 0
    while value >= base:
        value, power = value / base, power + 1
    units = ("B", "kB", "MB", "GB") if base == 1000 else ("B", "KiB", "MiB", "GiB")
    return f"{value:.1f} {units[power]}" if value < 10 else f"{value:.0f} {units[power]}"


COMMANDS: Final = (
    Command(
        "iconv",
        "[OPTION...] [FILE...]",
        "Convert encoding of given files from one encoding to another.",
        run_iconv,
        options=(
            Option(("-f", "--from-code"), "Encoding of original text.", "NAME"),
            Option(("-t", "--to-code"), "Encoding for output.", "NAME"),
            Option(("-l", "--list"), "List some of the known coded character sets."),
            Option(("-c",), "Omit invalid characters from output."),
            Option(("-o", "--output"), "Output file.", "FILE"),
            Option(("-s", "--silent"), "Suppress warnings."),
        ),
    ),
    Command(
        "dd",
        "[OPERAND]...\n  or:  dd OPTION",
        "Copy a file, converting and formatting according to the operands.",
        run_dd,
        description=(
            "The operands are if, of, bs, ibs, obs, count, skip, seek, conv (lcase, ucase, swab,"
            " sync, notrunc, excl, nocreat, noerror, fsync, fdatasync), iflag, oflag, status."
        ),
    ),
)
