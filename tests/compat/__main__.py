"""`python -m tests.compat [SUITE ...]`: run the suites of others, and print a table.

codex     patches against Codex' own program (npm @openai/codex)
agents    patches against apply_diff (PyPI openai-agents)
memory    Anthropic's memory tool (PyPI anthropic)
mcp       the generic scenarios of @modelcontextprotocol/conformance (npm; node 22)
mcp_fs    the filesystem server's own answers (npm @modelcontextprotocol/server-filesystem)
fsspec    fsspec.tests.abstract (PyPI fsspec)
pydantic  WorkspaceBackendSuite (PyPI pydantic-ai-slim)
flue      the TypeScript driver under @flue/runtime (npm; node 22)

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
    "flue": "flue_suite",
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.compat",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], metavar="SUITE")
    parser.add_argument("--install", action="store_true", help="get the npm packages first")
    parser.add_argument("--quick", action="store_true", help="a bounded part of each")
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
