"""Tools: a name, a schema for the arguments, and a function that never fails a model.

A profile is a set of tools that speak one harness' language. A call is read, bounded
and checked against the tool's schema first, so that the function sees only what it
expects; every error of vshell becomes a result that the model can read. A tool that
changes something runs in one transaction, journalled under the tool's name: a call
changes all that it says, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vshell.errors import UnavailableError, VshellError
from vshell.ops.context import Context
from vshell.tools.arguments import ArgumentsError, coerced, read_arguments, renamed
from vshell.tools.commands import CommandRunner
from vshell.tools.result import ToolError, ToolResult, ToolText
from vshell.tools.schema import violations

Arguments = dict[str, Any]
Form = Literal["anthropic", "openai", "openai-responses", "mcp"]
Changes = bool | Callable[[Arguments], bool]


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        name: What the model calls it.
        description: What the model is told of it.
        parameters: The schema of its arguments, a JSON Schema object.
        run: Does the work; gets the context, or with `runs_commands` the `CommandRunner`, and
            the arguments by name, and returns text, JSON-ready data or a `ToolResult`.
        prepare: Mends arguments that models are known to get wrong, before the check.
        aliases: Other names for parameters, as other harnesses have them.
        changes: Whether a call may change files, or tells it from the arguments.
        separate: It does its work in transactions of its own, as a script does.
        runs_commands: It runs shell commands: it may change anything, and can be interrupted.
        strict: Take the arguments as they are; false: `"5"` will do for 5, and so on.
        title: What people call it.
        anthropic: What Anthropic's API takes instead of a schema: its `type`, and options.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[Any, Arguments], Any] = field(repr=False)
    prepare: Callable[[Arguments], Arguments] | None = field(default=None, repr=False)
    aliases: Mapping[str, str] = field(default_factory=dict)
    changes: Changes = False
    separate: bool = False
    runs_commands: bool = False
    strict: bool = False
    title: str = ""
    anthropic: Mapping[str, Any] | None = None

    def will_change(self, given: Arguments) -> bool:
        """Whether a call with these arguments may change files."""
        if self.runs_commands:
            return True
        return self.changes if isinstance(self.changes, bool) else self.changes(given)

    @property
    def read_only(self) -> bool:
        """Whether no call changes anything."""
        return self.changes is False and not self.runs_commands


def _explain(name: str, broken: list[dict[str, str]]) -> Any:
    told = "; ".join(f"{found['path'] or 'arguments'}: {found['message']}" for found in broken)
    return f"Invalid arguments for {name}: {told}. Correct them and call {name} again."


class Profile:
    """The tools of one harness.

    Args:
        name: The profile's name.
        tools: Its tools.
        context: What they work in.
        rules: What those that run commands may run, as `Session.shell` takes it.
        render_error: Turns an error of vshell into what the harness' own tools return.
        render_mistake: The same for arguments that break the schema: gets the tool's name
            and the `path` and `message` of each violation.
        failure: The form in which the harness has other mistakes; gets a text.
    """

    def __init__(
        self,
        name: str,
        tools: Collection[Tool],
        *,
        context: Context,
        rules: Any = None,
        render_error: Callable[[VshellError], Any],
        render_mistake: Callable[[str, list[dict[str, str]]], Any] = _explain,
        failure: Callable[[str], Any] = str,
    ) -> None:
        self.name = name
        self.context = context
        self._tools = {tool.name: tool for tool in tools}
        self._rules = rules
        self._runner = CommandRunner(context, rules=rules)
        self._render_error = render_error
        self._render_mistake = render_mistake
        self._failure = failure

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools, in the order in which a model is shown them."""
        return tuple(self._tools.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The tools' names."""
        return tuple(self._tools)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def only(
        self,
        *,
        read_only: bool = False,
        include: Collection[str] | None = None,
        exclude: Collection[str] = (),
    ) -> Profile:
        """Return a profile with some of the tools.

        Args:
            read_only: Only tools that can read; such as can do both refuse to change.
            include: Only these; None for all.
            exclude: Not these.

        Raises:
            UnavailableError: There is no tool of such a name.
        """
        wanted = {*(include or ()), *exclude}
        if unknown := sorted(wanted - set(self._tools)):
            raise UnavailableError(
                f"the profile {self.name} has no tool {unknown[0]}",
                hint=f"choose from {', '.join(self._tools)}",
            )
        kept = [
            tool
            for tool in self.tools
            if (include is None or tool.name in include)
            and tool.name not in exclude
            and not (read_only and (tool.changes is True or tool.runs_commands))
        ]
        return Profile(
            self.name,
            kept,
            context=self.context,
            rules=self._rules,
            render_error=self._render_error,
            render_mistake=self._render_mistake,
            failure=self._failure,
        )

    def schemas(self, form: Form = "anthropic") -> list[dict[str, Any]]:
        """Return name, description and JSON Schema of each tool, as an API takes them.

        Args:
            form: `"anthropic"`: the Messages API's `tools`; `"openai"`: the Chat Completions
                API's; `"openai-responses"`: the Responses API's; `"mcp"`: the result of
                MCP's `tools/list`.

        Raises:
            UnavailableError: There is no such form.
        """
        maker = _FORMS.get(form)
        if maker is None:
            raise UnavailableError(
                f"no such form of schemas: {form}", hint=f"choose from {', '.join(_FORMS)}"
            )
        return [maker(tool) for tool in self.tools]

    def definitions(self, form: Form = "anthropic") -> list[dict[str, Any]]:
        """Return what to hand to a model's API as its tools.

        That is `schemas(form)`, but where the API knows the tool by itself (Anthropic's
        text editor and memory), its type and name alone.
        """
        if form != "anthropic":
            return self.schemas(form)
        return [
            {**tool.anthropic, "name": tool.name} if tool.anthropic else _anthropic(tool)
            for tool in self.tools
        ]

    def call(self, name: str, arguments: object = None) -> Any:
        """Run a tool and return what the harness' own tool returns, JSON-ready.

        A mistake of the model's is a result too: text (a `ToolText`, whose `is_error` tells),
        or in profiles whose results are objects one with `error`.

        Args:
            name: The tool.
            arguments: What the model gave it: a mapping, or its JSON text; anything else is a
                mistake.
        """
        result = self.run(name, arguments)
        if isinstance(result.value, str):
            return ToolText(result.value, is_error=result.is_error)
        return result.value

    def run(self, name: str, arguments: object = None) -> ToolResult:
        """Do the same as `call`, and return all that is known of the result."""
        tool = self._tools.get(name) if isinstance(name, str) else None
        if tool is None:
            return ToolResult(self._failure(self._unknown(name)), is_error=True)
        try:
            given = self._read(tool, arguments)
        except ArgumentsError as error:
            return ToolResult(self._failure(str(error)), is_error=True)
        broken = violations(tool.parameters, given)
        if broken:
            return ToolResult(self._render_mistake(tool.name, broken[:10]), is_error=True)
        try:
            made = self._run(tool, given)
        except ToolError as failure:
            value = failure.value
            return value if isinstance(value, ToolResult) else ToolResult(value, is_error=True)
        except VshellError as error:
            return ToolResult(self._render_error(error), is_error=True)
        if isinstance(made, ToolResult):
            return made
        return ToolResult(made, is_error=isinstance(made, dict) and "error" in made)

    def interrupt(self, name: str) -> None:
        """Stop what a tool is doing now, if it can be stopped; from any thread."""
        tool = self._tools.get(name)
        if tool is not None and tool.runs_commands:
            self._runner.interrupt()

    def _read(self, tool: Tool, arguments: object) -> Arguments:
        given = read_arguments(tool.name, arguments)
        if tool.strict:
            return tool.prepare(given) if tool.prepare else given
        known = tool.parameters.get("properties", {})
        given = renamed(given, known, tool.aliases)
        if tool.prepare:
            given = tool.prepare(given)
        return coerced(given, known)

    def _run(self, tool: Tool, given: Arguments) -> Any:
        if tool.runs_commands:
            return tool.run(self._runner, given)
        if tool.separate or not tool.will_change(given):
            return tool.run(self.context, given)
        with self.context.changing(tool.name):
            return tool.run(self.context, given)

    def _unknown(self, name: object) -> str:
        import difflib

        shown = str(name)[:100]
        near = difflib.get_close_matches(shown, self._tools, n=1, cutoff=0.5)
        folded = {known.lower(): known for known in self._tools}
        meant = folded.get(shown.lower()) or (near[0] if near else None)
        guess = f" Did you mean {meant}?" if meant else ""
        return f"No such tool: {shown}.{guess} There are: {', '.join(self._tools)}."


def _anthropic(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": dict(tool.parameters),
    }


def _openai(tool: Tool) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}


def _responses(tool: Tool) -> dict[str, Any]:
    return {"type": "function", **_openai(tool)["function"], "strict": False}


def _mcp(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "title": tool.title or tool.name,
        "description": tool.description,
        "inputSchema": dict(tool.parameters),
        "annotations": {
            "readOnlyHint": tool.read_only,
            "destructiveHint": not tool.read_only,
            "openWorldHint": False,
        },
    }


_FORMS: dict[str, Callable[[Tool], dict[str, Any]]] = {
    "anthropic": _anthropic,
    "openai": _openai,
    "openai-responses": _responses,
    "mcp": _mcp,
}
