"""Generated patches: the files after them are those that Codex' own program leaves."""

from __future__ import annotations

from tests.compat import codex, programs
from tests.compat.outcome import Outcome


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    outcome = Outcome("codex apply_patch", programs.version("@openai/codex"))
    binary = programs.codex_binary()
    if binary is None:
        outcome.skipped = "npm @openai/codex is not installed"
        return outcome
    applied = 0
    for case in codex.cases(60 if quick else 500):
        theirs = codex.expected(case, binary)
        applied += theirs[0]
        outcome.check(str(case.number), ok=theirs == codex.found(case))
    outcome.notes = f"{applied} of the patches apply; the others are refused alike"
    return outcome
