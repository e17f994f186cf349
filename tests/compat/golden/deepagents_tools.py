"""Calls deepagents' own tools in the current directory, in the environment that has them.

Reads [[tool, arguments], ...] from stdin and prints the tools' schemas and answers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

from deepagents import create_deep_agent
from deepagents.backends import LocalShellBackend
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.utils.function_calling import convert_to_openai_tool


class Scripted(GenericFakeChatModel):  # type: ignore[misc]
    """A model that says what it is told to, and notes the tools that it is given."""

    tools: ClassVar[list[Any]] = []

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        self.tools.extend(tools)
        return self


def main() -> None:
    calls = json.load(sys.stdin)
    script = [
        AIMessage("", tool_calls=[{"name": name, "args": given, "id": str(number)}])
        for number, (name, given) in enumerate(calls)
    ]
    model = Scripted(messages=iter([*script, AIMessage("done")]))
    backend = LocalShellBackend(Path.cwd(), virtual_mode=False, inherit_env=True)
    agent = create_deep_agent(model, backend=backend)
    told = agent.invoke({"messages": [("user", "go")]}, {"recursion_limit": 1000})
    answers = [
        {"text": message.content, "is_error": message.status == "error"}
        for message in told["messages"]
        if isinstance(message, ToolMessage)
    ]
    wanted = {name for name, _ in calls}
    schemas = {
        found["function"]["name"]: found["function"]
        for found in map(convert_to_openai_tool, model.tools)
        if found["function"]["name"] in wanted
    }
    print(json.dumps({"tools": list(schemas.values()), "answers": answers}))


if __name__ == "__main__":
    main()
