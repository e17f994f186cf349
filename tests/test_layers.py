"""The layers of the package: imports point down only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the bottom up. What shares a line may import each other, but for `sync` and
# `ops`, which know nothing of each other.
LAYERS = [
    {"_version", "errors", "limits", "record"},
    {"text", "host", "jail"},
    {"ignore"},
    {"fs"},
    {"ops", "sync"},
    {"shell", "script"},
    {"programs"},
    {"session", "workspace", "workspaces"},
    {""},
    {"tools", "aio"},
    {"repl"},
]
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}
FORBIDDEN = {("ops", "sync"), ("sync", "ops"), ("shell", "script"), ("script", "shell")}


def modules() -> list[Path]:
    packages = [path for path in (ROOT / "vshell").rglob("*.py") if "repl" not in path.parts]
    return sorted(packages + list((ROOT / "repl").rglob("*.py")))


def part_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    if relative.parts[0] == "repl":
        return "repl"
    if len(relative.parts) > 2:
        return relative.parts[1]
    return "" if relative.stem == "__init__" else relative.stem


def imports(path: Path) -> Iterator[str]:
    """Yield what a module imports anywhere, but for annotations, which never run."""
    nodes: list[ast.AST] = [ast.parse(path.read_text())]
    for node in nodes:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                continue  # within the package that the file is in
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts_imported(path: Path) -> set[str]:
    found = set()
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "vshell":
            part = rest.partition(".")[0]
            found.add(part if part in RANK else "")
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_its_own_layer_and_below(path: Path) -> None:
    part = part_of(path)
    # `from vshell.text.lines import decode` also names `vshell.text`; the package
    # itself counts only where nothing below it was meant.
    imported = parts_imported(path) - {part}
    names = {name for name in imports(path) if name.startswith("vshell")}
    if not any(name == "vshell" for name in names):
        imported.discard("")
    above = {other for other in imported if RANK[other] > RANK[part]}
    assert not above, f"{part} imports {above} from a layer above it"
    assert not {other for other in imported if (part, other) in FORBIDDEN}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_file_system_imports_apsw(path: Path) -> None:
    if part_of(path) == "fs" or path.name == "doctor.py":  # which reports SQLite's version
        return
    assert not [name for name in imports(path) if name.partition(".")[0] == "apsw"]


def test_every_part_of_the_package_has_a_layer() -> None:
    assert {part_of(path) for path in modules()} <= set(RANK)
