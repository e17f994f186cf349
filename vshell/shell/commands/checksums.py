"""Checksums of files: `cksum`, `sum`, `md5sum`, `sha1sum` and its relatives, `b2sum`."""

from __future__ import annotations

import functools
import hashlib
import re
from typing import Any, Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Input, Invocation, Option, UsageError
from vshell.shell.command_io import (
    Failure,
    each_input,
    failing,
    open_input,
    pieces,
    records,
    to_text,
)
from vshell.shell.messages import quote_if_needed, quote_typographic, reason

_LABELS: Final = {
    "md5": "MD5",
    "sha1": "SHA1",
    "sha224": "SHA224",
    "sha256": "SHA256",
    "sha384": "SHA384",
    "sha512": "SHA512",
    "blake2b": "BLAKE2b",
}
_CODERS: Final = {label: algorithm for algorithm, label in _LABELS.items()}
_NUMERIC: Final = ("bsd", "sysv", "crc")


def _hasher(algorithm: str, bits: int) -> Any:
    if algorithm == "blake2b":
        return hashlib.blake2b(digest_size=bits // 8)
    return hashlib.new(algorithm, usedforsecurity=False)


def _digest(source: Input, algorithm: str, bits: int) -> str:
    hasher = _hasher(algorithm, bits)
    for piece in pieces(source):
        hasher.update(piece)
    text: str = hasher.hexdigest()
    return text


# The plain sums.


@functools.cache
def _reversed_bits() -> bytes:
    return bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def posix_crc(source: Input) -> tuple[int, int]:
    """Return the CRC of POSIX's `cksum`, and the number of bytes.

    It is the CRC of zlib on reflected bits, whose last step and first value differ; the
    length, lowest byte first, is a part of what is summed.
    """
    import zlib

    table = _reversed_bits()
    value, size = 0xFFFFFFFF, 0
    for piece in pieces(source):
        value = zlib.crc32(piece.translate(table), value)
        size += len(piece)
    length = size.to_bytes((size.bit_length() + 7) // 8, "little")
    value = zlib.crc32(length.translate(table), value)
    return int(f"{value:032b}"[::-1], 2), size


def _bsd_sum(source: Input) -> tuple[int, int]:
    value, size = 0, 0
    for piece in pieces(source):
        size += len(piece)
        for byte in piece:
            value = ((value >> 1) + ((value & 1) << 15) + byte) & 0xFFFF
    return value, size


def _sysv_sum(source: Input) -> tuple[int, int]:
    total, size = 0, 0
    for piece in pieces(source):
        total += sum(piece)
        size += len(piece)
    folded = (total & 0xFFFF) + ((total & 0xFFFFFFFF) >> 16)
    return (folded & 0xFFFF) + (folded >> 16), size


def _numeric_line(source: Input, algorithm: str, name: str, *, named: bool) -> str:
    if algorithm == "crc":
        value, size = posix_crc(source)
        return f"{value} {size} {name}" if named else f"{value} {size}"
    if algorithm == "sysv":
        value, size = _sysv_sum(source)
        line = f"{value} {-(-size // 512)}"
    else:
        value, size = _bsd_sum(source)
        line = f"{value:05d} {-(-size // 1024):5d}"
    return f"{line} {name}" if named else line


# Printing.


def _escaped(name: str) -> tuple[str, str]:
    """Return what marks an escaped line, and the name as it stands in it."""
    if any(letter in name for letter in "\\\n\r"):
        shown = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        return "\\", shown
    return "", name


def _line(call: Invocation, digest: str, label: str, name: str, *, tagged: bool) -> str:
    zero = call.parsed.flag("zero")
    mark, shown = ("", name) if zero else _escaped(name)
    end = "\0" if zero else "\n"
    if tagged:
        return f"{mark}{label} ({shown}) = {digest}{end}"
    kind = "*" if call.parsed.last("binary", "text") == "binary" else " "
    return f"{mark}{digest} {kind}{shown}{end}"


def _print(call: Invocation, algorithm: str, bits: int, *, tagged: bool) -> int:
    failures: list[str] = []
    label = _LABELS.get(algorithm, algorithm)
    if algorithm == "blake2b" and bits != 512:
        label = f"{label}-{bits}"
    names = call.operands
    for name, source in each_input(call, names, failures):
        if algorithm in _NUMERIC:
            named = bool(names)
            end = "\0" if call.parsed.flag("zero") else "\n"
            call.write(_numeric_line(source, algorithm, name, named=named) + end)
        else:
            digest = _digest(source, algorithm, bits)
            call.write(_line(call, digest, label, name, tagged=tagged))
    return 1 if failures else 0


# Checking.

_TAGGED: Final = re.compile(
    r"(\\?)([A-Za-z0-9]+)(?:-(\d+))? ?\((.*)\) = ([0-9a-fA-F]+)$", re.DOTALL
)
_PLAIN: Final = re.compile(r"(\\?)([0-9a-fA-F]+) [ *]?(.+)$", re.DOTALL)


class _Checker:
    """Checks the lines of one list of checksums."""

    def __init__(self, call: Invocation, algorithm: str | None, bits: int) -> None:
        self.call = call
        self.algorithm = algorithm
        self.bits = bits
        self.good = self.bad = self.mismatched = self.unreadable = 0

    def check(self, number: int, line: str, listing: str) -> None:
        found = self._parse(line)
        if found is None:
            self.bad += 1
            if self.call.parsed.flag("warn"):
                label = _LABELS[self.algorithm] if self.algorithm else "CRC"
                self.call.complain(
                    f"{quote_if_needed(listing)}: {number}: improperly formatted"
                    f" {label} checksum line"
                )
            return
        name, expected, algorithm, bits = found
        self.good += 1
        self._compare(name, expected.lower(), algorithm, bits)

    def _parse(self, line: str) -> tuple[str, str, str, int] | None:
        tagged = _TAGGED.match(line)
        if tagged:
            mark, label, given, name, expected = tagged.groups()
            algorithm = _CODERS.get(label)
            bits = int(given) if given else 512
        else:
            plain = _PLAIN.match(line)
            if plain is None or self.algorithm is None:
                return None
            mark, expected, name = plain.groups()
            algorithm, bits = self.algorithm, len(expected) * 4
        if algorithm is None or self.algorithm not in (None, algorithm):
            return None
        if not self._is_size(algorithm, bits, len(expected)):
            return None
        if mark:
            name = name.replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")
        return name, expected, algorithm, bits

    def _is_size(self, algorithm: str, bits: int, digits: int) -> bool:
        if algorithm == "blake2b":
            return bits % 8 == 0 and 0 < bits <= 512 and digits == bits // 4
        size: int = _hasher(algorithm, 0).digest_size
        return digits == 2 * size

    def _compare(self, name: str, expected: str, algorithm: str, bits: int) -> None:
        call, parsed = self.call, self.call.parsed
        mark, shown = _escaped(name)
        try:
            actual = _digest(open_input(call, name), algorithm, bits)
        except VshellError as error:
            if parsed.flag("ignore-missing") and error.code == "not_found":
                self.good -= 1
                return
            call.complain(f"{quote_if_needed(name)}: {reason(error)}")
            self.unreadable += 1
            if not parsed.flag("status"):
                call.write(f"{mark}{shown}: FAILED open or read\n")
            return
        if actual != expected:
            self.mismatched += 1
            if not parsed.flag("status"):
                call.write(f"{mark}{shown}: FAILED\n")
        elif not parsed.flag("status") and not parsed.flag("quiet"):
            call.write(f"{mark}{shown}: OK\n")

    def finish(self, listing: str, *, seen: bool) -> bool:
        """Complain of what was wrong on the whole; return whether all was well."""
        call, parsed = self.call, self.call.parsed
        name = quote_if_needed(listing)
        if not self.good and not seen:
            call.complain(f"{name}: no properly formatted checksum lines found")
            return False
        if not parsed.flag("status"):
            self._warn(self.bad, "line is improperly formatted", "lines are improperly formatted")
            self._warn(
                self.unreadable, "listed file could not be read", "listed files could not be read"
            )
            self._warn(
                self.mismatched,
                "computed checksum did NOT match",
                "computed checksums did NOT match",
            )
            if not self.good:
                call.complain(f"{name}: no file was verified")
        strict = parsed.flag("strict") and self.bad
        return not (self.mismatched or self.unreadable or strict or not self.good)

    def _warn(self, count: int, one: str, many: str) -> None:
        if count:
            self.call.complain(f"WARNING: {count} {one if count == 1 else many}")


def _check(call: Invocation, algorithm: str | None, bits: int) -> int:
    failures: list[str] = []
    clean = True
    for listing, source in each_input(call, call.operands, failures):
        shown = "standard input" if listing == "-" else listing
        checker = _Checker(call, algorithm, bits)
        seen = False
        for number, raw in enumerate(records(source), 1):
            line = to_text(raw.removesuffix(b"\n").removesuffix(b"\r"))
            if line.startswith("#"):
                continue
            good = checker.good
            checker.check(number, line, shown)
            seen = seen or (checker.good >= good and not checker.bad)
        clean = checker.finish(shown, seen=seen) and clean
    return 0 if clean and not failures else 1


# The commands.

_ONLY_CHECKING: Final = ("ignore-missing", "quiet", "status", "warn", "strict")


def _require_checking(call: Invocation) -> None:
    for name in _ONLY_CHECKING:
        if call.parsed.flag(name):
            raise UsageError(f"the --{name} option is meaningful only when verifying checksums")


def _digest_command(name: str, algorithm: str) -> Command:
    @failing
    def run(call: Invocation) -> int:
        parsed = call.parsed
        bits = _length(call, algorithm)
        if parsed.flag("check"):
            if parsed.flag("tag"):
                raise UsageError("the --tag option is meaningless when verifying checksums")
            return _check(call, algorithm, bits)
        _require_checking(call)
        if parsed.flag("tag") and parsed.last("text", "tag") == "text":
            raise UsageError("--tag does not support --text mode")
        return _print(call, algorithm, bits, tagged=parsed.flag("tag"))

    label = _LABELS[algorithm]
    length = (Option(("-l", "--length"), "Digest length in bits, a multiple of 8.", "BITS"),)
    return Command(
        name,
        "[OPTION]... [FILE]...",
        f"Print or check {label} checksums.",
        run,
        options=_OPTIONS + (length if algorithm == "blake2b" else ()),
    )


def _length(call: Invocation, algorithm: str) -> int:
    if algorithm != "blake2b":
        return 0
    given = call.parsed.value("length", "0") or ""
    if not given.isascii() or not given.isdigit():
        raise Failure(f"invalid length: {quote_typographic(given)}")
    bits = int(given[:9])
    if bits % 8:
        call.complain(f"invalid length: {quote_typographic(given)}")
        raise Failure("length is not a multiple of 8")
    if bits > 512:
        call.complain(f"invalid length: {quote_typographic(given)}")
        raise Failure("maximum digest length for ‘BLAKE2b’ is 512 bits")
    return bits or 512


_ALGORITHMS: Final = (*_NUMERIC, *_LABELS)


@failing
def run_cksum(call: Invocation) -> int:
    parsed = call.parsed
    given = parsed.value("algorithm")
    algorithm = "crc" if given is None else (given if given in _ALGORITHMS else None)
    if algorithm is None:
        choices = "\n".join(f"  - {quote_typographic(each)}" for each in (*_ALGORITHMS, "sm3"))
        raise UsageError(
            f"invalid argument {quote_typographic(given or '')} for"
            f" {quote_typographic('--algorithm')}\nValid arguments are:\n{choices}"
        )
    if parsed.flag("length") and algorithm != "blake2b":
        raise UsageError("--length is only supported with --algorithm=blake2b")
    if parsed.flag("check"):
        if algorithm in _NUMERIC and given is not None:
            raise UsageError("--check is not supported with --algorithm={bsd,sysv,crc}", hint=False)
        return _check(call, None if given is None else algorithm, 512)
    _require_checking(call)
    tagged = parsed.last("tag", "untagged") != "untagged"
    return _print(call, algorithm, _length(call, algorithm), tagged=tagged)


def run_sum(call: Invocation) -> int:
    return _print(
        call, "sysv" if call.parsed.last("r", "sysv") == "sysv" else "bsd", 0, tagged=False
    )


_CHECKING: Final = (
    Option(("-c", "--check"), "Read checksums from the FILEs and check them."),
    Option(("--ignore-missing",), "Do not fail or report status for missing files."),
    Option(("--quiet",), "Do not print OK for each verified file."),
    Option(("--status",), "Do not output anything, the exit code shows success."),
    Option(("--strict",), "Exit non-zero for improperly formatted lines."),
    Option(("-w", "--warn"), "Warn about improperly formatted lines."),
)
_OPTIONS: Final = (
    Option(("-b", "--binary"), "Mark the files as read in binary mode."),
    Option(("-t", "--text"), "Mark the files as read in text mode (default)."),
    Option(("--tag",), "Create a BSD-style checksum."),
    Option(("-z", "--zero"), "End each output line with NUL, and do not escape names."),
    *_CHECKING,
)
_DIGESTS: Final = {
    "md5sum": "md5",
    "sha1sum": "sha1",
    "sha224sum": "sha224",
    "sha256sum": "sha256",
    "sha384sum": "sha384",
    "sha512sum": "sha512",
    "b2sum": "blake2b",
}

COMMANDS: Final = (
    *(_digest_command(name, algorithm) for name, algorithm in _DIGESTS.items()),
    Command(
        "cksum",
        "[OPTION]... [FILE]...",
        "Print or verify checksums; by default the 32-bit CRC of POSIX.",
        run_cksum,
        options=(
            Option(("-a", "--algorithm"), "The digest: bsd, sysv, crc, md5, sha1, ...", "TYPE"),
            Option(("-l", "--length"), "Digest length in bits, a multiple of 8.", "BITS"),
            Option(("--tag",), "Create a BSD-style checksum (default)."),
            Option(("--untagged",), "Create a reversed style checksum, without the digest type."),
            Option(("-z", "--zero"), "End each output line with NUL, and do not escape names."),
            *_CHECKING,
        ),
    ),
    Command(
        "sum",
        "[OPTION]... [FILE]...",
        "Print checksum and block counts for each FILE.",
        run_sum,
        options=(
            Option(("-r",), "Use the BSD algorithm and 1 KiB blocks (default)."),
            Option(("-s", "--sysv"), "Use the System V algorithm and 512-byte blocks."),
        ),
    ),
)
