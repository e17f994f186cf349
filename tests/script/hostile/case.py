"""What a hostile script is, and what may come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ESCAPED", "Case", "Ending"]

ESCAPED = "ESCAPED"
"""What a script returns or prints when it got what it must not."""

Ending = Literal["value", "error", "memory", "timeout", "crash", "killed"]
"""How a run may end: `value`: it returned, without having got anything; `error`: it failed by
itself, also with a limit that the engine noticed; `killed`: the host ended it for a budget."""


@dataclass(frozen=True)
class Case:
    """A hostile script.

    Attributes:
        name: What it tries.
        source: The script. It returns `ESCAPED` when it has got out.
        endings: How it may end.
        monty: Whether it suits Monty, too.
    """

    name: str
    source: str
    endings: tuple[Ending, ...]
    monty: bool = True
