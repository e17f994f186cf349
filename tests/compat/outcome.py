"""What a suite came to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """The result of one suite on one executor.

    Attributes:
        name: The suite.
        versions: What it compares with, and in which version.
        executor: Where commands ran; empty where none do.
        least: How many checks must pass.
        passed: How many of its checks passed.
        total: How many there are, with those that are left out.
        skipped: Why it did not run; empty if it did.
        broken: Why it could not run although it should have; empty if it could.
        failures: What failed.
        left_out: The checks that are expected to fail or do not apply, by the reason.
        notes: What is to be said beside it.
        seconds: How long it took.
    """

    name: str
    versions: str = ""
    executor: str = ""
    least: int = 0
    passed: int = 0
    total: int = 0
    skipped: str = ""
    broken: str = ""
    failures: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    notes: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether nothing failed, and as much passed as must."""
        if self.skipped:
            return True
        return not self.broken and not self.failures and self.passed >= self.least

    def check(self, name: str, *, ok: bool) -> None:
        """Count one check."""
        self.total += 1
        self.passed += ok
        if not ok:
            self.failures.append(name)

    def leave_out(self, name: str, reason: str) -> None:
        """Count one check that is not expected to pass."""
        self.total += 1
        self.left_out.setdefault(reason, []).append(name)

    @property
    def row(self) -> str:
        """The row of the table."""
        if self.skipped or self.broken:
            told = f"skipped: {self.skipped}" if self.skipped else f"BROKEN: {self.broken}"
            return f"| {self.name} | {self.versions} | {self.executor} | | | {told} |"
        counts = f"{self.passed} of {self.total}"
        return (
            f"| {self.name} | {self.versions} | {self.executor} | {counts} | {self.seconds:.0f} |"
            f" {'; '.join(self._remarks())} |"
        )

    def _remarks(self) -> list[str]:
        told = []
        if self.failures:
            told.append(f"FAILED: {', '.join(self.failures[:10])}")
        if self.passed < self.least:
            told.append(f"TOO FEW: {self.least} must pass")
        if self.left_out:
            told.append(f"{sum(map(len, self.left_out.values()))} left out")
        return [*told, *filter(None, [self.notes])]
