"""What sorts, cuts, translates and dumps does it as the real tools do, whatever the input."""

from __future__ import annotations

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shell.differential import real_tool, run_ours
from tests.shell.run_command import ENVIRONMENT

LINES = st.lists(st.text("aAbB 12.,-\t_~/é", max_size=8), max_size=10).map(
    lambda lines: "".join(f"{line}\n" for line in lines).encode()
)
POSITION = st.integers(1, 3).flatmap(
    lambda field: st.sampled_from([f"{field}", f"{field}.1", f"{field}.2"])
)
KEY = st.builds(
    lambda start, flags, end: f"-k{start}{flags}{end}",
    POSITION,
    st.sampled_from(["", "n", "r", "f", "b", "d", "i", "g", "h", "M", "V", "nr"]),
    st.one_of(st.just(""), POSITION.map(lambda end: f",{end}")),
)
SET = st.sampled_from(
    [
        "a-z",
        "A-Z",
        "[:lower:]",
        "[:upper:]",
        "[:digit:]",
        "0-9",
        "\\n",
        "ab",
        "-",
        "a",
        "[:space:]",
        "\\0-\\377",
    ]
)


def same(words: list[str], stdin: bytes) -> None:
    real_tool(words[0])
    done = subprocess.run(
        words,
        input=stdin,
        env={**ENVIRONMENT, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=20,
        check=False,
    )
    exit_code, stdout, _, _ = run_ours(words, stdin, {})
    assert (exit_code, stdout) == (done.returncode, done.stdout), words


@settings(max_examples=60)
@given(
    LINES,
    st.lists(KEY, max_size=2),
    st.sets(st.sampled_from(["-n", "-r", "-f", "-u", "-s", "-b", "-t,"])),
)
def test_sort_orders_as_coreutils_does(stdin: bytes, keys: list[str], flags: set[str]) -> None:
    same(["sort", *keys, *sorted(flags)], stdin)


@settings(max_examples=40)
@given(
    LINES,
    st.sampled_from(["-b", "-c", "-f"]),
    st.lists(st.sampled_from(["1", "2", "1-2", "2-", "-2", "4-5"]), min_size=1, max_size=3).map(
        ",".join
    ),
    st.booleans(),
)
def test_cut_takes_what_coreutils_takes(
    stdin: bytes, kind: str, ranges: str, is_complement: bool
) -> None:
    words = ["cut", kind, ranges, *(["-d,"] if kind == "-f" else [])]
    same([*words, "--complement"] if is_complement else words, stdin)


@settings(max_examples=60)
@given(st.binary(max_size=60), SET, SET, st.sampled_from([[], ["-s"], ["-c"], ["-t"], ["-cs"]]))
def test_tr_translates_as_coreutils_does(
    stdin: bytes, first: str, second: str, flags: list[str]
) -> None:
    same(["tr", *flags, first, second], stdin)


@settings(max_examples=60)
@given(
    st.binary(max_size=70),
    st.lists(
        st.sampled_from(["x1", "o2", "c", "a", "d4", "u1z", "x8", "f4", "f8"]),
        min_size=1,
        max_size=2,
    ),
    st.sampled_from(["-Ad", "-Ax", "-An", "-Ao"]),
)
def test_od_dumps_as_coreutils_does(stdin: bytes, formats: list[str], radix: str) -> None:
    same(["od", radix, *(f"-t{each}" for each in formats)], stdin)


@settings(max_examples=40)
@given(st.binary(max_size=80), st.sampled_from(["base64", "base32"]), st.integers(0, 20))
def test_the_encodings_come_back(data: bytes, name: str, width: int) -> None:
    same([name, f"-w{width}"], data)
    encoded = run_ours([name], data, {})[1]
    assert run_ours([name, "-d"], encoded, {})[1] == data


@settings(max_examples=40)
@given(
    # GNU's own `s/a*/x/g` cuts characters of several bytes in pieces.
    LINES.filter(bytes.isascii),
    st.sampled_from(
        [
            "s/a*/x/g",
            "s/[0-9]\\+/<&>/2",
            "y/ab/ba/",
            "$!N;P;D",
            "1!G;h;$!d",
            "/a/,/b/d",
            "2~2d",
            "s/\\(.\\)\\(.\\)/\\2\\1/g",
        ]
    ),
)
def test_sed_edits_as_gnu_sed_does(stdin: bytes, script: str) -> None:
    same(["sed", script], stdin)
