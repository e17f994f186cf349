"""Sizes as `ls -h`, `du` and `df` show them, and block sizes as they are typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vshell.shell.command import Parsed, UsageError
from vshell.shell.messages import quote_typographic

_UNITS: Final = "KMGTPEZY"


@dataclass(frozen=True, slots=True)
class Scale:
    """How sizes are shown.

    Attributes:
        block: The unit in bytes; 0 for one that suits each size.
        base: 1024 or 1000: what the units of readable sizes are powers of.
        suffix: What follows each size, when the unit was said by a letter alone.
    """

    block: int
    base: int = 1024
    suffix: str = ""

    def show(self, size: int) -> str:
        """Return a size, rounded up."""
        if not self.block:
            return readable(size, self.base)
        return f"{-(-size // self.block)}{self.suffix}"


def readable(size: int, base: int = 1024) -> str:
    """Return a size with a unit that leaves at most four characters, rounded up."""
    if size < base:
        return str(size)
    power, unit = base, 0
    while size >= power * base and unit < len(_UNITS) - 1:
        power *= base
        unit += 1
    tenths = -(-size * 10 // power)
    if tenths < 100:
        return f"{tenths // 10}.{tenths % 10}{_letter(unit, base)}"
    whole = -(-size // power)
    if whole >= base and unit < len(_UNITS) - 1:
        return f"1.0{_letter(unit + 1, base)}"
    return f"{whole}{_letter(unit, base)}"


def _letter(unit: int, base: int) -> str:
    return "k" if base == 1000 and not unit else _UNITS[unit]


def parse_block_size(text: str, option: str = "--block-size") -> Scale:
    """Read what was typed as a block size, such as `1K`, `MB`, `human-readable` or `512`.

    Raises:
        UsageError: It is none.
    """
    if text in ("human-readable", "si"):
        return Scale(0, 1024 if text[0] == "h" else 1000)
    stripped = text.removeprefix("'")
    digits = len(stripped) - len(stripped.lstrip("0123456789"))
    number, suffix = stripped[:digits], stripped[digits:]
    factor = 1
    if suffix:
        letter, rest = suffix[0].upper(), suffix[1:]
        if letter not in _UNITS or rest not in ("", "B", "iB"):
            kind = "suffix in " if number or letter in _UNITS else ""
            raise UsageError(f"invalid {kind}{option} argument {_straight(text)}", hint=False)
        factor = int((1000 if rest == "B" else 1024) ** (_UNITS.index(letter) + 1))
    block = int(number or (1 if suffix else 0)) * factor
    if not block:
        raise UsageError(f"invalid {option} argument {_straight(text)}", hint=False)
    return Scale(block, suffix="" if number else suffix)


def _straight(text: str) -> str:
    return "'" + quote_typographic(text)[1:-1] + "'"


def scale_of(
    parsed: Parsed,
    environment: Mapping[str, str],
    *,
    units: Mapping[str, int],
    default: int,
    variable: str,
) -> Scale:
    """Return what the options and variables of `ls`, `du` or `df` say about sizes.

    Args:
        parsed: The options.
        environment: The variables.
        units: The options that stand for a unit, with its bytes.
        default: The unit in bytes when nothing is said.
        variable: The command's own variable.

    Raises:
        UsageError: What follows `--block-size` is no size.
    """
    name = parsed.last("human-readable", "si", "block-size", *units)
    if name == "human-readable":
        return Scale(0)
    if name == "si":
        return Scale(0, 1000)
    if name == "block-size":
        return parse_block_size(parsed.value("block-size") or "")
    if name is not None:
        return Scale(units[name])
    for key in (variable, "BLOCK_SIZE", "BLOCKSIZE"):
        if environment.get(key):
            try:
                return parse_block_size(environment[key])
            except UsageError:
                break
    return Scale(512 if "POSIXLY_CORRECT" in environment else default)
