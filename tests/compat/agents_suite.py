"""Generated diffs: what they make of a file is what `agents.apply_diff` makes of it."""

from __future__ import annotations

import importlib.metadata
import random
from collections.abc import Callable

from tests.compat.codex import random_chunk, random_files
from tests.compat.outcome import Outcome
from vshell.errors import VshellError
from vshell.text.v4a import UpdateFile, parse_v4a, updated


def run(*, quick: bool = False) -> Outcome:
    """Run the suite."""
    outcome = Outcome("openai-agents apply_diff")
    try:
        from agents.apply_diff import apply_diff
    except ImportError:
        outcome.skipped = "PyPI openai-agents is not installed"
        return outcome
    outcome.version = importlib.metadata.version("openai-agents")
    applied = 0
    for number in range(100 if quick else 500):
        content, diff = _case(number)
        theirs = _theirs(apply_diff, content, diff)
        applied += theirs is not None
        outcome.check(str(number), ok=theirs == _ours(content, diff))
    outcome.notes = f"{applied} of the diffs apply; the others are refused alike"
    return outcome


def _case(number: int) -> tuple[str, str]:
    chance = random.Random(number)
    files = random_files(chance)
    content = files[min(files)].decode()
    text = content.replace("\r\n", "\n").split("\n")
    lines: list[str] = []
    for place in range(chance.choice([1, 1, 2, 3])):
        if chance.random() < 0.15:
            lines.append(f"@@ {chance.choice(text)}")
        lines += random_chunk(chance, text, bare=not place)
    if lines[:1] == ["*** End of File"]:  # the SDK ignores what follows; here it is an error
        lines[0] = "@@"
    return content, "\n".join(lines)


def _theirs(apply_diff: Callable[[str, str], str], content: str, diff: str) -> str | None:
    try:
        return apply_diff(content, diff)
    except ValueError:
        return None


def _ours(content: str, diff: str) -> str | None:
    patch = f"*** Begin Patch\n*** Update File: f\n{diff}\n*** End Patch"
    try:
        (change,) = parse_v4a(patch, dialect="openai")
        assert isinstance(change, UpdateFile)
        return updated(content, change.chunks, path="/f", dialect="openai")
    except VshellError:
        return None
