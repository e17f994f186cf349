"""What commands read and write: files by name, lines, numbers, and GNU's way to complain.

A name leads to standard input (`-`, `/dev/stdin`), to one of a few devices, or to a file
of the workspace; never to anything of the host.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol, Self

from vshell.errors import VshellError
from vshell.shell.command import Input, Invocation, Option, Output, Parsed, UsageError
from vshell.shell.messages import quote_if_needed, quote_typographic, reason

PIECE_BYTES: Final = 256 * 1024
_WHOLE_BYTES: Final = 4 * 1024 * 1024
"""Files up to this size are read at once, larger ones step by step."""


class BufferedOutput:
    """Hands on what is written in large pieces; as a context manager, the rest at the end."""

    __slots__ = ("_output", "_parts", "_size")

    def __init__(self, output: Output) -> None:
        self._output = output
        self._parts: list[bytes] = []
        self._size = 0
        holders = getattr(output, "holders", None)
        if holders is not None:  # what is complained about comes after what is held here
            holders.append(self.flush)

    def write(self, data: bytes, /) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size >= PIECE_BYTES:
            self.flush()

    def flush(self) -> None:
        data = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        if data:
            self._output.write(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, (BrokenPipeError, KeyboardInterrupt)):
            self.flush()


class _FileInput(io.RawIOBase):
    """A large file of the workspace, read step by step."""

    def __init__(self, call: Invocation, path: str) -> None:
        super().__init__()
        self._files = call.context.files
        self._path = path
        self._offset = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        data = self._files.read(self._path, self._offset, len(buffer))
        buffer[: len(data)] = data
        self._offset += len(data)
        return len(data)


class _Endless(io.RawIOBase):
    """`/dev/zero` and `/dev/urandom`."""

    def __init__(self, *, random: bool) -> None:
        super().__init__()
        self._random = random

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        size = len(buffer)
        buffer[:] = os.urandom(size) if self._random else bytes(size)
        return size


def open_input(call: Invocation, name: str, *, dash: bool = True) -> Input:
    """Return what a name stands for, to be read.

    Args:
        call: The command's run.
        name: The name as it was typed.
        dash: Whether `-` is standard input.

    Raises:
        VshellError: It cannot be read: it is missing, a directory, ...
    """
    if (dash and name == "-") or name in ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
        return call.stdin
    devices = call.services.get("inputs")
    if devices is not None and (device := devices(name)) is not None:
        found: Input = device
        return found
    path = call.context.resolve(name)
    if path == "/dev/null":
        return io.BytesIO()
    if path in ("/dev/zero", "/dev/urandom", "/dev/random"):
        return io.BufferedReader(_Endless(random=path != "/dev/zero"), PIECE_BYTES)
    files = call.context.files
    if call.context.require_read:
        call.context.note_read(path, files.stat(path).hash)
    if not files.exists(path) or files.stat(path).size <= _WHOLE_BYTES:
        return io.BytesIO(files.read(path))
    return io.BufferedReader(_FileInput(call, path), PIECE_BYTES)


def read_all(call: Invocation, name: str) -> bytes:
    """Return all the bytes that a name stands for; errors as `open_input`."""
    return open_input(call, name).read()


def pieces(source: Input) -> Iterator[bytes]:
    """Yield the bytes of a source in large pieces."""
    while data := source.read(PIECE_BYTES):
        yield data


def records(source: Input, separator: bytes = b"\n") -> Iterator[bytes]:
    """Yield lines with their ends; the last one may have none.

    Args:
        source: Where they come from.
        separator: What ends one: one byte.
    """
    if separator == b"\n":
        yield from source
        return
    rest = b""
    for piece in pieces(source):
        *whole, rest = (rest + piece).split(separator)
        for record in whole:
            yield record + separator
    if rest:
        yield rest


def stripped(lines: Iterable[bytes], separator: bytes = b"\n") -> Iterator[bytes]:
    """Yield lines without their ends."""
    for line in lines:
        yield line.removesuffix(separator)


class Failure(Exception):  # noqa: N818 - the end of a command, not a fault of the program
    """Ends a command after a complaint.

    Args:
        message: What is complained, without the command's name.
        status: The exit code.
    """

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class Runner(Protocol):
    def __call__(self, call: Invocation, /) -> int: ...


def failing(run: Runner) -> Runner:
    """Let a command end by raising `Failure`."""

    def guarded(call: Invocation) -> int:
        try:
            return run(call)
        except Failure as failure:
            call.complain(str(failure))
            return failure.status

    return guarded


def each_input(
    call: Invocation, names: Sequence[str], failures: list[str], *, form: str = "{name}: {reason}"
) -> Iterator[tuple[str, Input]]:
    """Yield each name with its source; complain of what cannot be read, and go on.

    Args:
        call: The command's run.
        names: The operands; none at all is standard input.
        failures: Gets the names that could not be read.
        form: The complaint.
    """
    for name in names or ("-",):
        try:
            source = open_input(call, name)
        except VshellError as error:
            call.complain(form.format(name=quote_if_needed(name), reason=reason(error)))
            failures.append(name)
            continue
        yield name, source


def require_input(call: Invocation, name: str, form: str = "{name}: {reason}") -> Input:
    """Return the source of a name.

    Raises:
        Failure: It cannot be read.
    """
    try:
        return open_input(call, name)
    except VshellError as error:
        raise Failure(form.format(name=quote_if_needed(name), reason=reason(error))) from None


def write_file(call: Invocation, name: str, data: bytes | Iterable[bytes]) -> None:
    """Give a file these bytes, under the command's name in the journal.

    Raises:
        VshellError: It cannot be written.
    """
    if name in ("/dev/stdout", "/dev/fd/1"):
        for piece in [data] if isinstance(data, bytes) else data:
            call.stdout.write(piece)
        return
    if name in ("/dev/stderr", "/dev/fd/2"):
        call.stderr.write(data if isinstance(data, bytes) else b"".join(data))
        return
    context = call.context
    path = context.resolve(name)
    if path == "/dev/null":
        return
    if not isinstance(data, bytes):
        # Outside the transaction: what gives the bytes may wait for another command.
        data = b"".join(data)
    with context.changing(call.name):
        context.require_seen(path)
        written = context.files.write(path, data)
        context.note_read(path, written.after.hex())


def require_write(
    call: Invocation, name: str, data: bytes | Iterable[bytes], form: str = "{name}: {reason}"
) -> None:
    """Give a file these bytes.

    Raises:
        Failure: It cannot be written.
    """
    try:
        write_file(call, name, data)
    except VshellError as error:
        raise Failure(form.format(name=quote_if_needed(name), reason=reason(error))) from None


# Numbers.

_SUFFIXES: Final = "KMGTPEZY"


def parse_size(text: str, *, suffixes: str = "bkKmMGTPEZY") -> int | None:
    """Read a number with a multiplier, such as `10`, `4k`, `2MB` or `1GiB`; None if it is none.

    `b` is 512, a letter alone or with `iB` a power of 1024, with `B` a power of 1000.
    """
    digits = len(text) - len(text.lstrip("0123456789"))
    if digits > 30:
        return None
    number, suffix = text[:digits], text[digits:]
    if not number:
        number = "1" if suffix and suffix[0] in suffixes else ""
    if not number:
        return None
    if not suffix:
        return int(number)
    if suffix == "b" and "b" in suffixes:
        return int(number) * 512
    letter, rest = suffix[0], suffix[1:]
    if letter not in suffixes or letter.upper() not in _SUFFIXES or rest not in ("", "B", "iB"):
        return None
    base = 1000 if rest == "B" else 1024
    return int(number) * int(base ** (_SUFFIXES.index(letter.upper()) + 1))


def required_size(text: str, message: str) -> int:
    """Read a number as `parse_size` does.

    Raises:
        UsageError: It is none; `message` gets the quoted text.
    """
    size = parse_size(text)
    if size is None:
        raise UsageError(message.format(quote_typographic(text)), hint=False)
    return size


DIGITS: Final = tuple(Option((f"-{digit}",), "", "N", optional=True) for digit in range(10))
"""Lets a command take a number for an option, such as `fold -72`; not shown in its help."""


def old_number(parsed: Parsed, *rivals: str) -> str | None:
    """Return the number that was given as an option, if it comes after all the rivals."""
    for name, value in reversed(parsed.given):
        if name.isdigit():
            return name + (value or "")
        if name in rivals:
            return None
    return None


def to_bytes(text: str) -> bytes:
    """Return the bytes that were typed."""
    return text.encode("utf-8", "surrogateescape")


def to_text(data: bytes) -> str:
    """Return bytes as text; `to_bytes` gives the same bytes back."""
    return data.decode("utf-8", "surrogateescape")
