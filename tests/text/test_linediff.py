from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vshell.text.linediff import Run, diff_sequences, matching, myers_sequences

Lines = list[str]

few_symbols = st.lists(st.sampled_from("abc"), max_size=30)
some_symbols = st.lists(st.integers(0, 12).map(str), max_size=40)
any_lines = few_symbols | some_symbols


def changed(runs: Sequence[Run]) -> int:
    return sum(
        run.old_end - run.old_start + run.new_end - run.new_start
        for run in runs
        if run.tag != "equal"
    )


def rebuilt(runs: Sequence[Run], old: Lines, new: Lines) -> tuple[Lines, Lines]:
    """Put both sides together from the runs, after checking that they follow each other."""
    left: Lines = []
    right: Lines = []
    for run in runs:
        assert (run.old_start, run.new_start) == (len(left), len(right))
        assert (run.old_end > run.old_start) == (run.tag != "insert")
        assert (run.new_end > run.new_start) == (run.tag != "delete")
        left += old[run.old_start : run.old_end]
        right += new[run.new_start : run.new_end]
        if run.tag == "equal":
            assert old[run.old_start : run.old_end] == new[run.new_start : run.new_end]
    return left, right


def least_edits(old: Lines, new: Lines) -> int:
    """Count the edits of a shortest script by the textbook's table."""
    row = list(range(len(new) + 1))
    for at, line in enumerate(old, 1):
        previous, row[0] = row[0], at
        for to, other in enumerate(new, 1):
            best = previous if line == other else 1 + min(row[to], row[to - 1])
            previous, row[to] = row[to], best
    return row[-1]


def textbook_script(old: Lines, new: Lines) -> str:
    """Write Myers' script as the paper has it: one letter for each kept or edited line."""
    ends = {1: 0}
    fronts: list[dict[int, int]] = []
    for edits in range(len(old) + len(new) + 1):
        fronts.append(dict(ends))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and ends[k - 1] < ends[k + 1])
            x = ends[k + 1] if down else ends[k - 1] + 1
            while x < len(old) and x - k < len(new) and old[x] == new[x - k]:
                x += 1
            ends[k] = x
            if x >= len(old) and x - k >= len(new):
                return "".join(reversed(list(traced(fronts, len(old), len(new)))))
    raise AssertionError("a script always exists")


def traced(fronts: list[dict[int, int]], x: int, y: int) -> Iterator[str]:
    for edits in range(len(fronts) - 1, -1, -1):
        ends, k = fronts[edits], x - y
        down = k == -edits or (k != edits and ends[k - 1] < ends[k + 1])
        before = ends[k + 1] if down else ends[k - 1]
        below = before - (k + 1 if down else k - 1)
        while x > before and y > below:
            x, y = x - 1, y - 1
            yield "="
        if edits:
            yield "i" if down else "d"
            x, y = before, below


@given(any_lines, any_lines)
def test_the_runs_cover_both_sides_in_order(old: Lines, new: Lines) -> None:
    assert rebuilt(diff_sequences(old, new), old, new) == (old, new)


@given(any_lines, any_lines)
def test_neighbouring_runs_differ_and_deletions_come_first(old: Lines, new: Lines) -> None:
    tags = [run.tag for run in diff_sequences(old, new)]
    pairs = list(pairwise(tags))
    assert all(left != right for left, right in pairs)
    assert ("insert", "delete") not in pairs


@given(any_lines, any_lines, any_lines)
def test_a_replaced_middle_costs_no_more_than_its_lines(
    head: Lines, middle: Lines, tail: Lines
) -> None:
    fresh = [f"new {line}" for line in middle]
    runs = diff_sequences(head + middle + tail, head + fresh + tail)
    assert changed(runs) <= 2 * len(middle)


@given(any_lines, st.lists(st.sampled_from("abc"), max_size=5))
def test_a_short_side_is_compared_exactly(old: Lines, new: Lines) -> None:
    assert changed(diff_sequences(old, new)) == least_edits(old, new)


@given(few_symbols, few_symbols)
def test_small_texts_of_repeated_lines_are_compared_nearly_exactly(old: Lines, new: Lines) -> None:
    assert changed(diff_sequences(old, new)) <= 1.5 * least_edits(old, new) + 4


def test_equal_texts_are_one_run() -> None:
    assert diff_sequences(["a", "b"], ["a", "b"]) == [Run("equal", 0, 2, 0, 2)]


def test_empty_texts_have_no_run() -> None:
    assert diff_sequences([], []) == []


def test_a_unique_line_anchors_what_surrounds_it() -> None:
    old = ["{", "}", "unique", "{", "}"]
    new = ["{", "}", "{", "}", "unique", "{", "}"]
    runs = diff_sequences(old, new)
    assert runs == [
        Run("equal", 0, 2, 0, 2),
        Run("insert", 2, 2, 2, 4),
        Run("equal", 2, 5, 4, 7),
    ]


def test_lines_can_be_of_any_hashable_type() -> None:
    runs = diff_sequences([(1, "a"), None, b"c"], [None, b"c", 3.5])
    assert [run.tag for run in runs] == ["delete", "equal", "insert"]


def test_without_enough_characters_for_the_lines_the_result_is_still_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matching, "MOST_LETTERS", 3)
    chance = random.Random(1)
    old = [str(chance.randrange(9)) for _ in range(600)]
    new = [str(chance.randrange(9)) for _ in range(600)]
    assert rebuilt(diff_sequences(old, new), old, new) == (old, new)


def test_the_result_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "import random; from vshell.text.linediff import diff_sequences\n"
        "chance = random.Random(4)\n"
        "old = [str(chance.randrange(40)) for _ in range(700)]\n"
        "new = [str(chance.randrange(40)) for _ in range(700)]\n"
        "print([tuple(run) for run in diff_sequences(old, new)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@given(any_lines, any_lines)
def test_the_textbook_algorithm_needs_the_fewest_edits(old: Lines, new: Lines) -> None:
    runs = myers_sequences(old, new, max_edits=200)
    assert runs is not None
    assert changed(runs) == least_edits(old, new)
    assert rebuilt(runs, old, new) == (old, new)


@given(few_symbols, few_symbols)
def test_the_textbook_algorithm_makes_the_textbooks_choices(old: Lines, new: Lines) -> None:
    runs = myers_sequences(old, new, max_edits=200)
    assert runs is not None
    letters = {"equal": "=", "delete": "d", "insert": "i"}
    lengths = [max(run.old_end - run.old_start, run.new_end - run.new_start) for run in runs]
    script = "".join(letters[run.tag] * size for run, size in zip(runs, lengths, strict=True))
    assert script == textbook_script(old, new)


@given(any_lines, any_lines)
def test_the_textbook_algorithm_gives_up_beyond_the_bound(old: Lines, new: Lines) -> None:
    edits = least_edits(old, new)
    assert (myers_sequences(old, new, max_edits=max(0, edits - 1)) is None) == (edits > 0)


# Large and adversarial input. `hard_pairs` holds what defeats one strategy or another.


def hard_pairs(size: int) -> Iterator[tuple[str, Lines, Lines]]:
    chance = random.Random(6)
    lines = [f"line {at}" for at in range(size)]
    shuffled = lines.copy()
    chance.shuffle(shuffled)
    yield "all different", lines, [f"other {at}" for at in range(size)]
    yield "reversed", lines, lines[::-1]
    yield "shuffled", lines, shuffled
    yield "one line, shorter", ["x"] * size, ["x"] * (size - size // 3)
    yield "halves swapped", ["a"] * size + ["b"] * size, ["b"] * size + ["a"] * size
    for symbols in (2, 10, 300):
        old = [str(chance.randrange(symbols)) for _ in range(size)]
        new = [str(chance.randrange(symbols)) for _ in range(size)]
        yield f"{symbols} symbols, unrelated", old, new
        yield f"{symbols} symbols, edited", old, edited(old, size // 10, chance)
        yield f"{symbols} symbols, reversed", old, old[::-1]
    period = [str(at % 100) for at in range(size)]
    yield "periodic, edited", period, edited(period, size // 10, chance)
    repeated = ["x"] * size
    yield "one line, few changes", repeated, edited(repeated, 10, chance)
    blocks = [[f"{at} {to}" for to in range(50)] for at in range(size // 50)]
    moved = blocks.copy()
    for _ in range(len(moved) // 10 + 1):
        moved.insert(chance.randrange(len(moved)), moved.pop(chance.randrange(len(moved))))
    yield "blocks moved", [*chain(*blocks)], [*chain(*moved)]
    doubled = [line for line in lines[: size // 2] for _ in range(2)]
    yield "doubled, reversed", doubled, doubled[::-1]
    yield "each anchor hides the next", *nested(size)
    gaps: list[Lines] = [[], []]
    for at in range(size // 201):
        block = [f"{at} {to}" for to in range(100)] * 2
        for side in gaps:
            chance.shuffle(block)
            side += [*block, f"anchor {at}"]
    yield "hard gaps between anchors", gaps[0], gaps[1]


def edited(lines: Lines, times: int, chance: random.Random) -> Lines:
    result = lines.copy()
    for _ in range(times):
        at = chance.randrange(len(result))
        match chance.randrange(3):
            case 0:
                result[at] = chance.choice(lines)
            case 1:
                result.insert(at, chance.choice(lines))
            case _:
                del result[at]
    return result


def nested(size: int) -> tuple[Lines, Lines]:
    """Make texts in which each unique line, once taken, makes one more line unique."""
    old: Lines = []
    new: Lines = []
    for at in range(size // 4):
        old += [f"d{at + 3}", "j", f"d{at}", "j"]
        new += [f"d{at + 3}", "q", f"d{at}", "q"]
    return old, new


def size_by_git(old: Lines, new: Lines, directory: Path, *options: str) -> int:
    for name, lines in (("old", old), ("new", new)):
        (directory / name).write_text("".join(f"{line}\n" for line in lines))
    command = ["git", "diff", "--no-index", "--numstat", *options, "old", "new"]
    output = subprocess.run(command, cwd=directory, capture_output=True, check=False).stdout
    return sum(map(int, output.split()[:2]))


HARD = [pytest.param(old, new, id=name) for name, old, new in hard_pairs(1200)]


@pytest.mark.parametrize(("old", "new"), HARD)
def test_a_hard_diff_is_valid(old: Lines, new: Lines) -> None:
    assert rebuilt(diff_sequences(old, new), old, new) == (old, new)


@pytest.mark.parametrize(("old", "new"), HARD)
def test_a_hard_diff_is_about_as_small_as_gits(old: Lines, new: Lines, tmp_path: Path) -> None:
    by_git = max(size_by_git(old, new, tmp_path), size_by_git(old, new, tmp_path, "--patience"))
    assert changed(diff_sequences(old, new)) <= 1.15 * by_git


@given(st.integers(0, 2**32), st.sampled_from([3, 30, 3000]))
@settings(max_examples=25)
def test_an_edited_text_has_a_diff_about_as_small_as_gits(
    tmp_path: Path, seed: int, symbols: int
) -> None:
    chance = random.Random(seed)
    old = [str(chance.randrange(symbols)) for _ in range(400)]
    new = edited(old, chance.randrange(1, 80), chance)
    by_git = size_by_git(old, new, tmp_path, "--minimal")
    assert changed(diff_sequences(old, new)) <= 1.05 * by_git + 4


@pytest.mark.slow
def test_no_pair_of_long_texts_takes_for_ever() -> None:
    slow = []
    for name, old, new in hard_pairs(30_000):
        start = time.process_time()
        diff_sequences(old, new)
        # 0.3 s at most on an idle machine; what compares each line with each takes minutes.
        if time.process_time() - start > 20:
            slow.append(name)
    assert slow == []
