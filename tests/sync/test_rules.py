"""Which paths belong to the mirror."""

from __future__ import annotations

import pytest

from vshell.sync.rules import DEFAULT_CACHE, MARKER, Rules
from vshell.sync.target import is_temporary, tree_key


@pytest.mark.parametrize("name", [pattern.rstrip("/") for pattern in DEFAULT_CACHE])
def test_what_can_be_made_again_is_cache_wherever_it_is(name: str) -> None:
    rules = Rules()
    assert rules.tier(name, is_directory=True) == "cache"
    assert rules.tier(f"a/{name}/b/c", is_directory=False) == "cache"
    assert rules.tier(f"a/{name}", is_directory=False) == "synced"


def test_git_s_own_directory_is_synced() -> None:
    assert Rules().tier(".git/HEAD", is_directory=False) == "synced"


def test_what_is_excluded_is_no_cache() -> None:
    rules = Rules(ignore=["node_modules"], cache=["node_modules/", "*.pyc"])
    assert rules.tier("node_modules", is_directory=True) == "excluded"
    assert rules.tier("a/b.pyc", is_directory=False) == "cache"


def test_patterns_are_those_of_a_gitignore_at_the_root() -> None:
    rules = Rules(ignore=["/build/", "*.log", "!keep.log", "docs/*.tmp"], cache=())
    assert rules.tier("build/x", is_directory=False) == "excluded"
    assert rules.tier("a/build/x", is_directory=False) == "synced"
    assert rules.tier("a/b.log", is_directory=False) == "excluded"
    assert rules.tier("a/keep.log", is_directory=False) == "synced"
    assert rules.tier("docs/a.tmp", is_directory=False) == "excluded"
    assert rules.tier("a/docs/a.tmp", is_directory=False) == "synced"


@pytest.mark.parametrize("pattern", ["a b/", "#x", "!x", "x*", "caf\xe9"])
def test_a_pattern_that_is_no_plain_name_is_a_pattern(pattern: str) -> None:
    quick, exact = Rules(ignore=[pattern]), Rules(ignore=[pattern, "/never/*"])
    for name in ("a b", "#x", "x", "xy", "caf\xe9", pattern):
        for kind in (True, False):
            expected = exact.tier(name, is_directory=kind)
            assert quick.tier(name, is_directory=kind) == expected


def test_what_the_mirror_needs_itself_is_never_synced() -> None:
    rules = Rules(cache=())
    assert rules.tier(MARKER, is_directory=False) == "excluded"
    assert rules.tier(f"a/{MARKER}", is_directory=False) == "synced"
    assert rules.tier("a/.vshell-0123-1.tmp", is_directory=False) == "excluded"
    assert is_temporary(".vshell-0123-1.tmp")
    assert not is_temporary(".vshell-0123")


def test_rules_differ_by_what_they_say() -> None:
    assert Rules().digest == Rules(cache=DEFAULT_CACHE).digest
    assert Rules(ignore=["a"]).digest != Rules(cache=["a"]).digest


def test_a_directory_comes_right_before_what_is_in_it() -> None:
    paths = ["a-b", "a/x", "a", "a/x/y", "b", "a/x.y"]
    assert sorted(paths, key=tree_key) == ["a", "a/x", "a/x/y", "a/x.y", "a-b", "b"]
