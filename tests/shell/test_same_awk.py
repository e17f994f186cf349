"""`awk`: each program does the same here and in the real gawk and mawk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shell.awk_programs import EVERYWHERE, FILES, GNU, Words
from tests.shell.differential import Outcome, real_tool, run_ours, run_real


def seen(outcome: Outcome) -> tuple[int, bytes, object]:
    """Return what counts: the exit code, and all that was printed and written.

    gawk ends with 1 or 2, by when it notices that a program is wrong; and mawk with 2.
    """
    exit_code, stdout, _, files = outcome
    return 2 if exit_code == 1 else exit_code, stdout, files


@pytest.mark.parametrize("name", [pytest.param("gawk", marks=pytest.mark.slow), "mawk"])
@pytest.mark.parametrize("words", EVERYWHERE, ids=repr)
def test_a_program_does_the_same_everywhere(tmp_path: Path, name: str, words: Words) -> None:
    theirs = run_real(tmp_path / "real", [name, *words], b"", FILES)
    assert seen(run_ours([name, *words], b"", FILES)) == seen(theirs)


@pytest.mark.parametrize("words", GNU, ids=repr)
def test_a_program_of_gawk_does_the_same_here(tmp_path: Path, words: Words) -> None:
    theirs = run_real(tmp_path / "real", ["gawk", *words], b"", FILES)
    assert seen(run_ours(["gawk", *words], b"", FILES)) == seen(theirs)


WRONG: list[Words] = [
    ("BEGIN { f(1) }",),
    ("{ print }", "nofile"),
    ("{ print 1 / $9 }", "data"),
    ("BEGIN { $(-1) = 2 }",),
    ('BEGIN { if (x ~ "(") print }',),
    ('BEGIN{print substr("x")}',),
    ("-f", "nofile"),
]


@pytest.mark.parametrize("words", WRONG, ids=repr)
def test_what_goes_wrong_is_said_as_gawk_says_it(tmp_path: Path, words: Words) -> None:
    theirs = run_real(tmp_path / "real", ["gawk", *words], b"", FILES)
    assert run_ours(["gawk", *words], b"", FILES)[2] == theirs[2]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


KEYS = st.sampled_from(["alpha", "beta", "x", "y", "10", "2", "1", "user-7", "10.0.0.1", "é"])


@given(keys=st.lists(KEYS, min_size=1, max_size=12, unique=True))
@settings(max_examples=30, deadline=None)
def test_the_keys_of_an_array_come_in_the_order_of_mawk(empty: Path, keys: list[str]) -> None:
    real_tool("mawk")
    program = '{ a[$1] = NR } END { for (k in a) printf "%s ", k }'
    data = "".join(f"{key}\n" for key in keys).encode()
    theirs = run_real(empty, ["mawk", program], data, {})
    ours = run_ours(["mawk", program], data, {})
    # Keys that share a slot of the table come in the order in which they were last used.
    assert sorted(ours[1].split()) == sorted(theirs[1].split())
    if len(keys) < 3:
        assert ours[1] == theirs[1]


TEXTS = st.text(st.sampled_from("ab,;. \t19-+e_x"), max_size=12)


@given(
    lines=st.lists(TEXTS, min_size=1, max_size=6),
    separator=st.sampled_from([" ", ",", "[,;]+", "a", "\t"]),
)
@settings(max_examples=40, deadline=None)
def test_any_line_has_the_fields_and_numbers_of_gawk(
    empty: Path, lines: list[str], separator: str
) -> None:
    program = '{ print NF; for (i = 1; i <= NF; i++) print $i, $i + 0, $i > 9, $i == $1, $i < "a" }'
    words = ["gawk", "-F", separator, program]
    data = "".join(f"{line}\n" for line in lines).encode()
    theirs = run_real(empty, words, data, {})
    assert run_ours(words, data, {})[1] == theirs[1]
