from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vshell.errors import TooLargeError
from vshell.ignore import (
    MAX_IGNORE_BYTES,
    MAX_WILDCARD_CHARACTERS,
    MAX_WILDCARD_RULES,
    IgnoreRules,
    has_segment_named,
)
from vshell.text import gitignore

FIXTURES = Path(__file__).parents[1] / "fixtures/cases"


def ignored(text: str | bytes, paths: str) -> str:
    """Which of the paths a single file at the root ignores; a slash marks a directory."""
    rules = IgnoreRules([("/", text)])
    return " ".join(
        path
        for path in paths.split()
        if rules.ignored("/" + path.removesuffix("/"), is_directory=path.endswith("/"))
    )


# --- one file -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "paths", "expected"),
    [
        ("a", "a a/ b/a a/b ab", "a a/ b/a a/b"),
        ("a/", "a a/ a/b b/a/", "a/ a/b b/a/"),
        ("/a", "a b/a a/b", "a a/b"),
        ("a/b", "a/b c/a/b a/b/c", "a/b a/b/c"),
        ("*.c", "x.c a/x.c .c x.cc", "x.c a/x.c .c"),
        ("lib*", "lib libx a/liby xlib", "lib libx a/liby"),
        ("*", "a b/c", "a b/c"),
        ("/*", "a b/c", "a b/c"),
        ("/*\n!/b", "a b/c", "a"),
        ("a/*.c", "a/x.c a/b/x.c b/a/x.c", "a/x.c"),
        ("**/a/b", "a/b x/a/b x/y/a/b a/x/b", "a/b x/a/b x/y/a/b"),
        ("a/**", "a/ a/b a/b/c", "a/b a/b/c"),
        ("a/**/b", "a/b a/x/b a/x/y/b ab", "a/b a/x/b a/x/y/b"),
        ("**/*.c", "x.c a/x.c", "x.c a/x.c"),
        ("**", "a a/b", "a a/b"),
        ("a**b", "ab axb a/b", "ab axb"),
        ("/a**/b", "a/b ax/y/b ab b", "a/b ax/y/b ab"),
        ("*.c\n!x.c", "x.c y.c", "y.c"),
        ("!x.c\n*.c", "x.c y.c", "x.c y.c"),
        ("a/\n!a/b", "a/b a/", "a/b a/"),
        ("[ab]\n[!c]d", "a b c ad cd", "a b ad"),
        ("a[!b]c/d", "a/c/d axc/d", "axc/d"),
        ("[[:digit:]]", "1 a", "1"),
        ("[[:bogus:]]\n[a\nx\\", "a x [a x\\", ""),
        ("[z-a]", "z a -", "z"),
        (r"[\]]", r"] \ ", "]"),
        (r"\a\*", r"a* ab \a*", "a*"),
        (r"\#a", "#a", "#a"),
        (r"\!a", "!a", "!a"),
        ("#a", "#a a", ""),
        ("!#a\n", "#a", ""),
        ("a\r\nb\r\n", "a b", "a b"),
        ("a\rb", "a b a\rb", ""),
        ("\n\n \n!\n/\n", "a b", ""),
        ("a   ", "a", "a"),
        ("a\t", "a a\t", ""),
        ("\ufeffa", "a", "a"),
        ("a\0b", "a ab", "a"),
        ("?.c", "x.c é.c", "x.c"),
        ("??.c", "x.c é.c", "é.c"),
        ("é", "é", "é"),
        ("[é]x", "éx", ""),
    ],
)
def test_a_rule_ignores_what_the_manual_says(text: str, paths: str, expected: str) -> None:
    assert ignored(text, paths) == expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("a ", "a ", False),
        ("a\\ ", "a ", True),
        ("a\\  ", "a ", True),
        ("a\\\\ ", "a\\", True),
        (" a", " a", True),
        ("a b", "a b", True),
        ("a*", "a\nb", True),
        ("*a?", "a\nb", False),
        ("*a?b", "\na\nb", True),
        ("a", "a\n", False),
        ("a*c", "abc\n", False),
    ],
)
def test_white_space_in_rules_and_names(text: str, name: str, expected: bool) -> None:
    assert IgnoreRules([("/", text)]).ignored(f"/{name}", is_directory=False) == expected


def test_lines_and_names_that_are_no_utf8_are_compared_as_bytes() -> None:
    name = b"\xff\xfe".decode("utf-8", "surrogateescape")
    rules = IgnoreRules([("/", b"\xff\xfe\nx[\xf0-\xff]\n")])
    assert rules.ignored(f"/{name}", is_directory=False)
    assert rules.ignored("/a/x\udcfe", is_directory=False)
    assert not rules.ignored("/x\udc80", is_directory=False)
    assert IgnoreRules([("/", name)]).ignored(f"/{name}", is_directory=False)
    assert IgnoreRules([("/", "\ud800*\n")]).prune([("/a", False)]) == ["/a"]


# --- several files ----------------------------------------------------------------------


def test_a_deeper_file_goes_before_a_higher_one() -> None:
    rules = IgnoreRules([("/", "*.log\n"), ("/keep", "!*.log\n"), ("/keep/not", "a.log")])
    assert rules.prune(
        [(path, False) for path in ("/a.log", "/keep/a.log", "/keep/not/a.log", "/keep/not/b.log")]
    ) == ["/keep/a.log", "/keep/not/b.log"]


def test_paths_in_a_file_start_from_its_directory() -> None:
    rules = IgnoreRules([("/a", "/b\nc/d\n")])
    assert rules.ignored("/a/b", is_directory=False)
    assert rules.ignored("/a/c/d", is_directory=False)
    assert not rules.ignored("/b", is_directory=False)
    assert not rules.ignored("/ab", is_directory=False)
    assert not rules.ignored("/x/a/b", is_directory=False)


def test_below_an_ignored_directory_nothing_is_included_again() -> None:
    rules = IgnoreRules([("/", "a/\n!a/b\n"), ("/a", "!*\n"), ("/a/b", "!c\n")])
    assert rules.ignored("/a/b/c", is_directory=False)
    assert rules.at("/a/b").ignored


def test_a_file_below_an_ignored_directory_is_never_read() -> None:
    rules = IgnoreRules([("/", "a/\n"), ("/a", "x" * (MAX_IGNORE_BYTES + 1))])
    assert rules.ignored("/a/b", is_directory=False)


def test_patterns_go_before_all_files_and_several_texts_count_as_one() -> None:
    rules = IgnoreRules(
        [("/", "*.c\nb\n"), ("/", "!b\n"), ("/d", "!x.c\n")], patterns=["x.c", "!/y.c", "# ", "e/"]
    )
    left = ["/y.c", "/b", "/#", "/d/e"]
    gone = ["/x.c", "/z.c", "/d/x.c", "/d/y.c", "/# "]
    assert rules.prune([(path, False) for path in [*left, *gone]]) == left
    assert rules.ignored("/d/e", is_directory=True)


def test_the_root_is_never_ignored() -> None:
    assert not IgnoreRules([("/", "*\n/\n**\n")]).ignored("/", is_directory=True)


def test_a_walk_can_take_the_rules_along() -> None:
    rules = IgnoreRules([("/", "build\n/src/*.o\n"), ("/src", "tmp/\n")])
    source = rules.at("/").child("src")
    assert source.path == "src"
    assert source.ignores("x.o", is_directory=False)
    assert source.ignores("tmp", is_directory=True)
    assert not source.ignores("tmp", is_directory=False)
    assert not source.child("deep").ignores("x.o", is_directory=False)
    assert source.child("build").ignored
    assert source.child("build").child("x").ignores("y", is_directory=False)
    assert rules.at("/src/deep/deeper").child("tmp").ignored


def test_a_walk_can_bring_the_files_that_it_meets() -> None:
    top = IgnoreRules(patterns=["first"]).at("/").child("a", text="*.o\n!first\n")
    assert top.ignores("x.o", is_directory=False)
    assert top.ignores("first", is_directory=False)
    below = top.child("b", text=b"!x.o\n")
    assert [below.ignores(name, is_directory=False) for name in ("x.o", "y.o")] == [False, True]
    assert top.child("y.o", text="!*\n").ignored


def test_directories_may_be_asked_about_in_any_order() -> None:
    files = [("/", "*.o\n"), ("/a", "!x.o\n"), ("/a/b", "x.o\n")]
    paths = ["/a/b/x.o", "/a/x.o", "/x.o", "/c/d/x.o", "/a/b/c/y.o"]
    forward, backward = IgnoreRules(files), IgnoreRules(files)
    expected = [forward.ignored(path, is_directory=False) for path in paths]
    assert expected == [True, False, True, True, True]
    assert [backward.ignored(p, is_directory=False) for p in reversed(paths)] == expected[::-1]


# --- bounds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MAX_IGNORE_BYTES + 1),
        "é" * (MAX_IGNORE_BYTES // 2 + 1),
        b"x\n" * (MAX_IGNORE_BYTES // 2 + 1),
        "*a*\n" * (MAX_WILDCARD_RULES + 1),
        "*" + "a" * MAX_WILDCARD_CHARACTERS + "*",
    ],
    ids=["long", "long in bytes", "bytes", "many rules", "long rules"],
)
def test_a_file_over_the_limits_is_refused_by_its_path(text: str | bytes) -> None:
    rules = IgnoreRules([("/a/b", text)])
    assert not rules.ignored("/a/c", is_directory=False)
    with pytest.raises(TooLargeError) as caught:
        rules.ignored("/a/b/c", is_directory=False)
    assert caught.value.filename == "/a/b/.gitignore"
    assert caught.value.hint


def test_the_files_on_the_way_down_count_together() -> None:
    half = "*q*\n" * (MAX_WILDCARD_RULES // 2)
    rules = IgnoreRules([("/", half), ("/a", half), ("/a/b", "*q*\n")])
    assert not rules.ignored("/a/x", is_directory=False)
    with pytest.raises(TooLargeError):
        rules.ignored("/a/b/x", is_directory=False)
    with pytest.raises(TooLargeError):
        IgnoreRules(patterns=["*a*"] * (MAX_WILDCARD_RULES + 1))


@pytest.mark.parametrize("line", ["name{}", "*.x{}", "x{}*", "/a/b{}", "!n{}/", "**/n{}"])
def test_plain_rules_by_the_ten_thousand_cost_little(line: str) -> None:
    rules = IgnoreRules([("/", "\n".join(line.format(number) for number in range(10_000)))])
    started = time.process_time()
    assert not any(rules.ignored(f"/a/file{n}", is_directory=False) for n in range(1000))
    assert time.process_time() - started < 5  # needs 50 ms


LONG = "a" * 255
HOSTILE_PATHS = [f"/{LONG}", "/" + "/".join([LONG] * 10), "/" + "/".join("a" * 50)]


@pytest.mark.parametrize(
    "line",
    [
        "*a" * 40 + "b",
        "/" + "*a" * 40 + "b",
        "x/**/" + "*a" * 30 + "b",
        "**/a/" * 30 + "b/c",
        "**/" + "*a/" * 30 + "b",
        "a/**/" + "*a/" * 30 + "b",
        "*" + "a" * 120 + "b*" + "a" * 120 + "b",
        "[" * 5000 + "x",
        "[[:" * 2000 + "*",
        "[b" * 3000 + "]",
        "*?" * 4000 + "b",
        "**/" * 5000 + "b/c",
        "\\" * 16001,
    ],
    ids=lambda line: f"{line[:12]}...{len(line)}",
)
def test_hostile_rules_cost_little(line: str) -> None:
    rules = IgnoreRules([("/", f"{line}\n" * (3 if len(line) < 1000 else 1))])
    started = time.process_time()
    assert not any(rules.ignored(path, is_directory=False) for path in HOSTILE_PATHS)
    assert time.process_time() - started < 5  # some need 100 ms; a blow-up needs years


def test_usual_rules_do_without_pathspec() -> None:
    code = """
import sys
from vshell.ignore import IgnoreRules
rules = IgnoreRules([("/", "*.py[cod]\\nbuild/\\n.env.*\\n*.log\\n/docs/_build\\n**/x\\n")])
assert rules.ignored("/a/b.pyc", is_directory=False)
assert "pathspec" not in sys.modules
assert IgnoreRules([("/", "a/*.c\\n")]).ignored("/a/b.c", is_directory=False)
assert "pathspec" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# --- against git --------------------------------------------------------------------------

NAMES = ["a", "b", "ab", "c", ".a", "a b", "a*", "#a", "!a", "a\\", "b ", "[a", "é", "aa", "\udcff"]
FRAGMENTS = [
    *("a", "b", "ab", "c", "a", "b", ".", "*", "*", "*", "**", "?", "/", "/", "/**/", "**/", "/**"),
    *("[ab]", "[!a]", "[^b]", "[a-c]", "[c-a]", "[]a]", "[a", "[\\]a]", "[\\a-c]", "[[:alpha:]]"),
    *("[[:foo:]]", "[[:a]", "\\a", "\\*", "\\", "\\/", " ", "\\ ", "!", "#", "\t", "é", "\udcff"),
]
FEW = ["a", "b", "a", "*", "**", "***", "?", "/", "/", "/**/", "**/", "\\/"]


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def random_tree(chance: random.Random, names: list[str], top: Path) -> dict[str, bool]:
    """Make files and directories; return the paths, and whether each is a directory."""
    kinds: dict[str, bool] = {}
    for _ in range(120):
        parts = chance.choices(names, k=chance.randint(1, 4))
        paths = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        if any(kinds.get(path) is False for path in paths):
            continue
        leaf = kinds.get(paths[-1], chance.random() < 0.3)
        kinds |= dict.fromkeys(paths[:-1], True) | {paths[-1]: leaf}
    for path, is_directory in kinds.items():
        if is_directory:
            os.makedirs(as_bytes(f"{top}/{path}"), exist_ok=True)
        else:
            os.makedirs(os.path.dirname(as_bytes(f"{top}/{path}")), exist_ok=True)
            Path(os.fsdecode(as_bytes(f"{top}/{path}"))).touch()
    return kinds


def random_file(chance: random.Random, fragments: list[str]) -> str:
    def line() -> str:
        middle = "".join(chance.choices(fragments, k=chance.randint(1, 6)))
        start = chance.choice(["", "", "", "", "!", "/", "!/"])
        return start + middle + chance.choice(["", "", "", "/", "/", "  ", "\r", "\\ "])

    lines = "\n".join(line() for _ in range(chance.choice([1, 1, 2, 3, 6])))
    return chance.choice(["", "", "\ufeff"]) + lines + chance.choice(["", "\n", "\r\n"])


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., set[str]]:
    """Run git on the test's directory; its output is a set of paths."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }

    def run(*arguments: str, stdin: bytes = b"") -> set[str]:
        done = subprocess.run(
            [b"git", *map(as_bytes, arguments)],
            input=stdin,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        return set(done.stdout.decode("utf-8", "surrogateescape").split("\0")) - {""}

    run("init", "--quiet", "--template=", ".")
    return run


@pytest.mark.parametrize(
    ("seed", "names", "fragments"),
    [(1, NAMES, FRAGMENTS), (2, NAMES, FRAGMENTS), (3, ["a", "b", "aa", "ab"], FEW)],
    ids=["everything", "everything again", "stars and slashes"],
)
def test_git_ignores_the_same_paths(
    tmp_path: Path,
    git: Callable[..., set[str]],
    seed: int,
    names: list[str],
    fragments: list[str],
) -> None:
    chance = random.Random(seed)
    kinds = random_tree(chance, names, tmp_path)
    directories = ["", *(path for path in kinds if kinds[path])]
    question = as_bytes("\0".join(kinds))
    for _ in range(150):
        homes = chance.sample(directories, k=chance.choice([1, 1, 2, 4]))
        files = {home: random_file(chance, fragments) for home in [*homes, ""]}
        places = [os.fsdecode(as_bytes(f"{tmp_path}/{home}/.gitignore")) for home in files]
        for place, text in zip(places, files.values(), strict=True):
            Path(place).write_bytes(as_bytes(text))
        expected = git("check-ignore", "--no-index", "-z", "--stdin", stdin=question)
        for place in places:
            os.unlink(place)
        rules = IgnoreRules((f"/{home}", text) for home, text in files.items())
        found = {path for path in kinds if rules.ignored(f"/{path}", is_directory=kinds[path])}
        assert found == expected, ascii(files)


def test_git_ignores_the_same_files_by_patterns(
    tmp_path: Path, git: Callable[..., set[str]]
) -> None:
    chance = random.Random(4)
    kinds = random_tree(chance, NAMES, tmp_path)
    fragments = [fragment for fragment in FRAGMENTS if "\n" not in fragment]
    for _ in range(60):
        text = random_file(chance, fragments)
        patterns = ["".join(chance.choices(fragments, k=3)) for _ in range(3)]
        (tmp_path / ".gitignore").write_bytes(as_bytes(text))
        expected = git(
            *("ls-files", "-z", "--others", "--ignored", "--exclude-per-directory=.gitignore"),
            *(f"--exclude={pattern}" for pattern in patterns),
        )
        rules = IgnoreRules([("/", text)], patterns=patterns)
        found = {
            path
            for path, is_directory in {**kinds, ".gitignore": False}.items()
            if not is_directory and rules.ignored(f"/{path}", is_directory=False)
        }
        assert found == expected, (ascii(text), patterns)


def test_pathspec_and_the_translation_for_other_rules_agree() -> None:
    chance = random.Random(5)
    paths = [
        "/".join(chance.choices(["a", "b", "ab", "ba", "x.a"], k=k)) for k in (1, 2, 3, 4) * 20
    ]
    compared = 0
    for _ in range(2000):
        rule = gitignore.parse_rule("".join(chance.choices(["a", "b", "*", "**/", "/", "?"], k=5)))
        if gitignore.is_literal(rule.body) or not gitignore._is_ordinary(rule.body):
            continue
        compared += 1
        one = re.compile(gitignore.rule_regex(rule), re.DOTALL)
        other = re.compile(gitignore._wildmatch_regex(rule.body), re.DOTALL)
        for path in paths:
            text = path.rpartition("/")[2] if rule.on_name else path
            assert bool(one.fullmatch(text)) == bool(other.fullmatch(text)), (rule, text)
    assert compared > 300


# --- names of segments ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        step
        for case in json.loads((FIXTURES / "dofs_fs.json").read_text("utf-8"))["cases"]
        for step in case["steps"]
        if step["op"] == "is_ignored"
    ],
    ids=lambda step: str(step["args"]),
)
def test_a_recorded_case_is_decided_the_same(step: Any) -> None:
    path, names = step["args"]
    assert has_segment_named(path, names) == step["expect"]["value"]


@pytest.mark.parametrize(
    ("path", "names", "expected"),
    [
        ("/a/node_modules", ["node_modules"], True),
        ("/node_modules/a", ["x", "node_modules"], True),
        ("/a/node_modules_old", ["node_modules"], False),
        ("/a/b", ["*"], False),
        ("/a/b", [""], False),
        ("/a/b", [], False),
        ("/", ["/"], False),
    ],
)
def test_only_a_whole_segment_counts(path: str, names: list[str], expected: bool) -> None:
    assert has_segment_named(path, names) == expected
