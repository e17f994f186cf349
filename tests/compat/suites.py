"""The suites: what each is, where it runs, and how much of it must pass."""

from __future__ import annotations

from typing import Final, Protocol

from tests.compat import codex_suite, mcp_fs_suite, mcp_suite, typescript_suites
from tests.compat.environments import Environment
from tests.compat.outcome import Outcome
from tests.compat.program_suite import ProgramSuite
from tests.compat.pytest_suite import CONTAINER, NONE, VIRTUAL, PytestSuite
from tests.compat.upath_suite import UpathSuite


class Suite(Protocol):
    """What the table runs."""

    @property
    def executors(self) -> tuple[str, ...]:
        """What it is run on."""

    def run(self, executor: str, *, quick: bool = False) -> Outcome:
        """Run it, the whole or a quick part."""


HERE: Final = Environment()
DEEPAGENTS: Final = Environment("deepagents", ("deepagents==0.7.32", "langchain-tests==1.1.9"))
DEEPAGENTS_06: Final = Environment(
    "deepagents-0.6", ("deepagents==0.6.12", "langchain-tests==1.1.9")
)
PYDANTIC: Final = Environment("pydantic-ai", ("pydantic-ai-slim==2.68.0",))
CLAUDE: Final = Environment("claude-agent-sdk", ("claude-agent-sdk==0.2.189", "mcp>=2.3,<3"))
INSPECT: Final = Environment("inspect", ("inspect-ai==0.3.285",))
OPENAI: Final = Environment("openai-agents", ("openai-agents==0.24.0",))
ADK: Final = Environment("google-adk", ("google-adk==2.13.0",))
STRANDS: Final = Environment("strands", ("strands-agents==1.62.0",))
SMOLAGENTS: Final = Environment("smolagents", ("smolagents==1.26.0",))
FSSPEC: Final = Environment(
    "upath",
    (
        "fsspec==2026.9.0",
        "universal-pathlib==0.3.10",
        "pandas==3.1.1",
        "duckdb==2.0.1",
        "smbprotocol",
        "pytest-mock",
    ),
)

_ADAPTERS: Final = "tests/tools/adapters"

SUITES: Final[dict[str, Suite]] = {
    "memory": PytestSuite(
        "anthropic's memory tool, generated commands",
        HERE,
        ("anthropic",),
        ("tests/tools/test_memory.py",),
        notes="one of the tests tries 100 generated sequences",
    ),
    "anthropic": PytestSuite(
        "anthropic's agent toolset, the same calls",
        HERE,
        ("anthropic",),
        (f"{_ADAPTERS}/test_anthropic.py",),
        least={VIRTUAL: 7, CONTAINER: 1},
        notes="one of the tests makes 47 calls to both",
    ),
    "fsspec": PytestSuite(
        "fsspec.tests.abstract",
        HERE,
        ("fsspec",),
        (
            f"{_ADAPTERS}/test_fsspec.py",
            "-k",
            "TestCopy or TestGet or TestPut or TestOpen or TestPipe",
        ),
        least={NONE: 137},
    ),
    "codex": ProgramSuite(
        "Codex' apply_patch, generated patches",
        "@openai/codex",
        codex_suite.compare,
        least=500,
        needs_node=False,
    ),
    "mcp": ProgramSuite(
        "MCP conformance, generic scenarios",
        "@modelcontextprotocol/conformance",
        mcp_suite.compare,
        least=8,
    ),
    "mcp_fs": ProgramSuite(
        "the MCP filesystem server, the same calls",
        "@modelcontextprotocol/server-filesystem",
        mcp_fs_suite.compare,
        least=24,
    ),
    "flue": ProgramSuite(
        "the driver for Flue under its runtime",
        "@flue/runtime",
        typescript_suites.compare_flue,
        least=10,
    ),
    "pi": ProgramSuite(
        "Pi's own tools on a workspace",
        "@earendil-works/pi-coding-agent",
        typescript_suites.compare_pi,
        least=7,
    ),
    "pydantic": PytestSuite(
        "pydantic-ai WorkspaceBackendSuite",
        PYDANTIC,
        ("pydantic-ai-slim",),
        (f"{_ADAPTERS}/test_pydantic_ai.py", "-k", "TestVirtual or TestContainer"),
        least={VIRTUAL: 36, CONTAINER: 39},
    ),
    "claude": PytestSuite(
        "claude-agent-sdk: session store, in-process server",
        CLAUDE,
        ("claude-agent-sdk", "mcp"),
        (f"{_ADAPTERS}/test_claude_agent_sdk.py",),
        least={NONE: 5},
        notes="one of the tests runs the 14 contracts of run_session_store_conformance",
    ),
    "deepagents": PytestSuite(
        "langchain-tests SandboxIntegrationTests",
        DEEPAGENTS,
        ("deepagents", "langchain-tests"),
        (f"{_ADAPTERS}/test_deepagents.py", "-k", "TestVirtual or TestContainer"),
        least={VIRTUAL: 79, CONTAINER: 79},
    ),
    "deepagents_06": PytestSuite(
        "langchain-tests SandboxIntegrationTests",
        DEEPAGENTS_06,
        ("deepagents", "langchain-tests"),
        (f"{_ADAPTERS}/test_deepagents.py", "-k", "TestVirtual or TestContainer"),
        least={VIRTUAL: 86, CONTAINER: 86},
    ),
    "inspect": PytestSuite(
        "inspect-ai self_check",
        INSPECT,
        ("inspect-ai",),
        (f"{_ADAPTERS}/test_inspect_ai.py", "-k", "self_check"),
        least={VIRTUAL: 40, CONTAINER: 43},
    ),
    "openai": PytestSuite(
        "openai-agents: sandbox session as the host's, shell, patches",
        OPENAI,
        ("openai-agents",),
        (f"{_ADAPTERS}/test_openai_agents.py", f"{_ADAPTERS}/test_openai_sandbox.py"),
        least={VIRTUAL: 21, CONTAINER: 2},
        notes="one of the tests takes 39 steps in both, on each executor",
    ),
    "apply_diff": PytestSuite(
        "openai-agents apply_diff, generated diffs",
        OPENAI,
        ("openai-agents",),
        ("tests/compat/test_apply_diff.py",),
        least={NONE: 500},
    ),
    "adk": PytestSuite(
        "google-adk: environment tools as on the host, code executor, agent",
        ADK,
        ("google-adk",),
        (f"{_ADAPTERS}/test_google_adk.py",),
        least={VIRTUAL: 6, CONTAINER: 2},
        notes="one of the tests makes 9 calls to both, one runs 5 programs",
    ),
    "strands": PytestSuite(
        "strands-agents: sandbox as the host's, agent",
        STRANDS,
        ("strands-agents",),
        (f"{_ADAPTERS}/test_strands.py",),
        least={VIRTUAL: 5, CONTAINER: 1},
        notes="one of the tests takes 16 steps in both",
    ),
    "smolagents": PytestSuite(
        "smolagents CodeAgent",
        SMOLAGENTS,
        ("smolagents",),
        (f"{_ADAPTERS}/test_smolagents.py",),
        least={NONE: 7},
    ),
    "readers": PytestSuite(
        "pandas, duckdb and UPath through fsspec",
        FSSPEC,
        ("pandas", "duckdb", "universal-pathlib", "fsspec"),
        (f"{_ADAPTERS}/test_fsspec_readers.py",),
        least={NONE: 4},
    ),
    "upath": UpathSuite(FSSPEC, least=115),
}
