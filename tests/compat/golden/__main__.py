"""`python -m tests.compat.golden [NAME ...]`: record what real tools answer, in fixtures/golden.

Needs the packages that `python -m tests.compat` installs; those that are missing are installed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.compat import programs
from tests.compat.golden import cases
from tests.compat.golden.recording import Recording, make_files, outline, placed
from tests.compat.suites import DEEPAGENTS

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.compat.golden",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", choices=[*RECORDERS, []], metavar="NAME")
    for name in parser.parse_args().names or RECORDERS:
        programs.tell(f"recording {name}")
        RECORDERS[name]().save(name)


def pi() -> Recording:
    """Record Pi's tools, called by node."""
    return _by_node("@earendil-works/pi-coding-agent", "pi_tools.mjs", cases.PI)


def gemini() -> Recording:
    """Record the tools of Gemini CLI, called by node."""
    return _by_node("@google/gemini-cli-core", "gemini_tools.mjs", cases.GEMINI)


def claude() -> Recording:
    """Record the parameters of Claude Code's tools: what they answer is in no package."""
    package = "@anthropic-ai/claude-agent-sdk"
    programs.install([package])
    found = programs.package(package)
    assert found is not None
    declared = (found / "sdk-tools.d.ts").read_text()
    tools = {name: _declared(declared, source) for name, source in _CLAUDE_TOOLS.items()}
    return Recording(package, programs.version(package), tools, [])


_CLAUDE_TOOLS = {
    "Read": "FileReadInput",
    "Write": "FileWriteInput",
    "Edit": "FileEditInput",
    "Glob": "GlobInput",
    "Grep": "GrepInput",
    "Bash": "BashInput",
}


def _declared(source: str, interface: str) -> dict[str, dict[str, Any]]:
    """Return the parameters of a tool from its declaration in TypeScript."""
    block = re.search(
        rf"^export interface {interface} {{\n(.*?)^}}", source, re.MULTILINE | re.DOTALL
    )
    assert block is not None
    fields = re.findall(r'^  "?([\w-]+)"?(\??): ([^;]+);', block[1], re.MULTILINE)
    return {
        name: {"type": "string" if kind.startswith('"') else kind, "required": not optional}
        for name, optional, kind in sorted(fields)
    }


def deepagents() -> Recording:
    """Record deepagents' tools, in the environment of its suite."""
    DEEPAGENTS.make()
    found = _answers([DEEPAGENTS.python, str(HERE / "deepagents_tools.py")], cases.DEEPAGENTS)
    version = DEEPAGENTS.versions("deepagents").partition(" ")[2]
    return _recording("deepagents", version, found, cases.DEEPAGENTS)


def opencode() -> Recording:
    """Record OpenCode's tools, which a scripted model asks for."""
    package = "opencode-linux-x64"
    programs.install([package])
    program = f"{programs.package(package)}/bin/opencode"
    found = _answers([sys.executable, str(HERE / "opencode_tools.py"), program], cases.OPENCODE)
    return _recording(package, programs.version(package), found, cases.OPENCODE)


def mcp_fs() -> Recording:
    """Record the MCP filesystem server, asked by the SDK's client."""
    package = "@modelcontextprotocol/server-filesystem"
    programs.install([package, "node"])
    command = [sys.executable, str(HERE / "mcp_tools.py"), str(programs.node())]
    calls = cases.mcp_fs_calls()
    found = _answers([*command, f"{programs.package(package)}/dist/index.js"], calls)
    return _recording(package, programs.version(package), found, calls)


def _by_node(package: str, script: str, calls: list[cases.Call]) -> Recording:
    programs.install([package, "node"])
    where = {"PACKAGE": str(programs.package(package))}
    found = _answers([str(programs.node()), str(HERE / script)], calls, where)
    return _recording(package, programs.version(package), found, calls)


def _answers(
    command: list[str], calls: list[cases.Call], environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run a script that makes the calls in a directory with the files; return what it prints."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "project").resolve()
        make_files(root)
        told = subprocess.run(
            command,
            cwd=root,
            env={**os.environ, "HOME": scratch, **(environment or {})},
            input=json.dumps(placed([list(call) for call in calls], str(root))),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
        )
        last = told.stdout.strip().splitlines()[-1]
        found: dict[str, Any] = json.loads(last.replace(str(root), "@"))
    for answer in found["answers"]:
        answer["text"] = _OF_PROCESSES.sub("", answer["text"])
    return found


# Numbers of processes, and files of the host with the whole output: a workspace has neither.
_OF_PROCESSES = re.compile(r"\nProcess Group PGID: \d+|(?<=\.) Full output: /tmp/\S+\.log")


def _recording(
    package: str, version: str, found: dict[str, Any], calls: list[cases.Call]
) -> Recording:
    told = [
        {"tool": tool, "arguments": arguments, **answer}
        for (tool, arguments), answer in zip(calls, found["answers"], strict=True)
    ]
    return Recording(package, version, outline(found["tools"]), told)


RECORDERS: dict[str, Callable[[], Recording]] = {
    "pi": pi,
    "gemini": gemini,
    "claude": claude,
    "opencode": opencode,
    "deepagents": deepagents,
    "mcp_fs": mcp_fs,
}

if __name__ == "__main__":
    main()
