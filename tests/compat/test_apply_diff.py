"""Generated diffs: what they make of a file is what `agents.apply_diff` makes of it."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("agents", reason="needs PyPI openai-agents")

from agents.apply_diff import apply_diff

from tests.compat.codex import random_chunk, random_files
from vshell.errors import VshellError
from vshell.text.v4a import UpdateFile, parse_v4a, updated


@pytest.mark.parametrize("number", range(500))
def test_a_diff_does_what_it_does_there(number: int) -> None:
    content, diff = generated(number)
    assert ours(content, diff) == theirs(content, diff)


def generated(number: int) -> tuple[str, str]:
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


def theirs(content: str, diff: str) -> str | None:
    try:
        return str(apply_diff(content, diff))
    except ValueError:
        return None


def ours(content: str, diff: str) -> str | None:
    patch = f"*** Begin Patch\n*** Update File: f\n{diff}\n*** End Patch"
    try:
        (change,) = parse_v4a(patch, dialect="openai")
        assert isinstance(change, UpdateFile)
        return updated(content, change.chunks, path="/f", dialect="openai")
    except VshellError:
        return None
