"""Scripts of the kind that models write do what they are for, in each language that they suit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vshell import Workspace
from vshell.script.engine import Unavailability
from vshell.script.pool import ENGINES, scripts_of

SCRIPTS = Path(__file__).parents[2] / "fixtures" / "scripts"
RUNS = [
    (path, engine)
    for path in sorted(SCRIPTS.glob("*/script.*"))
    for engine in (["auto", "cpython"] if path.suffix == ".py" else ["quickjs"])
]


@pytest.fixture(scope="module")
def reasons() -> Iterator[dict[str, Unavailability | None]]:
    """Why an engine cannot be used; while a workspace has one, it stays warm for all."""
    with Workspace.memory() as workspace:
        scripts = scripts_of(workspace.files)
        yield {name: scripts.engine(name).available() for name in ENGINES}


def test_there_are_twenty_in_both_languages() -> None:
    names = [path.suffix for path, _ in RUNS]
    assert len(set(SCRIPTS.iterdir())) >= 20
    assert names.count(".js") >= 18
    assert names.count(".py") >= 2 * 18


@pytest.mark.parametrize(
    ("script", "engine"), RUNS, ids=[f"{path.parent.name}{path.suffix}-{e}" for path, e in RUNS]
)
def test_a_script_does_what_it_is_for(
    script: Path, engine: str, reasons: dict[str, Unavailability | None]
) -> None:
    language = "python" if script.suffix == ".py" else "javascript"
    engines = [name for name, (_, runs) in ENGINES.items() if runs == language]
    wanted = engines if engine == "auto" else [engine]
    missing = [reason for name in wanted if (reason := reasons[name])]
    if len(missing) == len(wanted):
        pytest.skip("; ".join(each.reason for each in missing))
    case: dict[str, Any] = json.loads((script.parent / "case.json").read_text())
    with Workspace.memory() as workspace:
        for path, text in case["files"].items():
            workspace.write(path, text)
        result = workspace.run(
            script.read_text(),
            language=language,
            engine=engine,
            inputs=case.get("inputs"),
            limits={"timeout_s": 60},
        )
        assert result.status == "ok", result.error
        assert result.value == case["value"]
        for path, text in case["after"].items():
            assert workspace.exists(path) is (text is not None)
            assert text is None or workspace.read_text(path) == text
