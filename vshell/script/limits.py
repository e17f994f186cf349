"""What one run of a script may use, and how a caller says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from vshell.errors import RangeError
from vshell.record import Record

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits(Record):
    """The budgets of one run. Each is a hard end, never a silent cut.

    Attributes:
        timeout_s: Wall-clock seconds, the host's time inside calls included.
        max_memory_bytes: What the guest's heap or address space may have.
        max_calls: How many calls the script may make.
        max_write_bytes: How many bytes of new content an atomic run may write: until it
            is applied, the host holds it in memory.
        max_output_bytes: How much it may log. What is over it goes to a file of the
            workspace while that is allowed; else the run ends with `limit`.
        max_value_bytes: How large its result may be, as JSON, before it goes to a file.
        max_message_bytes: How large one call or one answer may be.
        max_result_bytes: How much log, result and patch a `ScriptResult` itself carries.
    """

    timeout_s: float = 30.0
    max_memory_bytes: int = 256 * 1024**2
    max_calls: int = 100_000
    max_write_bytes: int = 256 * 1024**2
    max_output_bytes: int = 16 * 1024**2
    max_value_bytes: int = 64 * 1024**2
    max_message_bytes: int = 64 * 1024**2
    max_result_bytes: int = 256 * 1024

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            wanted = (int, float) if field.name == "timeout_s" else (int,)
            if isinstance(value, bool) or not isinstance(value, wanted) or not value > 0:
                raise RangeError(f"the limit {field.name} must be positive, not {value!r:.100}")

    @classmethod
    def of(cls, given: Limits | Mapping[str, Any] | None) -> Self:
        """Return limits as a caller may give them: themselves, a mapping, or None.

        Raises:
            RangeError: A name is unknown, or a value is not positive.
        """
        if given is None:
            return cls()
        if isinstance(given, Limits):
            return cls(**given.as_dict())
        known = [field.name for field in fields(cls)]
        unknown = [name for name in given if name not in known]
        if unknown:
            raise RangeError(
                f"there is no limit {str(unknown[0])[:100]}", hint=f"there are {', '.join(known)}"
            )
        return cls(**given)
