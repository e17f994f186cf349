"""Tools: a name, a schema for the arguments, and a function that never fails a model.

A profile is a set of tools that speak one harness' language. `call` checks the
arguments against the tool's schema first, so that the function sees only what it
expects, and turns every error of vshell into a result that the model can read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vshell.errors import VshellError
from vshell.tools.schema import violations

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        name: What the model calls it.
        description: What the model is told of it.
        parameters: The schema of its arguments, a JSON Schema object.
        run: Does the work; gets the arguments by name and returns JSON-ready data.
        prepare: Mends arguments that models are known to get wrong, before the check.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[Arguments], Any] = field(repr=False)
    prepare: Callable[[Arguments], Arguments] = field(default=dict, repr=False)


class Profile:
    """The tools of one harness.

    Args:
        name: The profile's name.
        tools: Its tools.
        render_error: Turns an error of vshell into what the harness' own tools return.
    """

    def __init__(
        self,
        name: str,
        tools: list[Tool],
        *,
        render_error: Callable[[VshellError], Any],
    ) -> None:
        self.name = name
        self._tools = {tool.name: tool for tool in tools}
        self._render_error = render_error

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools, in the order in which a model is shown them."""
        return tuple(self._tools.values())

    def schemas(self) -> list[dict[str, Any]]:
        """Return name, description and input schema of each tool, as Anthropic's API takes them."""
        return [
            {
                "name": tool.name,
                "description": tool.description,
                "input_schema": dict(tool.parameters),
            }
            for tool in self.tools
        ]

    def call(self, name: str, arguments: object) -> Any:
        """Run a tool and return its result, JSON-ready; a mistake of the model's is a result too.

        Args:
            name: The tool.
            arguments: What the model gave it; anything but a mapping is a mistake.

        Returns:
            What the tool returns. For an unknown tool or arguments that break its schema, a
            dict with `error` (a text for the model) and, for the latter, `schema_error`:
            a list of `path` and `message`.
        """
        tool = self._tools.get(name)
        if tool is None:
            return {"error": f"No such tool: {name}. There are: {', '.join(self._tools)}."}
        if not isinstance(arguments, Mapping):
            return {"error": f"The arguments of {name} must be an object."}
        given = tool.prepare(dict(arguments))
        broken = violations(tool.parameters, given)
        if broken:
            told = "; ".join(f"{found['path']}: {found['message']}" for found in broken)
            return {"error": f"Invalid arguments for {name}: {told}", "schema_error": broken}
        try:
            return tool.run(given)
        except VshellError as error:
            return self._render_error(error)
