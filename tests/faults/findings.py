"""What a proof found, as text for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


class FailedProofError(Exception):
    """Something is not as it is promised."""


@dataclass
class Findings:
    """What came of many attempts to break a workspace.

    Attributes:
        seed: What all chance came from.
        counts: What was done and seen how often.
        failures: What was not as it is promised, a sentence each.
    """

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        self.counts += other.counts
        self.failures += other.failures

    def text(self) -> str:
        lines = [f"{count:9,}  {name}" for name, count in self.counts.items()]
        return "\n".join([*lines, *(f"FAILED: {failure}" for failure in self.failures)])


def require(condition: bool, message: str) -> None:
    """Make sure that a promise is kept.

    Raises:
        FailedProofError: It is not.
    """
    if not condition:
        raise FailedProofError(message)
