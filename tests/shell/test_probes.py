"""Scripts whose outcome GNU bash and the Debian tools gave: `fixtures/cases/bash_probes.json`."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vshell import Workspace

PROBES = json.loads((Path(__file__).parents[2] / "fixtures/cases/bash_probes.json").read_text())[
    "probes"
]
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/root"}

# Each probe that fails, and why. The test asserts that exactly these do.
FAILING: dict[str, str] = {
    "awk-07": "mawk 1.3.4 has no **, and refuses a program that has; ours knows it",
    "hard-29": "bash refuses an extended glob that is on the line of its shopt; the engine takes it",
    "param-24.3": "PIPESTATUS is not empty before the first pipeline",
    "redir-17": "in $(), what goes to a copy of stdout comes after and not before",
}


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


def as_bytes(value: str) -> bytes:
    return value.encode()


def printed(expected: dict[str, Any]) -> bytes:
    text = expected["stdout"]
    return bytes.fromhex(text) if expected["stdout_encoding"] == "hex" else text.encode()


def described(workspace: Workspace, path: str, like: Any) -> Any:
    """Return what is at a path in the form in which the case has it."""
    stat = workspace.lstat(path)
    if stat.kind == "symlink":
        return {"link": workspace.readlink(path)}
    data = workspace.read_bytes(path)
    if isinstance(like, dict) and "size" in like:
        return {"size": len(data)}
    if isinstance(like, dict) and "hex" in like:
        return {"hex": data.hex()}
    return data.decode("utf-8", "surrogateescape")


def normalised(file: Any) -> Any:
    """Return what is in a gzip file, and in a tar file in one, without the times."""
    if not (isinstance(file, dict) and str(file.get("hex")).startswith("1f8b")):
        return file
    data = gzip.decompress(bytes.fromhex(file["hex"]))
    if data[257:262] != b"ustar":
        return data
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return sorted((each.name, each.size, each.mode) for each in archive)


def outcome(workspace: Workspace, probe: dict[str, Any]) -> dict[str, Any]:
    """Run a probe in a directory of its own; return what differs from bash's outcome."""
    home = f"/probes/{probe['id']}"
    workspace.mkdir(home, parents=True)
    for path, content in probe["files"].items():
        workspace.write(f"{home}/{path}", as_bytes(content))
    session = workspace.session("probe", cwd=home, environment=ENVIRONMENT)
    with session.shell() as shell:
        result = shell.run(probe["script"], timeout_s=20)
    expected = probe["expected"]
    found: dict[str, Any] = {"stdout": result.stdout, "exit_code": result.exit_code}
    wanted: dict[str, Any] = {"stdout": printed(expected), "exit_code": expected["exit_code"]}
    if "files_after" in expected:
        after = expected["files_after"]
        names = [entry.path for entry in workspace.find(home).entries if entry.kind != "directory"]
        shown = {name[len(home) + 1 :]: name for name in names}
        found["files"] = {
            name: normalised(described(workspace, path, after.get(name)))
            for name, path in shown.items()
        }
        wanted["files"] = {name: normalised(each) for name, each in after.items()}
    return {
        key: (found[key], wanted[key], result.stderr) for key in found if found[key] != wanted[key]
    }


def test_the_probes_do_what_bash_does_but_for_those_listed(workspace: Workspace) -> None:
    differing = {
        probe["id"]: difference for probe in PROBES if (difference := outcome(workspace, probe))
    }
    assert differing.keys() == FAILING.keys(), differing
