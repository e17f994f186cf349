"""`base64`, `base32` and `basenc`: bytes as text, and back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from vshell.shell.command import Command, Input, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, Failure, failing, pieces, require_input
from vshell.shell.messages import quote_typographic

_Z85: Final = (
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)
_STEP: Final = 120 * 1024
"""Divisible by what every encoding takes at once."""


@dataclass(frozen=True, slots=True)
class _Encoding:
    """A way to write bytes as text.

    Attributes:
        encode: Encodes a whole number of groups, or the last bytes.
        decode: The reverse.
        alphabet: What may stand in encoded text, without the padding.
        group: How many characters are decoded at once.
        unit: How many bytes are encoded at once; 1 is any number.
        padding: Whether `=` fills up the last group.
    """

    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]
    alphabet: bytes
    group: int
    unit: int = 1
    padding: bool = True


def _bits(data: bytes, *, last_first: bool) -> bytes:
    texts = (f"{byte:08b}" for byte in data)
    return "".join(text[::-1] if last_first else text for text in texts).encode()


def _from_bits(data: bytes, *, last_first: bool) -> bytes:
    groups = (data[place : place + 8].decode() for place in range(0, len(data), 8))
    return bytes(int(group[::-1] if last_first else group, 2) for group in groups)


def _encode_z85(data: bytes) -> bytes:
    if len(data) % 4:
        raise Failure("invalid input (length must be multiple of 4 characters)")
    result = bytearray()
    for place in range(0, len(data), 4):
        value = int.from_bytes(data[place : place + 4], "big")
        result += bytes(_Z85[value // 85**power % 85] for power in (4, 3, 2, 1, 0))
    return bytes(result)


def _decode_z85(data: bytes) -> bytes:
    result = bytearray()
    for place in range(0, len(data), 5):
        value = 0
        for letter in data[place : place + 5]:
            value = value * 85 + _Z85.index(letter)
        if value >= 2**32 or len(data) - place < 5:
            raise binascii.Error
        result += value.to_bytes(4, "big")
    return bytes(result)


def _decode_base64(data: bytes) -> bytes:
    return base64.b64decode(data, validate=True)


def _swapped(decode: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    table = bytes.maketrans(b"-_", b"+/")
    return lambda data: decode(data.translate(table))


_UPPER: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS: Final = _UPPER + _UPPER.lower() + b"0123456789"
_ENCODINGS: Final = {
    "base64": _Encoding(base64.b64encode, _decode_base64, _LETTERS + b"+/", 4),
    "base64url": _Encoding(base64.urlsafe_b64encode, _swapped(_decode_base64), _LETTERS + b"-_", 4),
    "base32": _Encoding(base64.b32encode, base64.b32decode, _UPPER + b"234567", 8),
    "base32hex": _Encoding(
        base64.b32hexencode, base64.b32hexdecode, b"0123456789" + _UPPER[:22], 8
    ),
    "base16": _Encoding(base64.b16encode, base64.b16decode, b"0123456789ABCDEF", 2, padding=False),
    "base2msbf": _Encoding(
        lambda data: _bits(data, last_first=False),
        lambda data: _from_bits(data, last_first=False),
        b"01",
        8,
        padding=False,
    ),
    "base2lsbf": _Encoding(
        lambda data: _bits(data, last_first=True),
        lambda data: _from_bits(data, last_first=True),
        b"01",
        8,
        padding=False,
    ),
    "z85": _Encoding(_encode_z85, _decode_z85, _Z85, 5, unit=4, padding=False),
}


def _encoded(source: Input, encoding: _Encoding) -> Iterator[bytes]:
    held = b""
    for piece in pieces(source):
        held += piece
        whole = len(held) // _STEP * _STEP
        if whole:
            yield encoding.encode(held[:whole])
            held = held[whole:]
    if held:
        yield encoding.encode(held)


def _wrapped(parts: Iterator[bytes], width: int) -> Iterator[bytes]:
    if not width:
        yield from parts
        return
    column = 0
    for part in parts:
        start = width - column
        lines = [part[:start]] if part else []
        lines += [part[place : place + width] for place in range(start, len(part), width)]
        for index, line in enumerate(lines):
            if index or column == width:
                yield b"\n"
                column = 0
            yield line
            column += len(line)
    if column:
        yield b"\n"


def _decoded(source: Input, encoding: _Encoding, *, ignore: bool) -> Iterator[bytes]:
    allowed = encoding.alphabet + (b"=" if encoding.padding else b"")
    garbage = bytes(byte for byte in range(256) if byte not in allowed)
    held = b""
    for piece in pieces(source):
        data = piece.translate(None, garbage if ignore else b"\n")
        held += data
        # The last group stays: it may have padding, or not be whole.
        whole = max(len(held) - 1, 0) // encoding.group * encoding.group
        if whole:
            yield from _decode_groups(held[:whole], encoding)
            held = held[whole:]
    if held:
        yield from _decode_groups(held, encoding, last=True)


def _decode_groups(data: bytes, encoding: _Encoding, *, last: bool = False) -> Iterator[bytes]:
    """Yield what is good, and complain about the rest."""
    if encoding.padding and b"=" in data[: -encoding.group]:
        # Padded parts one after the other, as `cat` makes them.
        for place in range(0, len(data), encoding.group):
            yield from _one_group(data[place : place + encoding.group], encoding)
        return
    try:
        yield encoding.decode(data)
    except (ValueError, binascii.Error):
        for place in range(0, len(data), encoding.group):
            yield from _one_group(data[place : place + encoding.group], encoding)
        if not last:
            raise Failure("invalid input") from None


def _one_group(group: bytes, encoding: _Encoding) -> Iterator[bytes]:
    try:
        yield encoding.decode(group)
    except (ValueError, binascii.Error):
        for size in range(encoding.group - 1, 1, -1):
            part = group[:size].rstrip(b"=")
            if not encoding.padding or any(byte not in encoding.alphabet for byte in part):
                continue
            try:
                good = encoding.decode(part + b"=" * (encoding.group - len(part)))
            except (ValueError, binascii.Error):
                continue
            yield good
            break
        raise Failure("invalid input") from None


def _run(call: Invocation, encoding: _Encoding) -> int:
    parsed = call.parsed
    wrap = parsed.value("wrap", "76") or ""
    if not wrap.isascii() or not wrap.isdigit():
        raise UsageError(f"invalid wrap size: {quote_typographic(wrap)}", hint=False)
    if len(call.operands) > 1:
        raise UsageError(f"extra operand {quote_typographic(call.operands[1])}")
    source = require_input(call, call.operands[0] if call.operands else "-")
    with BufferedOutput(call.stdout) as out:
        if parsed.flag("decode"):
            parts = _decoded(source, encoding, ignore=parsed.flag("ignore-garbage"))
        else:
            parts = _wrapped(_encoded(source, encoding), min(int(wrap[:18]), 2**31))
        for part in parts:
            out.write(part)
    return 0


@failing
def run_base64(call: Invocation) -> int:
    return _run(call, _ENCODINGS["base64"])


@failing
def run_base32(call: Invocation) -> int:
    return _run(call, _ENCODINGS["base32"])


@failing
def run_basenc(call: Invocation) -> int:
    chosen = call.parsed.last(*_ENCODINGS)
    if chosen is None:
        raise UsageError("missing encoding type")
    return _run(call, _ENCODINGS[chosen])


_OPTIONS: Final = (
    Option(("-d", "--decode"), "Decode data."),
    Option(("-i", "--ignore-garbage"), "When decoding, ignore non-alphabet characters."),
    Option(("-w", "--wrap"), "Wrap encoded lines after COLS characters; 0 never.", "COLS"),
)
_HELP: Final = {
    "base64": "Same as the 'base64' program.",
    "base64url": "File- and url-safe base64.",
    "base32": "Same as the 'base32' program.",
    "base32hex": "Extended hex alphabet base32.",
    "base16": "Hex encoding.",
    "base2msbf": "Bit string, most significant bit first.",
    "base2lsbf": "Bit string, least significant bit first.",
    "z85": "Ascii85-like encoding of ZeroMQ.",
}

COMMANDS: Final = (
    Command(
        "base64",
        "[OPTION]... [FILE]",
        "Base64 encode or decode FILE.",
        run_base64,
        options=_OPTIONS,
    ),
    Command(
        "base32",
        "[OPTION]... [FILE]",
        "Base32 encode or decode FILE.",
        run_base32,
        options=_OPTIONS,
    ),
    Command(
        "basenc",
        "[OPTION]... [FILE]",
        "Encode or decode FILE in one of several encodings.",
        run_basenc,
        options=(*(Option((f"--{name}",), text) for name, text in _HELP.items()), *_OPTIONS),
    ),
)
