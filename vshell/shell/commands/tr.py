"""`tr`: bytes translated, squeezed or deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import BufferedOutput, pieces, to_bytes, to_text
from vshell.shell.messages import quote_typographic

_LETTERS: Final = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
_LOWER: Final = bytes(range(97, 123))
_UPPER: Final = bytes(range(65, 91))
_DIGITS: Final = bytes(range(48, 58))
_PUNCTUATION: Final = bytes(byte for byte in range(33, 127) if not chr(byte).isalnum())
_CLASSES: Final = {
    "alnum": _DIGITS + _UPPER + _LOWER,
    "alpha": _UPPER + _LOWER,
    "blank": b"\t ",
    "cntrl": bytes((*range(32), 127)),
    "digit": _DIGITS,
    "graph": bytes(range(33, 127)),
    "lower": _LOWER,
    "print": bytes(range(32, 127)),
    "punct": _PUNCTUATION,
    "space": b"\t\n\v\f\r ",
    "upper": _UPPER,
    "xdigit": _DIGITS + b"ABCDEFabcdef",
}
_MANY: Final = 256


class _Set:
    """One of the two operands, read into the bytes that it stands for.

    `parts` are runs of bytes; a class keeps its name, as `[:lower:]` and `[:upper:]`
    have a meaning when they meet; `[x*]` is a run whose length the other set gives.
    """

    def __init__(self, text: str) -> None:
        self.parts: list[tuple[str, bytes]] = []
        self._units = _unescape(to_bytes(text))
        self._position = 0
        while self._position < len(self._units):
            self._next()

    def _literal(self, position: int, text: str) -> bool:
        part = self._units[position : position + len(text)]
        return len(part) == len(text) and all(
            not escaped and chr(byte) == letter
            for (byte, escaped), letter in zip(part, text, strict=True)
        )

    def _next(self) -> None:
        if self._literal(self._position, "[") and self._bracket():
            return
        units, start = self._units, self._position
        first = units[start][0]
        if self._literal(start + 1, "-") and start + 2 < len(units):
            last = units[start + 2][0]
            if last < first:
                shown = f"{_shown(first)}-{_shown(last)}"
                raise UsageError(
                    f"range-endpoints of '{shown}' are in reverse collating sequence order",
                    hint=False,
                )
            self.parts.append(("", bytes(range(first, last + 1))))
            self._position += 3
            return
        self.parts.append(("", bytes((first,))))
        self._position += 1

    def _bracket(self) -> bool:
        for mark in ":=":
            if self._literal(self._position + 1, mark) and self._named(mark):
                return True
        return self._repeat()

    def _named(self, mark: str) -> bool:
        start = self._position + 2
        end = next(
            (i for i in range(start, len(self._units) - 1) if self._literal(i, mark + "]")), None
        )
        if end is None:
            return False
        name = bytes(byte for byte, _ in self._units[start:end])
        if mark == "=" and not name and self._literal(end + 1, "=]"):
            end, name = end + 1, b"="
        if not name:
            if mark == ":":
                raise UsageError("missing character class name '[::]'", hint=False)
            raise UsageError("missing equivalence class character '[==]'", hint=False)
        if mark == ":":
            if self._repeat():
                return True
            found = _CLASSES.get(to_text(name))
            if found is None:
                raise UsageError(
                    f"invalid character class {quote_typographic(to_text(name))}", hint=False
                )
            self.parts.append((to_text(name), found))
        else:
            if len(name) != 1:
                if self._repeat():
                    return True
                raise UsageError(
                    f"{to_text(name)}: equivalence class operand must be a single character",
                    hint=False,
                )
            self.parts.append(("=", name))
        self._position = end + 2
        return True

    def _repeat(self) -> bool:
        start = self._position
        if not self._literal(start + 2, "*"):
            return False
        end = next((i for i in range(start + 3, len(self._units)) if self._literal(i, "]")), None)
        if end is None:
            return False
        digits = "".join(chr(byte) for byte, _ in self._units[start + 3 : end])
        if any(escaped for _, escaped in self._units[start + 3 : end]):
            return False
        base = 8 if digits.startswith("0") else 10
        if digits and not re.fullmatch("[0-7]*" if base == 8 else "[0-9]*", digits):
            raise UsageError(
                f"invalid repeat count {quote_typographic(digits)} in [c*n] construct", hint=False
            )
        count = int(digits, base) if digits else 0
        byte = bytes((self._units[start + 1][0],))
        self.parts.append(("*", byte) if not count else ("", byte * min(count, _MANY * 256)))
        self._position = end + 1
        return True

    def has(self, *kinds: str) -> bool:
        return any(kind in kinds for kind, _ in self.parts)

    @property
    def has_class(self) -> bool:
        return any(kind not in ("", "*", "=") for kind, _ in self.parts)

    def size(self) -> int:
        return sum(len(data) for kind, data in self.parts if kind != "*")

    def expanded(self, length: int | None = None) -> bytes:
        fill = max(0, (length or 0) - self.size())
        return b"".join(data * fill if kind == "*" else data for kind, data in self.parts)


def _unescape(data: bytes) -> list[tuple[int, bool]]:
    """Return the bytes, each with whether a backslash wrote it."""
    units: list[tuple[int, bool]] = []
    position = 0
    while position < len(data):
        byte = data[position]
        position += 1
        if byte != 92 or position == len(data):
            units.append((byte, False))
            continue
        octal = re.match(rb"[0-7]{1,3}", data[position : position + 3])
        if octal:
            digits = octal.group()
            if int(digits, 8) > 255:
                digits = digits[:2]
            units.append((int(digits, 8), True))
            position += len(digits)
            continue
        letter = chr(data[position])
        units.append((_LETTERS.get(letter, data[position]), True))
        position += 1
    return units


def _shown(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def run(call: Invocation) -> int:
    parsed = call.parsed
    delete, squeeze = parsed.flag("delete"), parsed.flag("squeeze-repeats")
    sets = _operands(call.operands, delete=delete, squeeze=squeeze)
    complement = parsed.flag("complement") or parsed.flag("C")
    first = _Set(sets[0])
    second = _Set(sets[1]) if len(sets) > 1 else None
    if first.has("*"):
        raise UsageError("the [c*] repeat construct may not appear in string1", hint=False)
    if second and sum(kind == "*" for kind, _ in second.parts) > 1:
        raise UsageError("only one [c*] repeat construct may appear in string2", hint=False)
    chosen = first.expanded()
    if complement:
        chosen = bytes(byte for byte in range(256) if byte not in chosen)
    table, dropped, squeezed = None, b"", b""
    if delete:
        dropped = chosen
        if squeeze and second:
            squeezed = second.expanded(256)
    elif second is None:
        squeezed = chosen
    else:
        target = _target(
            first, second, chosen, truncate=parsed.flag("truncate-set1"), complement=complement
        )
        table = _table(chosen, target)
        squeezed = second.expanded(len(chosen)) if squeeze else b""
    _translate(call, table, dropped, squeezed)
    return 0


def _operands(operands: tuple[str, ...], *, delete: bool, squeeze: bool) -> tuple[str, ...]:
    least = 2 if delete == squeeze else 1
    most = 1 if delete and not squeeze else 2
    if len(operands) < least:
        if not operands:
            raise UsageError("missing operand")
        why = (
            "Two strings must be given when both deleting and squeezing repeats."
            if squeeze
            else "Two strings must be given when translating."
        )
        raise UsageError(f"missing operand after {quote_typographic(operands[-1])}\n{why}")
    if len(operands) > most:
        extra = f"extra operand {quote_typographic(operands[most])}"
        if len(operands) == 2:
            extra += "\nOnly one string may be given when deleting without squeezing repeats."
        raise UsageError(extra)
    return operands


def _target(first: _Set, second: _Set, chosen: bytes, *, truncate: bool, complement: bool) -> bytes:
    if second.has("="):
        raise UsageError("[=c=] expressions may not appear in string2 when translating", hint=False)
    cases = ("lower", "upper")
    if any(kind not in ("", "*", *cases) for kind, _ in second.parts):
        raise UsageError(
            "when translating, the only character classes that may appear in\n"
            "string2 are 'upper' and 'lower'",
            hint=False,
        )
    if second.has_class:
        _check_cases(first, second, complement=complement)
    target = second.expanded(len(chosen))
    if (
        complement
        and first.has_class
        and len(set(target)) > 1
        and len(set(target[: len(chosen)])) != 1
    ):
        raise UsageError(
            "when translating with complemented character classes,\n"
            "string2 must map all characters in the domain to one",
            hint=False,
        )
    if not truncate and not second.parts:
        raise UsageError("when not truncating set1, string2 must be non-empty", hint=False)
    if truncate or len(target) >= len(chosen):
        return target
    if second.parts[-1][0] in cases:
        raise UsageError(
            "when translating with string1 longer than string2,\n"
            "the latter string must not end with a character class",
            hint=False,
        )
    return target + target[-1:] * (len(chosen) - len(target))


def _check_cases(first: _Set, second: _Set, *, complement: bool) -> None:
    """A class in the second set must stand where the first has one."""
    offset = 0
    places = {}
    for kind, data in first.parts:
        places[offset] = kind
        offset += len(data)
    offset = 0
    for kind, data in second.parts:
        if kind in ("lower", "upper") and (
            complement or places.get(offset) not in ("lower", "upper")
        ):
            raise UsageError("misaligned [:upper:] and/or [:lower:] construct", hint=False)
        offset += len(data)


def _table(chosen: bytes, target: bytes) -> bytes:
    table = bytearray(range(256))
    for source, result in zip(chosen, target, strict=False):
        table[source] = result
    return bytes(table)


def _translate(call: Invocation, table: bytes | None, dropped: bytes, squeezed: bytes) -> None:
    squeeze = _squeezer(squeezed) if squeezed else None
    with BufferedOutput(call.stdout) as out:
        for piece in pieces(call.stdin):
            data = piece.translate(table, dropped)
            if squeeze is not None:
                data = squeeze(data)
            if data:
                out.write(data)


def _squeezer(squeezed: bytes) -> Callable[[bytes], bytes]:
    members = b"".join(b"\\x%02x" % byte for byte in sorted(set(squeezed)))
    pattern = re.compile(rb"([%s])\1+" % members, re.DOTALL)
    last = b""

    def squeeze(data: bytes) -> bytes:
        nonlocal last
        data = pattern.sub(rb"\1", data)
        if data and last and data[:1] == last and last[0] in squeezed:
            data = data[1:]
        if data:
            last = data[-1:]
        return data

    return squeeze


COMMANDS: Final = (
    Command(
        "tr",
        "[OPTION]... STRING1 [STRING2]",
        "Translate, squeeze, and/or delete characters from standard input.",
        run,
        options=(
            Option(("-c", "--complement"), "Use the complement of STRING1."),
            Option(("-C",), "The same."),
            Option(("-d", "--delete"), "Delete characters in STRING1, do not translate."),
            Option(
                ("-s", "--squeeze-repeats"), "Replace each sequence of a repeated character by one."
            ),
            Option(("-t", "--truncate-set1"), "First truncate STRING1 to the length of STRING2."),
        ),
        permute=False,
    ),
)
