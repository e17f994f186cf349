"""The record and its fields.

A record is a text until a field is asked for, and is put together again only when a field
was changed and the whole is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from vshell.shell.commands.awk.errors import AwkFatal
from vshell.shell.commands.awk.patterns import Pattern
from vshell.shell.commands.awk.values import PlainText, number

__all__ = ["Record", "Splitter", "has_odd_blanks", "split_blanks"]

MAX_FIELDS: Final = 10_000_000
Splitter = Callable[[str], list[str]]
_ODD_BLANKS: Final = "".join(
    map(chr, (0xB, 0xC, 0xD, 0x1C, 0x1D, 0x1E, 0x1F, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F))
) + "".join(map(chr, (0x205F, 0x3000, *range(0x2000, 0x200B))))
"""What Python takes for white space, and awk does not."""
_ODD: Final = re.compile(f"[{_ODD_BLANKS}]")
_ODD_BYTES: Final = _ODD_BLANKS[:7].encode()
_HIDDEN: Final = 0xE000
"""Where a private area begins; what is put there is put back."""
_HIDE: Final = {ord(blank): _HIDDEN + index for index, blank in enumerate(_ODD_BLANKS)}
_SHOW: Final = {hidden: chr(blank) for blank, hidden in _HIDE.items()}


def has_odd_blanks(text: str) -> bool:
    """Tell whether a text, perhaps a long one, has white space that awk does not split at."""
    if text.isascii():
        data = text.encode()
        return len(data.translate(None, _ODD_BYTES)) != len(data)
    return _ODD.search(text) is not None


def split_blanks(text: str, most: int = -1) -> list[str]:
    """Split at blanks, tabs and newlines; the rest after `most` splits stays in one piece."""
    if text.isprintable() or _ODD.search(text) is None:
        return text.split(None, most)
    return [each.translate(_SHOW) for each in text.translate(_HIDE).split(None, most)]


def text_splitter(separator: str) -> Splitter:
    """Return what splits at a text."""
    return lambda text: text.split(separator) if text else []


def pattern_splitter(pattern: Pattern) -> Splitter:
    """Return what splits at matches of a pattern that are not empty."""
    return lambda text: split_with_separators(text, pattern)[0] if text else []


def split_with_separators(text: str, pattern: Pattern) -> tuple[list[str], list[str]]:
    """Return what is between the matches of a pattern, and the matches."""
    pieces, separators = [], []
    place = 0
    for match in pattern.all(text):
        start, end = match.span()
        if start < end:
            pieces.append(text[place:start])
            separators.append(text[start:end])
            place = end
    pieces.append(text[place:])
    return pieces, separators


def content_splitter(pattern: Pattern) -> Splitter:
    """Return what takes the matches of a pattern for the fields, as FPAT does."""
    return lambda text: split_contents(text, pattern)[0]


def split_contents(text: str, pattern: Pattern) -> tuple[list[str], list[str]]:
    """Return the matches of a pattern, and what is before, between and after them."""
    pieces, between = [], []
    place = 0
    for match in pattern.matches(text):
        start, end = match.span()
        between.append(text[place:start])
        pieces.append(text[start:end])
        place = end
    between.append(text[place:])
    return pieces, between


def width_splitter(widths: str) -> Splitter:
    """Return what cuts a record into fields of given widths, as FIELDWIDTHS does.

    Raises:
        AwkFatal: It is no list of widths.
    """
    parts: list[tuple[int, int | None]] = []
    for word in widths.split():
        skip, colon, width = word.rpartition(":")
        if width == "*" and not colon:
            parts.append((0, None))
        elif not width.isdecimal() or (colon and not skip.isdecimal()):
            raise AwkFatal(f"invalid FIELDWIDTHS value, for field {len(parts) + 1}, near `{word}'")
        else:
            parts.append((int(skip or 0), int(width[:9])))

    def cut(text: str) -> list[str]:
        fields: list[str] = []
        place = 0
        for skip, width in parts:
            place += skip
            if place >= len(text):
                break
            end = len(text) if width is None else place + width
            fields.append(text[place:end])
            place = end
        return fields

    return cut


class Record:
    """`$0`, its fields and their number.

    Args:
        padding: How many fields there are at least, so that those that a program names can
            be taken without asking.
        most: How many of the fields are ever asked for; -1 when that is not known.

    Attributes:
        text: The record, unless a field was changed: see `whole`.
        fields: Its fields, padded; None until they are asked for.
        output_separator: What is put between fields when the record is put together.
    """

    __slots__ = (
        "_count",
        "_is_changed",
        "_is_odd",
        "_is_plain",
        "_most",
        "_padding",
        "_separator",
        "_splitter",
        "fields",
        "output_separator",
        "text",
    )

    def __init__(self, padding: int = 0, most: int = -1) -> None:
        self.text = ""
        self.fields: list[str] | None = None
        self.output_separator = " "
        self._most = most
        self._padding = padding
        self._splitter: Splitter = split_blanks
        self._separator: str | None = None
        self._is_odd = True
        self._is_plain = False
        self._count = 0
        self._is_changed = False

    # How records are split.

    def split_at(self, separator: str | None) -> None:
        """Split records at a text from now on; None stands for blanks."""
        most = self._most
        self._separator = separator
        self._is_plain = True
        if separator is None:
            self._is_plain = not self._is_odd
            self._splitter = lambda text: split_blanks(text, most)

    def split_by(self, splitter: Splitter) -> None:
        """Split records by a function from now on."""
        self._splitter = splitter
        self._separator = ""
        self._is_plain = False

    def note_blanks(self, *, odd: bool) -> None:
        """Note whether records may have white space that awk does not split at."""
        self._is_odd = odd
        if self._separator is None:
            self._is_plain = not odd

    def split(self) -> list[str]:
        """Split the record into fields, and return them."""
        text = self.text
        if self._is_plain:
            fields = text.split(self._separator, self._most) if text else []
        else:
            fields = self._splitter(text)
        self._count = count = len(fields)
        if count < self._padding:
            fields += [""] * (self._padding - count)
        self.fields = fields
        self._is_changed = False
        return fields

    def count(self) -> float:
        """Return NF."""
        if self.fields is None:
            self.split()
        return float(self._count)

    def whole(self) -> str:
        """Return `$0`."""
        if self.fields is not None and self._is_changed:
            self.text = self.output_separator.join(self.fields[: self._count])
            self._is_changed = False
        return self.text

    def last(self) -> str:
        """Return `$NF`."""
        fields = self.fields
        if fields is None:
            fields = self.split()
        return fields[self._count - 1] if self._count else self.whole()

    def get(self, index: object) -> str:
        """Return a field, by any value that is its number.

        Raises:
            AwkFatal: The number is negative.
        """
        place = int(index) if index.__class__ is float and 1.0 <= index < 1e6 else _place(index)
        if place == 0:
            return self.whole()
        fields = self.fields
        if fields is None:
            fields = self.split()
        return fields[place - 1] if place <= self._count else ""

    def put(self, index: object, text: str) -> None:
        """Set a field; the fields up to it are made, if they are not there.

        Raises:
            AwkFatal: The number is negative, or far too large.
        """
        place = _place(index)
        if place == 0:
            self.set(str(text))
        else:
            self.put_at(place, text)

    def put_at(self, place: int, text: str) -> str:
        """Set a field by its number, from 1 on; return the text."""
        fields = self.fields
        if fields is None:
            fields = self.split()
        if place > self._count:
            self.resize(float(place))
        fields[place - 1] = text
        self._is_changed = True
        return text

    def set(self, text: str) -> None:
        """Set `$0`."""
        self.text = text
        self.fields = None
        self.note_blanks(odd=True)

    def settle(self) -> None:
        """Split the record now, as what it is split by is about to change."""
        if self.fields is None:
            self.split()

    def resize(self, count: object) -> None:
        """Set NF: cut fields off, or add empty ones.

        Raises:
            AwkFatal: It is negative, or far too large.
        """
        wanted = number(count)
        if wanted < 0:
            raise AwkFatal("NF set to negative value")
        if not wanted <= MAX_FIELDS:
            raise AwkFatal("NF set to too large a value")
        if self.fields is None:
            self.split()
        assert self.fields is not None
        size = int(wanted)
        del self.fields[min(size, self._count) :]
        self.fields += [""] * (max(size, self._padding) - len(self.fields))
        self._count = size
        self._is_changed = True


def _place(index: object) -> int:
    wanted = number(index)
    if not 0 <= wanted <= MAX_FIELDS:
        if wanted > 0:
            raise AwkFatal(f"attempt to access field {wanted:.0f}: there cannot be so many")
        raise AwkFatal(f"attempt to access field {wanted:.0f}")
    return int(wanted)


def plain(text: str) -> PlainText:
    """Return a text that a program gave a field, which compares as a text."""
    return PlainText(text)
