"""What a real tool answers, stored in `fixtures/golden`, and compared with ours."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tests.compat.golden.cases import FILES, Call
from vshell import Workspace
from vshell.tools.profile import Profile

DIRECTORY: Final = Path(__file__).parents[3] / "fixtures" / "golden"
ROOT: Final = "/project"


@dataclass(frozen=True)
class Recording:
    """What a program was asked, and what it said.

    Attributes:
        package: The program's package.
        version: Its version.
        tools: Each tool's parameters: their JSON types, and whether they are required.
        calls: Tool, arguments, text and whether it was an error; `@` is the directory.
    """

    package: str
    version: str
    tools: dict[str, dict[str, dict[str, Any]]]
    calls: list[dict[str, Any]]

    def save(self, name: str) -> None:
        """Store it under a profile's name."""
        DIRECTORY.mkdir(exist_ok=True)
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        (DIRECTORY / f"{name}.json").write_text(f"{text}\n")


def load(name: str) -> Recording:
    """Return the recording of a profile."""
    return Recording(**json.loads((DIRECTORY / f"{name}.json").read_text()))


def recorded() -> list[str]:
    """Return the profiles that have a recording."""
    return sorted(path.stem for path in DIRECTORY.glob("*.json"))


def outline(schemas: Iterable[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the parameters of tools from their JSON Schemas, without the descriptions."""
    found = {}
    for schema in schemas:
        parameters = schema["parameters"]
        required = parameters.get("required", [])
        found[schema["name"]] = {
            name: {"type": _type_of(each), "required": name in required}
            for name, each in sorted(parameters.get("properties", {}).items())
        }
    return found


def _type_of(schema: dict[str, Any]) -> str:
    """Return a parameter's JSON type; a whole number is a number, null is what is left out."""
    kinds = [each["type"] for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    kind = schema.get("type") or (kinds[0] if kinds else "any")
    return "number" if kind == "integer" else str(kind)


def placed(value: Any, root: str) -> Any:
    """Return arguments with `@` replaced by the directory."""
    if isinstance(value, dict):
        return {name: placed(each, root) for name, each in value.items()}
    if isinstance(value, list):
        return [placed(each, root) for each in value]
    if isinstance(value, str) and (value == "@" or value.startswith("@/")):
        return root + value[1:]
    return value


def make_files(root: Path) -> None:
    """Make the files on the host."""
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())


def ours(workspace: Workspace, profile: Profile, calls: Iterable[Call]) -> list[dict[str, Any]]:
    """Return what a profile answers to calls, in a workspace with the same files."""
    answers = []
    for tool, arguments in calls:
        result = profile.run(tool, placed(arguments, ROOT))
        answers.append({"text": result.text.replace(ROOT, "@"), "is_error": result.is_error})
    return answers


def profile_with_files(workspace: Workspace, name: str) -> Profile:
    """Return a profile that works in a directory with the files."""
    for path, content in FILES.items():
        workspace.write(f"{ROOT}/{path}", content.encode())
    return workspace.session("golden", cwd=ROOT).tools(name)
