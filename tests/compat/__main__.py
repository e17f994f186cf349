"""`python -m tests.compat [SUITE ...]`: run the suites of others, and print a table.

codex     patches against Codex' own program (npm @openai/codex)
agents    patches against apply_diff (PyPI openai-agents)
memory    Anthropic's memory tool (PyPI anthropic)
mcp       the generic scenarios of @modelcontextprotocol/conformance (npm; node 22)
mcp_fs    the filesystem server's own answers (npm @modelcontextprotocol/server-filesystem)
fsspec    fsspec.tests.abstract (PyPI fsspec)
pydantic  WorkspaceBackendSuite (PyPI pydantic-ai-slim)
claude    the contracts for transcripts, and the server (PyPI claude-agent-sdk)
flue      the TypeScript driver under @flue/runtime (npm; node 22)
anthropic the agent toolset (PyPI anthropic)

Each of these makes a virtual environment of its own at its first run:

deepagents, deepagents_06   SandboxIntegrationTests (PyPI langchain-tests)
inspect     self_check (PyPI inspect-ai)
openai      shell, patches and sandbox sessions (PyPI openai-agents)
adk         environment tools (PyPI google-adk)
strands     sandboxes (PyPI strands-agents)
smolagents  code agents (PyPI smolagents)
readers     fsspec under pandas, duckdb and UPath
upath       BaseTests (the source of universal_pathlib)

`--install` gets the npm packages first, into $VSHELL_COMPAT_DIR (~/.cache/vshell/compat).
A suite whose program is missing is skipped, with the reason.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time

from tests.compat import programs
from tests.compat.outcome import Outcome

SUITES = {
    "codex": "codex_suite",
    "agents": "agents_suite",
    "memory": "memory_suite",
    "mcp": "mcp_suite",
    "mcp_fs": "mcp_fs_suite",
    "fsspec": "fsspec_suite",
    "pydantic": "pydantic_suite",
    "claude": "claude_suite",
    "flue": "flue_suite",
    "anthropic": "anthropic_suite",
    "deepagents": "deepagents_suite",
    "deepagents_06": "deepagents_06_suite",
    "inspect": "inspect_suite",
    "openai": "openai_suite",
    "adk": "adk_suite",
    "strands": "strands_suite",
    "smolagents": "smolagents_suite",
    "readers": "readers_suite",
    "upath": "upath_suite",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.compat",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], metavar="SUITE")
    parser.add_argument("--install", action="store_true", help="get the npm packages first")
    parser.add_argument(
        "--quick", action="store_true", help="a bounded part of each, without containers"
    )
    given = parser.parse_args()
    if given.install:
        programs.install(programs.PACKAGES)
    outcomes: list[tuple[Outcome, float]] = []
    for name in given.suites or SUITES:
        began = time.monotonic()
        module = importlib.import_module(f"tests.compat.{SUITES[name]}")
        outcomes.append((module.run(quick=given.quick), time.monotonic() - began))
    print("| suite | version | passed | seconds | notes |")
    print("|---|---|---|---|---|")
    for outcome, seconds in outcomes:
        print(outcome.row(seconds))
    return 0 if all(outcome.good for outcome, _ in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
