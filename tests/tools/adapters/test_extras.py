"""An adapter whose library is missing says which extra installs it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec

import pytest

from vshell.errors import UnavailableError
from vshell.tools.adapters.extras import needs_extra

ADAPTERS = {
    "anthropic": ("anthropic", "anthropic"),
    "claude_agent_sdk": ("claude-agent-sdk", "claude_agent_sdk"),
    "deepagents": ("deepagents", "deepagents"),
    "fsspec": ("fsspec", "fsspec"),
    "google_adk": ("google-adk", "google"),
    "inspect_ai": ("inspect-ai", "inspect_ai"),
    "openai_agents": ("openai-agents", "agents"),
    "openai_sandbox": ("openai-agents", "agents"),
    "pydantic_ai": ("pydantic-ai", "pydantic_ai"),
    "smolagents": ("smolagents", "smolagents"),
    "strands": ("strands", "strands"),
}


class Missing:
    """Finds that a library is not installed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] == self.name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_extra_is_named(adapter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    extra, library = ADAPTERS[adapter]
    for name in list(sys.modules):
        if name.partition(".")[0] == library or name.endswith(f"adapters.{adapter}"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(library), *sys.meta_path])
    with pytest.raises(UnavailableError) as told:
        importlib.import_module(f"vshell.tools.adapters.{adapter}")
    assert told.value.hint == f"pip install 'vshell[{extra}]'"


def test_another_missing_module_is_an_error_as_it_is() -> None:
    with pytest.raises(ModuleNotFoundError), needs_extra("deepagents"):
        importlib.import_module("no_such_module_at_all")
