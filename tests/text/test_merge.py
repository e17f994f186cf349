"""Three-way merges of lines, compared with git's."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vshell.text.merge import Favor, Labels, MarkerStyle, Merged, merge_lines

LABELS = Labels("ours", "base", "theirs")

Texts = tuple[bytes, bytes, bytes]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("merge")


def git_merge(
    directory: Path, texts: Texts, style: MarkerStyle = "merge", favor: Favor | None = None
) -> Merged:
    """Merge with `git merge-file`, whose exit code is the number of conflicts."""
    for name, text in zip(("base", "ours", "theirs"), texts, strict=True):
        (directory / name).write_bytes(text)
    labels = [word for label in LABELS for word in ("-L", label)]
    options = ["--diff3"] if style == "diff3" else []
    options += [f"--{favor}"] if favor else []
    done = subprocess.run(
        ["git", "merge-file", "-p", *options, *labels, "ours", "base", "theirs"],
        cwd=directory,
        capture_output=True,
        check=False,
        timeout=20,
    )
    assert done.returncode < 128, done.stderr
    return Merged(done.stdout, done.returncode)


def edited(rng: random.Random, lines: Sequence[bytes], words: Sequence[bytes]) -> list[bytes]:
    """Insert, delete, replace and move a few lines."""
    result = list(lines)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(result) + 1)
        new = [rng.choice(words) for _ in range(rng.randrange(1, 4))]
        action = rng.randrange(4)
        if action == 0:
            result[at:at] = new
        elif action == 1:
            del result[at : at + len(new)]
        elif action == 2:
            result[at : at + rng.randrange(1, 3)] = new
        else:
            moved = result[at : at + 3]
            del result[at : at + 3]
            to = rng.randrange(len(result) + 1)
            result[to:to] = moved
    return result


def random_texts(rng: random.Random, words: Sequence[bytes]) -> Texts:
    base = [rng.choice(words) for _ in range(rng.randrange(30))]
    newline = rng.choice([b"\n", b"\n", b"\n", b"\r\n"])

    def text(lines: Sequence[bytes]) -> bytes:
        return newline.join([*lines, b""]) if rng.random() < 0.85 else newline.join(lines)

    return text(base), text(edited(rng, base, words)), text(edited(rng, base, words))


ALL_DIFFERENT = [b"line %d" % number for number in range(5000)]
LIKE_CODE = [b"x%d = 1" % number for number in range(40)] + [b"", b"", b"", b"}", b"    return"]


@pytest.mark.parametrize("style", ["merge", "diff3"])
def test_texts_without_repeated_lines_merge_as_git_has_it(
    directory: Path, style: MarkerStyle
) -> None:
    rng = random.Random(style)
    conflicts = 0
    for _ in range(120):
        texts = random_texts(rng, ALL_DIFFERENT)
        expected = git_merge(directory, texts, style)
        assert merge_lines(*texts, labels=LABELS, style=style) == expected, texts
        conflicts += expected.conflicts
    assert conflicts > 30


@pytest.mark.parametrize("favor", ["ours", "theirs", "union"])
def test_a_favored_side_wins_as_git_has_it(directory: Path, favor: Favor) -> None:
    rng = random.Random(favor)
    for _ in range(40):
        texts = random_texts(rng, ALL_DIFFERENT)
        found = merge_lines(*texts, labels=LABELS, favor=favor)
        assert found == git_merge(directory, texts, favor=favor), texts


@pytest.mark.parametrize("style", ["merge", "diff3"])
def test_texts_like_code_nearly_always_merge_as_git_has_it(
    directory: Path, style: MarkerStyle
) -> None:
    # Where lines repeat or move, there can be several smallest differences, and git can
    # choose another one.
    rng = random.Random(style)
    different = 0
    for _ in range(150):
        texts = random_texts(rng, LIKE_CODE)
        found = merge_lines(*texts, labels=LABELS, style=style)
        different += found != git_merge(directory, texts, style)
    assert different <= 6


PLACES = {
    "one line apart": (b"1\n2\n3\n", b"a\n2\n3\n", b"1\n2\nb\n"),
    "touching": (b"1\n2\n3\n", b"a\n2\n3\n", b"1\nb\n3\n"),
    "insertions at one place": (b"1\n2\n", b"1\na\n2\n", b"1\nb\n2\n"),
    "insertion beside a change": (b"1\n2\n", b"1\na\n2\n", b"1\nb\n"),
    "the same change": (b"1\n2\n3\n", b"1\nx\n3\n", b"1\nx\n3\n"),
    "the same change and another": (b"1\n2\n3\n4\n", b"1\nx\n3\n4\n", b"1\nx\n3\ny\n"),
    "the same lines in other words": (b"1\n2\n3\n", b"x\n2\ny\n", b"x\nz\ny\n"),
    "no newline at the end of one": (b"1\n2\n", b"1\n2", b"0\n1\n2\n"),
    "no newline in a conflict": (b"1\n2", b"1\na", b"1\nb"),
    "no newline anywhere": (b"1", b"2", b"1"),
    "from nothing": (b"", b"a\n", b"b\n"),
    "to nothing": (b"a\n", b"", b"b\n"),
    "CRLF": (b"1\r\n2\r\n3\r\n", b"1\r\na\r\n3\r\n", b"1\r\nb\r\n3\r\n"),
    "CRLF on one side": (b"1\n2\n3\n", b"1\r\n2\r\n3\r\n", b"1\n2\nb\n"),
    "CRLF without an end": (b"1\r\n2", b"1\r\na", b"1\r\nb"),
    "CR alone": (b"1\r2\r", b"1\ra\r", b"1\rb\r"),
    "near conflicts": (
        b"1\n2\n3\n4\n5\n6\n7\n",
        b"a\n2\n3\n4\nb\n6\n7\n",
        b"c\n2\n3\n4\nd\n6\n7\n",
    ),
    "far conflicts": (
        b"1\n2\n3\n4\n5\n6\n7\n",
        b"a\n2\n3\n4\n5\nb\n7\n",
        b"c\n2\n3\n4\n5\nd\n7\n",
    ),
    "conflicts with only braces between": (
        b"1\n}\n\n}\n\n}\n7\n",
        b"a\n}\n\n}\n\n}\nb\n",
        b"c\n}\n\n}\n\n}\nd\n",
    ),
    "a change that could stand in two places": (
        b"f\n{\n}\n\ng\n{\n}\n",
        b"f\n{\n}\n\nh\n{\n}\n\ng\n{\n}\n",
        b"f\n{\n}\n\ng\n{\nx\n}\n",
    ),
}


@pytest.mark.parametrize("style", ["merge", "diff3"])
@pytest.mark.parametrize("place", PLACES)
def test_a_special_case_merges_as_git_has_it(
    directory: Path, place: str, style: MarkerStyle
) -> None:
    texts = PLACES[place]
    found = merge_lines(*texts, labels=LABELS, style=style)
    assert found == git_merge(directory, texts, style)


lines = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n"]), max_size=12).map(b"".join)


@given(lines, lines)
def test_a_change_of_one_side_alone_is_taken(base: bytes, changed: bytes) -> None:
    assert merge_lines(base, changed, base) == Merged(changed, 0)
    assert merge_lines(base, base, changed) == Merged(changed, 0)
    assert merge_lines(base, changed, changed) == Merged(changed, 0)


@given(lines, lines, lines)
def test_each_side_of_the_markers_is_what_favoring_it_gives(
    base: bytes, ours: bytes, theirs: bytes
) -> None:
    marked = merge_lines(base, ours, theirs, labels=LABELS)
    for favor in ("ours", "theirs"):
        side: list[bytes] = []
        where = ""
        for line in marked.data.splitlines(keepends=True):
            marker = line[:7]
            if marker in (b"<<<<<<<", b"=======", b">>>>>>>"):
                where = {b"<": "ours", b"=": "theirs", b">": ""}[marker[:1]]
            elif where in ("", favor):
                side.append(line)
        assert b"".join(side) == merge_lines(base, ours, theirs, favor=favor).data


@given(lines, lines, lines)
def test_swapping_the_sides_leaves_as_many_conflicts(
    base: bytes, ours: bytes, theirs: bytes
) -> None:
    here = merge_lines(base, ours, theirs, style="diff3")
    there = merge_lines(base, theirs, ours, style="diff3")
    assert here.conflicts == there.conflicts


@settings(max_examples=60)
@given(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30))
def test_any_bytes_can_be_merged(base: bytes, ours: bytes, theirs: bytes) -> None:
    merged = merge_lines(base, ours, theirs)
    assert merged.conflicts == merged.data.count(b"<<<<<<< ours")


def test_labels_stand_beside_the_markers() -> None:
    merged = merge_lines(b"1\n", b"2\n", b"3\n", labels=("/a (mine)", "", "x\ny"), style="diff3")
    assert merged.data == (b"<<<<<<< /a (mine)\n2\n|||||||\n1\n=======\n3\n>>>>>>> x y\n")


def many(rng: random.Random, words: Sequence[bytes], size: int) -> bytes:
    return b"".join(rng.choices(words, k=size))


HOSTILE = {
    "two words": lambda rng: (many(rng, [b"a\n", b"b\n"], 20_000) for _ in range(3)),
    "one word": lambda rng: (b"a\n" * size for size in (20_000, 10_000, 40_000)),
    "a hundred words": lambda rng: (
        many(rng, [b"%d\n" % word for word in range(100)], 20_000) for _ in range(3)
    ),
    "many large conflicts": lambda rng: (
        b"".join(many(rng, words, size) + b"end %d\n" % part for part in range(60))
        for words, size in (([b"z\n"], 5), ([b"a\n", b"b\n"], 400), ([b"a\n", b"b\n"], 400))
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_texts_are_merged_in_bounded_time(kind: str) -> None:
    base, ours, theirs = HOSTILE[kind](random.Random(kind))
    start = time.process_time()
    merged = merge_lines(base, ours, theirs)
    assert time.process_time() - start < 15
    assert merged.conflicts >= 0
