"""What a container and the commands in it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from vshell.errors import RangeError
from vshell.record import Record

_GIB: Final = 1024**3


@dataclass(frozen=True, slots=True)
class ContainerLimits(Record):
    """The limits of a container; None is none.

    Attributes:
        timeout_s: How long a command may run, in seconds.
        max_memory_bytes: Memory of all processes, with what they write to the mirror while
            that is in memory.
        max_processes: Processes and threads at one time.
        max_cpus: Processors.
        max_mirror_bytes: The size of the mirror, with caches. It holds where the mirror has
            a file system of its own, which takes root on the host or a container whose
            mirror is inside; else memory is the limit.
        max_entries: Files and directories in the mirror, caches not counted.
        max_output_bytes: How much is kept of what a command writes, for each stream.
        max_kept_bytes: How much of that a `Job` holds; all of it is in a file.
    """

    timeout_s: float | None = None
    max_memory_bytes: int = 4 * _GIB
    max_processes: int = 1024
    max_cpus: float | None = None
    max_mirror_bytes: int = 4 * _GIB
    max_entries: int = 1_000_000
    max_output_bytes: int = 64 * 1024**2
    max_kept_bytes: int = 256 * 1024

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value <= 0:
                raise RangeError(f"{field.name} must be more than 0, as {value} is not")

    @classmethod
    def of(cls, given: ContainerLimits | Mapping[str, float | None] | None) -> ContainerLimits:
        """Return limits from what a caller gave.

        Raises:
            RangeError: There is no limit of that name, or one is not positive.
        """
        if isinstance(given, ContainerLimits):
            return given
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(given or ()) - known)
        if unknown:
            raise RangeError(
                f"no such limit: {unknown[0]}", hint=f"there are {', '.join(sorted(known))}"
            )
        return cls(**(given or {}))  # type: ignore[arg-type]
