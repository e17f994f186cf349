"""What a suite came to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """The result of one suite.

    Attributes:
        name: The suite.
        version: The version of what it compares with.
        passed: How many of its checks passed.
        total: How many there are.
        skipped: Why it did not run; empty if it did.
        failures: What failed.
        notes: What is to be said beside it.
    """

    name: str
    version: str = ""
    passed: int = 0
    total: int = 0
    skipped: str = ""
    failures: list[str] = field(default_factory=list)
    notes: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing failed."""
        return self.passed == self.total

    def check(self, name: str, *, ok: bool) -> None:
        """Count one check."""
        self.total += 1
        self.passed += ok
        if not ok:
            self.failures.append(name)

    def row(self, seconds: float) -> str:
        """Return the row of the table."""
        if self.skipped:
            return f"| {self.name} | | skipped | | {self.skipped} |"
        failed = f"failed: {', '.join(self.failures[:10])}" if self.failures else ""
        notes = "; ".join(part for part in (failed, self.notes) if part)
        return (
            f"| {self.name} | {self.version} | {self.passed} of {self.total} | {seconds:.1f} |"
            f" {notes} |"
        )
