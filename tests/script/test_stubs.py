"""The stubs say what is true of the methods, in the words of each language."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vshell.ops.state import ALL_METHODS
from vshell.ops.state_shapes import SHAPES
from vshell.script.stubs import stubs

PROGRAM = """
for path, text in state.read_files("**/*.py").items():
    for match in state.search_text(path, "TODO", case_sensitive=False):
        print(match["line"] + 1, text.upper())
found = state.stat("/a")
if found is not None and found["type"] == "directory":
    state.write_json("/a.json", {"a": 1}, spaces=4)
plan = state.plan_edits([{"kind": "write", "path": "/a", "content": "b"}])
state.apply_edit_plan(plan, dry_run=True)["edits"][0]["diff"].splitlines()
"""


@pytest.mark.parametrize("brief", [False, True])
def test_every_method_is_in_the_stub_of_python(brief: bool) -> None:
    tree = ast.parse(stubs("python", brief=brief))
    (state,) = [
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "State"
    ]
    declared = [node.name for node in state.body if isinstance(node, ast.FunctionDef)]
    assert declared == [method.python_name for method in ALL_METHODS]


@pytest.mark.parametrize("brief", [False, True])
def test_every_method_and_shape_is_in_the_stub_of_javascript(brief: bool) -> None:
    text = stubs("javascript", brief=brief)
    assert all(f"\n  {method.name}(" in text for method in ALL_METHODS)
    assert all(f"interface {shape.name} {{" in text for shape in SHAPES)
    assert "readFile(path: string): Promise<string>;" in text
    assert "mkdir(path: string, options?: { recursive?: boolean }): Promise<void>;" in text
    assert text.count("{") == text.count("}")


@pytest.mark.slow
def test_a_program_is_right_by_the_stub_of_python(tmp_path: Path) -> None:
    (tmp_path / "stub.py").write_text(stubs("python"))
    (tmp_path / "program.py").write_text(f"from stub import state\n{PROGRAM}")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "program.py"]
    command += ["--disable-error-code", "empty-body", "--config-file", "/dev/null"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout


CHECKERS = (["deno", "check"], ["tsc", "--noEmit", "--target", "es2022", "--module", "es2022"])
TYPESCRIPT = """
/// <reference path="./state.d.ts" />
const files: string[] = await state.glob("src/**/*.ts");
const texts = await state.readFiles("**");
for (const path of Object.keys(texts)) await state.writeFile(path, texts[path].trim());
const found = await state.grep("x", { include: ["*.ts"], before: 2 });
await state.mkdir("/a", { recursive: found.matches[0].line + files.length > 1 });
// @ts-expect-error: the content is text
await state.writeFile("/a", 1);
export {};
"""


@pytest.mark.slow
def test_a_program_is_right_by_the_stub_of_javascript(tmp_path: Path) -> None:
    checker = next((words for words in CHECKERS if shutil.which(words[0])), None)
    if checker is None:
        pytest.skip("there is neither deno nor TypeScript")
    (tmp_path / "state.d.ts").write_text(stubs("javascript"))
    (tmp_path / "program.ts").write_text(TYPESCRIPT)
    done = subprocess.run(
        [*checker, "program.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
