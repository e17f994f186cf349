"""Claude Agent SDK: a profile as an in-process MCP server, and transcripts in a workspace.

from claude_agent_sdk import ClaudeAgentOptions
from vshell.tools.adapters.claude_agent_sdk import allowed_tools, mcp_server

tools = workspace.tools("claude")
options = ClaudeAgentOptions(
    mcp_servers={"workspace": mcp_server(tools)},
    allowed_tools=allowed_tools(tools),
    session_store=TranscriptStore(workspace),
)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote

import anyio.to_thread

from vshell.errors import NotDirectoryError, NotFoundError
from vshell.ops.context import Context
from vshell.ops.entries import rm
from vshell.ops.write import append, write
from vshell.tools.adapters.extras import needs_extra
from vshell.tools.profile import Profile
from vshell.tools.session import ToolSession

with needs_extra("claude-agent-sdk", "claude_agent_sdk", "mcp"):
    from claude_agent_sdk import fold_session_summary
    from claude_agent_sdk.types import McpSdkServerConfig, SessionStore

    from vshell.tools.mcp_server import make_server

__all__ = ["TranscriptStore", "allowed_tools", "mcp_server"]

_MAIN: Final = "main.jsonl"
_SUMMARY: Final = "summary.json"
_PARTS: Final = "parts"
_LINES: Final = ".jsonl"

Key = Mapping[str, Any]
Result = TypeVar("Result")


def mcp_server(profile: Profile, *, name: str = "workspace") -> McpSdkServerConfig:
    """Return what `ClaudeAgentOptions.mcp_servers` takes: the tools, and the files as resources.

    Args:
        profile: The tools.
        name: The name that the options know the server by.
    """
    return McpSdkServerConfig(type="sdk", name=name, instance=make_server(profile, name=name))


def allowed_tools(profile: Profile, *, name: str = "workspace") -> list[str]:
    """Return what `ClaudeAgentOptions.allowed_tools` calls the tools of `mcp_server`."""
    return [f"mcp__{name}__{tool.name}" for tool in profile.tools]


class TranscriptStore(SessionStore):  # type: ignore[misc]
    """Transcripts of the SDK's sessions as files of a workspace, one line for each entry.

    Args:
        context: Whose files.
        directory: Where the transcripts are.
    """

    def __init__(self, context: Context, directory: str = "/.claude/transcripts") -> None:
        self._context = ToolSession(context)
        self._directory = context.resolve(directory)
        self._seen: dict[str, tuple[str, set[str]]] = {}

    async def append(self, key: Key, entries: list[Any]) -> None:
        """Add entries to a transcript; one whose `uuid` is there already is left out."""
        if entries:
            await _in_thread(lambda: self._append(key, entries))

    async def load(self, key: Key) -> list[Any] | None:
        """Return the entries of a transcript; None if there is none."""
        return await _in_thread(lambda: self._load(self._file(key)))

    async def list_sessions(self, project_key: str) -> list[Any]:
        """Return the sessions of a project, and when each was last written."""
        return await _in_thread(lambda: self._sessions(project_key))

    async def list_session_summaries(self, project_key: str) -> list[Any]:
        """Return the summaries of the sessions of a project."""
        return await _in_thread(lambda: self._summaries(project_key))

    async def delete(self, key: Key) -> None:
        """Remove a transcript; a session's own takes those of its subagents with it."""
        part = key.get("subpath") is not None
        path = self._file(key) if part else self._session(key)
        await _in_thread(lambda: rm(self._context, path, recursive=True, force=True))

    async def list_subkeys(self, key: Key) -> list[str]:
        """Return the subpaths of a session's transcripts."""

        def work() -> list[str]:
            names = self._names(f"{self._session(key)}/{_PARTS}")
            return [unquote(name.removesuffix(_LINES)) for name in names]

        return await _in_thread(work)

    def _append(self, key: Key, entries: list[Any]) -> None:
        path = self._file(key)
        with self._context.changing("transcript"):
            known = self._known(path)
            fresh = [entry for entry in entries if entry.get("uuid") not in known]
            if not fresh:
                return
            lines = "".join(f"{json.dumps(entry)}\n" for entry in fresh)
            written = append(self._context, path, lines)
            if key.get("subpath") is None:
                self._fold(key, fresh)
        known |= {entry["uuid"] for entry in fresh if "uuid" in entry}
        self._seen[path] = (written.hash, known)

    def _known(self, path: str) -> set[str]:
        """Return the uuids in a transcript; remembered as long as its content is the same."""
        if not self._context.files.exists(path):
            return set()
        content, known = self._seen.get(path, ("", set()))
        if content == self._context.files.stat(path).hash:
            return set(known)
        return {entry["uuid"] for entry in self._load(path) or () if "uuid" in entry}

    def _fold(self, key: Key, entries: list[Any]) -> None:
        path = f"{self._session(key)}/{_SUMMARY}"
        before = self._json(path) if self._context.files.exists(path) else None
        folded = fold_session_summary(before, key, entries)
        write(self._context, path, json.dumps(folded))

    def _load(self, path: str) -> list[Any] | None:
        try:
            data, _ = self._context.files.read_with_stat(path)
        except (NotFoundError, NotDirectoryError):
            return None
        return [json.loads(line) for line in data.splitlines()]

    def _json(self, path: str) -> Any:
        return json.loads(self._context.files.read_with_stat(path)[0])

    def _sessions(self, project_key: str) -> list[Any]:
        project = self._project(project_key)
        found = []
        for name in self._names(project):
            main = f"{project}/{name}/{_MAIN}"
            if self._context.files.exists(main):
                mtime_ms = self._context.files.stat(main).mtime_ns // 1_000_000
                found.append({"session_id": unquote(name), "mtime": mtime_ms})
        return found

    def _summaries(self, project_key: str) -> list[Any]:
        project = self._project(project_key)
        return [
            self._json(f"{project}/{quoted(each['session_id'])}/{_SUMMARY}")
            | {"mtime": each["mtime"]}
            for each in self._sessions(project_key)
        ]

    def _names(self, directory: str) -> list[str]:
        try:
            return self._context.files.names(directory)
        except (NotFoundError, NotDirectoryError):
            return []

    def _project(self, project_key: str) -> str:
        return f"{self._directory}/{quoted(project_key)}"

    def _session(self, key: Key) -> str:
        return f"{self._project(key['project_key'])}/{quoted(key['session_id'])}"

    def _file(self, key: Key) -> str:
        part = key.get("subpath")
        if part is None:
            return f"{self._session(key)}/{_MAIN}"
        return f"{self._session(key)}/{_PARTS}/{quoted(part)}{_LINES}"


def quoted(text: str) -> str:
    """Return any text as a file name, which `unquote` turns back."""
    return quote(text, safe="", errors="surrogateescape").replace(".", "%2E") or "%00"


async def _in_thread(work: Callable[[], Result]) -> Result:
    return await anyio.to_thread.run_sync(work)
