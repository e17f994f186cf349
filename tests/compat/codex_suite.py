"""Generated patches: the files after them are those that Codex' own program leaves."""

from __future__ import annotations

from tests.compat import codex, programs
from tests.compat.outcome import Outcome


def compare(outcome: Outcome, quick: bool) -> None:
    """Run the suite."""
    binary = programs.codex_binary()
    if binary is None:
        outcome.skipped = "the package has no program for this machine"
        return
    applied = 0
    for case in codex.cases(60 if quick else 500):
        theirs = codex.expected(case, binary)
        applied += theirs[0]
        outcome.check(str(case.number), ok=theirs == codex.found(case))
    outcome.notes = f"{applied} of the patches apply; the others are refused alike"
