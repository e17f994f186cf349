from __future__ import annotations

import pytest

from vshell.errors import BadPatternError
from vshell.text.path_filter import PathFilter

PATHS = ["a.py", "b.ts", "src/a.py", "src/gen/c.py", "src/gen/d.ts", "lib/src/e.py", "x.d/f.py"]


def accepted(**patterns: str | list[str]) -> list[str]:
    chosen = PathFilter(**patterns)
    return [path for path in PATHS if chosen.accepts(path)]


def test_without_patterns_every_file_is_accepted() -> None:
    assert accepted() == PATHS


def test_a_pattern_without_a_slash_is_about_names_at_any_depth() -> None:
    assert accepted(include="*.ts") == ["b.ts", "src/gen/d.ts"]


def test_a_pattern_with_a_slash_starts_where_the_search_does() -> None:
    assert accepted(include="src/*.py") == ["src/a.py"]


def test_a_leading_slash_keeps_a_name_to_the_top() -> None:
    assert accepted(include="/*.py") == ["a.py"]


def test_one_of_several_is_enough() -> None:
    assert accepted(include=["b.*", "d.*"]) == ["b.ts", "src/gen/d.ts"]


def test_no_pattern_among_several_includes_nothing() -> None:
    assert accepted(include=[]) == []


def test_a_directory_is_excluded_with_all_that_is_in_it() -> None:
    assert accepted(exclude="src") == ["a.py", "b.ts", "x.d/f.py"]


def test_including_a_name_does_not_include_a_directory_of_that_name() -> None:
    assert accepted(include="*.d") == []


def test_a_slash_at_the_end_includes_what_is_in_such_directories() -> None:
    assert accepted(include="gen/") == ["src/gen/c.py", "src/gen/d.ts"]


def test_a_slash_at_the_end_excludes_directories_only() -> None:
    assert accepted(exclude="a.py/") == PATHS


def test_an_included_pattern_with_an_exclamation_mark_excludes() -> None:
    assert accepted(include=["*.py", "!src"]) == ["a.py", "x.d/f.py"]


def test_exclamation_marks_alone_exclude_from_everything() -> None:
    assert accepted(include="!*.py") == ["b.ts", "src/gen/d.ts"]


def test_what_is_excluded_goes_before_what_is_included() -> None:
    assert accepted(include="*.py", exclude="src/gen") == [
        "a.py",
        "src/a.py",
        "lib/src/e.py",
        "x.d/f.py",
    ]


@pytest.mark.parametrize(
    ("include", "suffixes"),
    [
        (None, None),
        ("*.py", [".py"]),
        (["*.py", "**/*.ts"], [".py", ".ts"]),
        (["*.py", "a*"], None),
        ("gen/", None),
    ],
)
def test_the_endings_of_names_are_known_when_every_pattern_has_one(
    include: str | list[str] | None, suffixes: list[str] | None
) -> None:
    assert PathFilter(include).suffixes == suffixes


@pytest.mark.parametrize("pattern", ["", "[z-a]", "\ud800"])
def test_a_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        PathFilter(pattern)


def test_a_path_of_a_thousand_directories_is_judged() -> None:
    assert not PathFilter(exclude="top").accepts("top/" + "d/" * 1000 + "f")
