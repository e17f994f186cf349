"""What `pyproject.toml` says holds together."""

from __future__ import annotations

import tomllib
from pathlib import Path

import vshell

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_test_extra_and_the_test_group_are_equal() -> None:
    assert (
        PROJECT["project"]["optional-dependencies"]["test"] == PROJECT["dependency-groups"]["test"]
    )


def test_every_dependency_has_a_lower_bound() -> None:
    for requirement in PROJECT["project"]["dependencies"]:
        assert ">=" in requirement, requirement


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "vshell" / "py.typed").exists()


def test_the_changelog_knows_the_version() -> None:
    assert f"## [{vshell.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_link_to_the_command_line_points_into_the_project() -> None:
    assert (ROOT / "vshell" / "repl").resolve() == ROOT / "repl"
