"""What `pr` is asked for; the options have grown over decades and depend on each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from vshell.shell.command import Parsed, UsageError
from vshell.shell.messages import quote_typographic

_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_PAGES: Final = re.compile(r"\+([0-9]{1,9}(?::[0-9]{1,9})?)")
_TAB: Final = 8
HEADER_LINES: Final = 5
"""How many lines a header has, and a trailer."""
_MAX_COLUMNS: Final = 10_000


@dataclass(slots=True)
class Settings:
    """How pages look.

    Attributes:
        first_page: The first page that is printed.
        last_page: The last one; None prints all.
        columns: How many columns stand beside each other.
        across: Whether lines fill rows first.
        parallel: Whether each column is a file of its own.
        has_header: Whether pages have a header and a trailer.
        form_feed: Whether pages end with one instead of with lines.
        keeps_form_feeds: Whether those of the input are printed.
        body: How many lines of text a page has.
        width: Of a page.
        truncates: Whether what does not fit is cut; else columns are not aligned.
        separator: What stands between columns; None where that is left to spaces.
        expands: Whether input tabs become spaces.
        tabifies: Whether spaces become tabs.
        input_tab: The tab of the input, and how wide it is.
        output_tab: That of the output.
        number_separator: What follows a line's number; None when there is none.
    """

    first_page: int = 1
    last_page: int | None = None
    columns: int = 1
    across: bool = False
    parallel: bool = False
    double: bool = False
    date_format: str = "%Y-%m-%d %H:%M"
    header: str | None = None
    has_header: bool = True
    form_feed: bool = False
    keeps_form_feeds: bool = False
    body: int = 0
    length: int = 66
    width: int = 72
    margin: int = 0
    truncates: bool = False
    joins: bool = False
    separator: str | None = None
    expands: bool = False
    tabifies: bool = False
    input_tab: tuple[str, int] = ("\t", _TAB)
    output_tab: tuple[str, int] = ("\t", _TAB)
    number_separator: str | None = None
    number_digits: int = 5
    first_number: int = 1
    shows: str = ""
    warns: bool = True

    @property
    def stores(self) -> bool:
        """Whether a page's lines are read before any is printed: columns go down."""
        return self.columns > 1 and not (self.parallel or self.across)

    @property
    def number_width(self) -> int:
        """How wide a number is together with what follows it."""
        if self.number_separator is None:
            return 0
        if self.number_separator == "\t":
            return self.number_digits + _TAB - self.number_digits % _TAB
        return self.number_digits + 1


def with_operands_as_options(words: Sequence[str]) -> list[str]:
    """Return words with `+2:5` in the form of an option."""
    found: list[str] = []
    for at, word in enumerate(words):
        if word == "--":
            return [*found, *words[at:]]
        pages = _PAGES.fullmatch(word)
        found.append(word if pages is None else f"--pages={pages[1]}")
    return found


def _with_columns(given: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, str | None]]:
    """Yield options, digits that follow each other as the number of columns that they are."""
    for is_digit, options in groupby(given, lambda each: each[0].isdigit()):
        if is_digit:
            yield "columns", "".join(name for name, _ in options)
        else:
            yield from options


def read_settings(parsed: Parsed) -> Settings:
    """Read the options.

    Raises:
        UsageError: They are wrong, or exclude each other.
    """
    settings = Settings()
    reader = _Reader(settings)
    for name, value in _with_columns(parsed.given):
        reader.take(name, value)
    return reader.finish(len(parsed.operands))


class _Reader:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._explicit_columns = False
        self._explicit_separator = False
        self._old_width = False
        self._old_separator = False
        self._old = False

    def take(self, name: str, value: str | None) -> None:
        settings = self._settings
        if name in _FLAGS:
            attribute, state = _FLAGS[name]
            setattr(settings, attribute, state)
        elif name in ("expand-tabs", "output-tabs", "number-lines"):
            self._take_tab(name, value)
        elif name in _NUMBERS:
            attribute, message, least = _NUMBERS[name]
            setattr(settings, attribute, _number(value, message, least))
            self._explicit_columns = self._explicit_columns or name == "columns"
        elif name == "pages":
            self._pages(value or "")
        elif name == "date-format":
            settings.date_format = value or ""
        elif name == "header":
            settings.header = value
        elif name in ("omit-header", "omit-pagination"):
            settings.has_header = False
            settings.keeps_form_feeds = name == "omit-header"
        else:
            self._take_width(name, value)

    def _take_tab(self, name: str, value: str | None) -> None:
        settings = self._settings
        if name == "expand-tabs":
            settings.expands = True
            settings.input_tab = _tab(value, "e", settings.input_tab)
        elif name == "output-tabs":
            settings.tabifies = True
            settings.output_tab = _tab(value, "i", settings.output_tab)
        else:
            found = _tab(value, "n", ("\t", settings.number_digits))
            settings.number_separator, settings.number_digits = found

    def _take_width(self, name: str, value: str | None) -> None:
        settings = self._settings
        if name == "separator":
            self._old = self._old_separator = True
            if not self._explicit_separator and value is not None:
                settings.separator = value
        elif name == "sep-string":
            self._old_separator = False
            settings.separator = value or ""
            self._explicit_separator = True
        elif name == "width":
            self._old = self._old_width = True
            settings.width = _number(value, "'-w PAGE_WIDTH' invalid number of characters", 1)
        else:
            self._old_width = False
            settings.truncates = True
            settings.width = _number(value, "'-W PAGE_WIDTH' invalid number of characters", 1)

    def _pages(self, text: str) -> None:
        first, colon, last = text.partition(":")
        settings = self._settings
        if (
            not _DIGITS.fullmatch(first)
            or not int(first)
            or (colon and not _DIGITS.fullmatch(last))
        ):
            raise UsageError(f"invalid page range '{text}'", hint=False)
        settings.first_page = int(first)
        settings.last_page = int(last) if colon else None
        if settings.last_page is not None and settings.last_page < settings.first_page:
            raise UsageError(f"invalid page range '{text}'", hint=False)

    def finish(self, files: int) -> Settings:
        settings = self._settings
        if settings.parallel and self._explicit_columns:
            raise UsageError(
                "cannot specify number of columns when printing in parallel", hint=False
            )
        if settings.parallel and settings.across:
            raise UsageError(
                "cannot specify both printing across and printing in parallel", hint=False
            )
        if self._old:
            self._translate_old()
        settings.body = settings.length - 2 * HEADER_LINES
        if settings.body <= 0:
            settings.has_header, settings.keeps_form_feeds = False, True
        if not settings.has_header:
            settings.body = settings.length
        if settings.double:
            settings.body //= 2
        settings.parallel = settings.parallel and files > 0
        if settings.parallel:
            settings.columns = files
        if settings.columns > 1:
            self._beside_each_other()
        if settings.joins:
            settings.truncates = False
        if column_width(settings) < 1 or settings.columns > _MAX_COLUMNS:
            raise UsageError("page width too narrow", hint=False)
        return settings

    def _translate_old(self) -> None:
        """Take `-w` and `-s` for what POSIX has them mean, in words of the newer options."""
        settings = self._settings
        in_columns = settings.parallel or self._explicit_columns
        if self._old_width:
            if not in_columns:
                settings.joins = True
                return
            settings.truncates = True
            self._explicit_separator = self._explicit_separator or self._old_separator
            if self._old_separator and settings.separator is None:
                settings.separator = ""
        elif not self._explicit_separator and self._old_separator and in_columns:
            if settings.truncates:
                self._explicit_separator = True
            else:
                settings.joins = True
                self._explicit_separator = bool(settings.separator)

    def _beside_each_other(self) -> None:
        settings = self._settings
        if not self._explicit_separator:
            settings.separator = "\t" if settings.joins else " "
        elif not settings.joins and settings.separator == "\t":
            settings.separator = " "
        settings.truncates = settings.tabifies = True
        if settings.separator != "\t":
            settings.expands = True


_FLAGS: Final = {
    "across": ("across", True),
    "show-control-chars": ("shows", "hat"),
    "double-space": ("double", True),
    "form-feed": ("form_feed", True),
    "join-lines": ("joins", True),
    "merge": ("parallel", True),
    "no-file-warnings": ("warns", False),
    "show-nonprinting": ("shows", "octal"),
}


_NUMBERS: Final = {
    "columns": ("columns", "invalid number of columns", 1),
    "first-line-number": ("first_number", "'-N NUMBER' invalid starting line number", None),
    "indent": ("margin", "'-o MARGIN' invalid line offset", 0),
    "length": ("length", "'-l PAGE_LENGTH' invalid number of lines", 1),
}
"""Options that are numbers, with the least one."""


def column_width(settings: Settings) -> int:
    """Return how wide the text of a column may be."""
    between = (settings.columns - 1) * len(settings.separator or "")
    numbers = settings.number_width if settings.parallel else 0
    return (settings.width - numbers - between) // settings.columns


def _number(value: str | None, message: str, least: int | None) -> int:
    if value is None or not re.fullmatch(r"-?[0-9]{1,9}", value):
        raise UsageError(f"{message}: {quote_typographic(value or '')}", hint=False)
    if least is not None and int(value) < least:
        shown = quote_typographic(value)
        raise UsageError(f"{message}: {shown}: Numerical result out of range", hint=False)
    return int(value)


def _tab(value: str | None, letter: str, default: tuple[str, int]) -> tuple[str, int]:
    """Read `[CHAR[NUMBER]]`."""
    if not value:
        return default
    character, number = default
    if not value[0].isdigit():
        character, value = value[0], value[1:]
    if value:
        if not _DIGITS.fullmatch(value) or not int(value):
            raise UsageError(
                f"'-{letter}' extra characters or invalid number in the argument: ‘{value}’"
            )
        number = int(value)
    return character, number
