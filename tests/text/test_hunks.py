from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vshell.errors import PatchContextError, RangeError
from vshell.text.hunks import Applied, HunkPlace, apply_hunks
from vshell.text.patchfile import parse_patch
from vshell.text.unified import Hunk, split_lines, unified_diff


def hunks_of(old: bytes, new: bytes, context: int = 3) -> tuple[Hunk[bytes], ...]:
    diff = unified_diff(old, new, old_path="/f", new_path="/f", context=context)
    return parse_patch(diff.text)[0].hunks if diff.text else ()


def parsed(body: str) -> tuple[Hunk[bytes], ...]:
    return parse_patch(f"--- a/f\n+++ b/f\n{body}")[0].hunks


def numbered(count: int) -> bytes:
    return b"".join(b"%d\n" % number for number in range(1, count + 1))


def failure(data: bytes, hunks: tuple[Hunk[bytes], ...], fuzz: int = 2) -> PatchContextError:
    with pytest.raises(PatchContextError) as caught:
        apply_hunks(data, hunks, fuzz=fuzz, path="/d/f")
    assert caught.value.filename == "/d/f"
    return caught.value


# Against GNU patch


def by_gnu_patch(data: bytes, patch: str, fuzz: int) -> bytes | None:
    with TemporaryDirectory() as directory:
        path = Path(directory, "f")
        path.write_bytes(data)
        done = subprocess.run(
            ["patch", "-p1", "--force", "--binary", f"--fuzz={fuzz}"],
            cwd=directory,
            input=patch.encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
        )
        return path.read_bytes() if done.returncode == 0 else None


def by_us(data: bytes, patch: str, fuzz: int) -> bytes | None:
    try:
        return apply_hunks(data, parse_patch(patch)[0].hunks, fuzz=fuzz, path="/f").data
    except PatchContextError:
        return None


def changed(lines: list[bytes], times: int, symbols: int, chance: random.Random) -> list[bytes]:
    result = lines.copy()
    for _ in range(times):
        at = chance.randrange(len(result) + 1)
        fresh = [b"%d\n" % chance.randrange(symbols) for _ in range(chance.randrange(1, 5))]
        match chance.randrange(3):
            case 0:
                result[at:at] = fresh
            case 1:
                del result[at : at + len(fresh)]
            case _:
                result[at : at + 1] = fresh[:1]
    return result


def joined(lines: list[bytes], chance: random.Random) -> bytes:
    data = b"".join(lines)
    return data[:-1] if chance.random() < 0.2 else data


@given(st.integers(0, 2**32), st.sampled_from([0, 2, 3]), st.sampled_from([1, 3]))
@settings(max_examples=250)
def test_the_result_is_that_of_gnu_patch(seed: int, fuzz: int, context: int) -> None:
    chance = random.Random(seed)
    symbols = chance.choice([2, 4, 10, 200])
    base = [b"%d\n" % chance.randrange(symbols) for _ in range(chance.choice([0, 3, 12, 40]))]
    old = joined(base, chance)
    new = joined(changed(base, chance.randrange(1, 5), symbols, chance), chance)
    now = joined(changed(base, chance.randrange(4), symbols, chance), chance)
    patch = unified_diff(old, new, old_path="/f", new_path="/f", context=context).text
    assume(patch)
    ours, theirs = by_us(now, patch, fuzz), by_gnu_patch(now, patch, fuzz)
    # Ours may refuse more: where fuzz leaves nothing to compare, GNU patch guesses.
    assert ours == theirs or (ours is None and by_gnu_patch(now, patch, 0) is None)


lines = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"c\r\n", b"\xff\n"]), max_size=15)
ends = st.sampled_from([b"", b"end"])


@given(lines, ends, lines, ends, st.integers(0, 4))
def test_a_diff_applied_to_its_old_side_gives_its_new_side(
    old: list[bytes], old_end: bytes, new: list[bytes], new_end: bytes, context: int
) -> None:
    before, after = b"".join(old) + old_end, b"".join(new) + new_end
    result = apply_hunks(before, hunks_of(before, after, context), fuzz=0, path="/f")
    assert result.data == after
    assert all((place.offset, place.fuzz) == (0, 0) for place in result.places)


# Where hunks land


def test_no_hunks_change_nothing() -> None:
    assert apply_hunks(b"a", (), path="/f") == Applied(b"a", ())


def test_a_hunk_is_found_above_and_below_its_line() -> None:
    hunks = hunks_of(numbered(20), numbered(20).replace(b"10\n", b"ten\n"))
    below = apply_hunks(b"0\n" + numbered(20), hunks, path="/f")
    above = apply_hunks(numbered(20)[4:], hunks, path="/f")
    assert (below.places[0].offset, above.places[0].offset) == (1, -2)


def test_the_nearest_of_several_places_is_taken() -> None:
    data = b"x\ny\nz\n" * 9
    hunks = parsed("@@ -14,3 +14,3 @@\n x\n-y\n+Y\n z\n")
    result = apply_hunks(data, hunks, path="/f")
    assert (result.places[0].line, result.data.split(b"\n")[13]) == (13, b"Y")


def test_of_two_equally_near_places_the_lower_is_taken() -> None:
    hunks = parsed("@@ -3,2 +3,2 @@\n x\n-y\n+Y\n")
    result = apply_hunks(b"0\nx\ny\nx\ny\n0\n", hunks, path="/f")
    assert result.data == b"0\nx\ny\nx\nY\n0\n"


def test_later_hunks_are_expected_where_the_earlier_one_was_off() -> None:
    new = numbered(40).replace(b"10\n", b"ten\n").replace(b"30\n", b"thirty\n")
    result = apply_hunks(b"0\n" * 5 + numbered(40), hunks_of(numbered(40), new), path="/f")
    assert result.data == b"0\n" * 5 + new
    assert [place.offset for place in result.places] == [5, 5]


def test_a_place_is_counted_in_the_result() -> None:
    new = numbered(40).replace(b"10\n", b"ten\nten\n").replace(b"30\n", b"thirty\n")
    result = apply_hunks(numbered(40), hunks_of(numbered(40), new), path="/f")
    assert [place.line for place in result.places] == [7, 28]


def test_changed_context_is_ignored_with_fuzz() -> None:
    hunks = hunks_of(numbered(9), numbered(9).replace(b"5\n", b"five\n"))
    result = apply_hunks(numbered(9).replace(b"2\n", b"two\n"), hunks, path="/f")
    assert result == Applied(
        b"1\ntwo\n3\n4\nfive\n6\n7\n8\n9\n", (HunkPlace(line=2, offset=0, fuzz=1),)
    )


def test_without_fuzz_changed_context_is_a_failure() -> None:
    hunks = hunks_of(numbered(9), numbered(9).replace(b"5\n", b"five\n"))
    failure(numbered(9).replace(b"2\n", b"two\n"), hunks, fuzz=0)


def test_a_hunk_from_the_end_of_a_file_applies_at_the_end_only() -> None:
    hunks = hunks_of(b"x\n" * 5, b"x\n" * 5 + b"y\n")
    assert apply_hunks(b"x\n" * 9, hunks, path="/f").data == b"x\n" * 9 + b"y\n"


def test_fuzz_never_leaves_a_hunk_without_anything_to_compare() -> None:
    failure(b"other\n", parsed("@@ -1 +1,2 @@\n x\n+y\n"))


def test_an_insertion_without_context_goes_where_it_says() -> None:
    hunks = parsed("@@ -1,0 +2 @@\n+x\n")
    assert apply_hunks(b"a\nb\n", hunks, path="/f").data == b"a\nx\nb\n"


def test_an_insertion_without_context_past_the_end_fails() -> None:
    assert "line 10 is not in the file" in str(failure(b"a\n", parsed("@@ -9,0 +10 @@\n+x\n")))


def test_a_new_file_is_made_of_nothing() -> None:
    assert apply_hunks(b"", parsed("@@ -0,0 +1,2 @@\n+a\n+b\n"), path="/f").data == b"a\nb\n"


def test_a_missing_newline_must_be_missing_in_the_file() -> None:
    failure(b"a\n", hunks_of(b"a", b"b"))


def test_a_line_without_newline_gets_one_when_fuzz_leaves_lines_after_it() -> None:
    hunks = parsed("@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n")
    assert apply_hunks(b"x\nb\ny\n", hunks, path="/f").data == b"x\nc\ny\n"


# Hunks without a known place


def test_a_hunk_without_numbers_applies_where_it_matches() -> None:
    result = apply_hunks(numbered(9), parsed("@@\n 4\n-5\n+five\n"), path="/f")
    assert result == Applied(
        numbered(9).replace(b"5\n", b"five\n"), (HunkPlace(line=4, offset=0, fuzz=0),)
    )


def test_a_hunk_without_numbers_that_matches_twice_is_refused() -> None:
    error = failure(b"x\ny\nx\n", parsed("@@\n-x\n+z\n"))
    assert error.data == {"hunk": 1, "line": 1, "lines": [1, 3]}


def test_a_hunk_without_numbers_is_looked_for_below_the_one_before() -> None:
    hunks = parsed("@@\n-y\n+Y\n@@\n-x\n+X\n")
    assert apply_hunks(b"x\ny\nx\n", hunks, path="/f").data == b"x\nY\nX\n"


def test_a_hunk_without_numbers_gets_no_fuzz() -> None:
    failure(numbered(9), parsed("@@\n 4\n-5\n+five\n six\n"))


# Line endings


def test_an_lf_patch_applies_to_a_crlf_file_and_keeps_its_endings() -> None:
    old, new = numbered(9), numbered(9).replace(b"5\n", b"five\nmore\n")
    result = apply_hunks(old.replace(b"\n", b"\r\n"), hunks_of(old, new), path="/f")
    assert result.data == new.replace(b"\n", b"\r\n")
    assert result.endings_adapted


def test_a_crlf_patch_applies_to_an_lf_file_and_keeps_its_endings() -> None:
    old, new = numbered(9), numbered(9).replace(b"5\n", b"five\nmore\n")
    crlf = hunks_of(old.replace(b"\n", b"\r\n"), new.replace(b"\n", b"\r\n"))
    assert apply_hunks(old, crlf, path="/f").data == new


def test_lines_that_the_patch_leaves_alone_keep_their_own_ending() -> None:
    hunks = parsed("@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n")
    result = apply_hunks(b"a\r\nb\r\nc\n", hunks, path="/f")
    assert result.data == b"a\r\nB\r\nc\n"


def test_an_exact_match_leaves_endings_to_the_patch() -> None:
    result = apply_hunks(b"a\r\n", hunks_of(b"a\r\n", b"a\n"), path="/f")
    assert result == Applied(b"a\n", (HunkPlace(1, 0, 0),))


def test_a_patch_of_mixed_endings_is_taken_as_it_is() -> None:
    failure(b"a\r\nb\r\n", hunks_of(b"a\nb\r\n", b"c\nb\r\n"), fuzz=0)


# Failures


def test_a_failure_says_what_was_expected_and_what_is_there() -> None:
    data = numbered(20).replace(b"11\n", b"eleven\n")
    error = failure(data, hunks_of(numbered(20), numbered(20).replace(b"11\n", b"x\n")))
    assert "hunk 1 (line 8) does not match; line 11 is 'eleven', not '11'" in str(error)
    assert error.data["hunk"] == 1
    assert error.data["line"] == 8
    assert error.data["mismatch"] == 11
    assert error.data["expected"] == ["8", "9", "10", "11", "12", "13", "14"]
    assert error.data["near"][3] == {"line": 11, "text": "eleven"}


def test_a_failure_shows_the_region_most_like_the_hunk() -> None:
    data = b"0\n" * 50 + numbered(20).replace(b"11\n", b"eleven\n")
    error = failure(data, hunks_of(numbered(20), numbered(20).replace(b"11\n", b"x\n")))
    assert error.data["mismatch"] == 61


def test_a_failure_notices_a_change_that_is_there_already() -> None:
    new = numbered(20).replace(b"11\n", b"x\n")
    error = failure(new, hunks_of(numbered(20), new))
    assert "in the file already, at line 8" in str(error.hint)


def test_a_failure_notices_that_only_white_space_differs() -> None:
    hunks = parsed("@@ -1,2 +1,2 @@\n  def f():\n-  return 1\n+  return 2\n")
    error = failure(b"  def f():\n    return 1\n", hunks)
    assert "only white space differs" in str(error.hint)


def test_a_failure_past_the_end_says_so() -> None:
    assert "line 2 is past the end, not 'b'" in str(
        failure(b"a\n", parsed("@@ -1,2 +1 @@\n a\n-b\n"))
    )


@pytest.mark.parametrize(
    ("data", "difference"),
    [(b"a\nb", "the file and no newline, not with LF"), (b"a\r\nb\n", "CR LF, not with LF")],
)
def test_a_failure_tells_line_endings_apart(data: bytes, difference: str) -> None:
    error = failure(data, parsed("@@ -1,2 +1 @@\n a\n-b\n@@ -9 +9 @@\n-x\n+x\r\n"), fuzz=0)
    assert f"ends with {difference}" in str(error)


def test_a_failure_explains_missing_context() -> None:
    hunks = parsed("@@ -1,4 +1,4 @@\n 1\n 2\n 3\n-4\n+four\n")
    assert "as many lines of context below" in str(failure(numbered(9), hunks).hint)


def test_a_failure_names_hunks_out_of_order() -> None:
    hunks = parsed("@@ -8 +8 @@\n-8\n+x\n@@ -2 +2 @@\n-2\n+y\n")
    assert "the hunk before it ends below" in str(failure(numbered(9), hunks))


def test_the_second_hunk_is_named_where_it_fails() -> None:
    new = numbered(40).replace(b"10\n", b"ten\n").replace(b"30\n", b"thirty\n")
    error = failure(numbered(29), hunks_of(numbered(40), new))
    assert error.data["hunk"] == 2


def test_a_failure_quotes_a_bounded_part() -> None:
    old = b"".join(b"%d %s\n" % (number, b"x" * 9999) for number in range(99))
    error = failure(b"other\n" * 99, hunks_of(old, b""))
    assert len(error.data["expected"]) == len(error.data["near"]) == 20
    assert len(str(error)) < 700


def test_a_negative_fuzz_is_refused() -> None:
    with pytest.raises(RangeError, match="cannot be negative"):
        apply_hunks(b"", (), fuzz=-1, path="/f")


# Hostile input


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"x\n" * 50_000, "@@ -1,20001 +1,20000 @@\n" + " x\n" * 20_000 + "-y\n"),
        (
            (b"x\n" * 999 + b"y\n") * 50,
            "@@ -1,2003 +1,2002 @@\n" + " x\n" * 1000 + "-y\n" + " x\n" * 1002,
        ),
        (b"x\nz\n" * 20_000, "@@ -999999999,3 +1,3 @@\n z\n-x\n+y\n z\n" * 2_000),
        (b"x\n" * 50_000, "@@\n" + " x\n" * 1000 + "-x\n"),
    ],
    ids=["rare line missing", "long equal runs", "numbers far off", "no number"],
)
def test_a_hostile_patch_is_given_up_in_time(data: bytes, body: str) -> None:
    hunks = parsed(body)
    start = time.process_time()
    failure(data, hunks)
    assert time.process_time() - start < 10  # measured at 0.05 s


def test_a_large_patch_applies_at_once() -> None:
    old = numbered(20_000)
    new = b"".join(
        b"changed\n" if at % 10 == 5 else line for at, line in enumerate(split_lines(old))
    )
    result = apply_hunks(b"0\n" * 3 + old, hunks_of(old, new), path="/f")
    assert result.data == b"0\n" * 3 + new
