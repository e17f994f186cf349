"""No example of docs/harnesses.md goes untested: each has a test that runs it as it is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tools.adapters.examples import PAGE

TESTS = Path(__file__).parent


def test_every_example_is_run_by_a_test_of_its_library() -> None:
    sections = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    shown = {each.partition("\n")[0] for each in sections if "\n```py\n" in each}
    said = "\n".join(path.read_text() for path in TESTS.glob("test_*.py"))
    assert shown == set(re.findall(r'run_example\("([^"]+)"', said))


def test_examples_in_typescript_import_what_their_suites_run() -> None:
    blocks = re.findall(r"^```ts\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    suites = (TESTS.parents[1] / "compat" / "typescript_suites.py").read_text()
    for block in blocks:
        packages = re.findall(r'from "(@[^"]+)"', block)
        assert packages
        assert all(f'"{package}"' in suites for package in packages)
