"""What one run of a shell may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from vshell.errors import RangeError
from vshell.record import Record

if TYPE_CHECKING:
    from vshell.script.limits import Limits

TIMEOUT_EXIT_CODE: Final = 124
INTERRUPT_EXIT_CODE: Final = 130
OUTPUT_EXIT_CODE: Final = 153
"""128 + SIGXFSZ: what a process gets that writes more than it may."""
MEMORY_EXIT_CODE: Final = 137
"""128 + SIGKILL: what the kernel does to a process that takes too much memory."""
CRASH_EXIT_CODE: Final = 139
"""128 + SIGSEGV."""


@dataclass(frozen=True, slots=True)
class ShellLimits(Record):
    """What one run of a shell may use.

    Attributes:
        timeout_s: Seconds before it is killed, exit code 124.
        max_output_bytes: How much of stdout and of stderr the result keeps; more sets
            `truncated`, and the script goes on.
        max_total_output_bytes: How much it may print in all before it is ended, exit
            code 153.
        max_memory_bytes: How much memory the worker may take besides what it has at its
            start, exit code 137.
    """

    timeout_s: float = 120.0
    max_output_bytes: int = 10 * 1024**2
    max_total_output_bytes: int = 256 * 1024**2
    max_memory_bytes: int = 1024**3

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0:
                raise RangeError(f"{each.name} must be a positive number, and is {value!r}")


def limits_of(given: ShellLimits | Limits | Mapping[str, Any] | None) -> ShellLimits:
    """Return limits from what a caller gave.

    Args:
        given: Those of a shell, or those of a script (`vshell.Limits`), of which a shell has
            time, memory and output: others must be as they are by default.

    Raises:
        RangeError: A limit is unknown or not positive.
    """
    if given is None:
        return ShellLimits()
    if isinstance(given, ShellLimits):
        return given
    if isinstance(given, Record):
        given = _those_that_were_set(given)
    known = {each.name for each in fields(ShellLimits)}
    for name in given:
        if name not in known:
            raise RangeError(
                f"there is no limit {name!r} for a shell", hint=f"there are {', '.join(known)}"
            )
    return ShellLimits(**given)


def _those_that_were_set(given: Limits) -> dict[str, Any]:
    """Return the limits that a shell has, and those that it lacks but for defaults."""
    shared = {each.name for each in fields(ShellLimits)}
    return {
        each.name: getattr(given, each.name)
        for each in fields(given)
        if each.name in shared or getattr(given, each.name) != each.default
    }
