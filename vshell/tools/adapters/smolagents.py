"""smolagents: a `PythonExecutor` that runs an agent's code in the workspace's sandbox.

from smolagents import CodeAgent
from vshell.tools.adapters.smolagents import VshellPythonExecutor

agent = CodeAgent(tools=[], model=model, executor=VshellPythonExecutor(workspace))

The code sees `state`, with the files of the workspace, and calls the agent's tools, which
run on the host. Each step begins in a fresh sandbox: functions, classes and imports at the
top of earlier steps are defined again, and variables are kept whose values are plain data.
A step that fails changes no file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from vshell.session import Session
from vshell.tools.adapters.extras import needs_extra

with needs_extra("smolagents"):
    from smolagents.local_python_executor import CodeOutput, InterpreterError, PythonExecutor

__all__ = ["VshellPythonExecutor"]

_MAX_PRINTED: Final = 50_000
_FINAL: Final = "final_answer"
_PLAIN: Final = """
def _plain(value, depth=0):
    if value is None or isinstance(value, (bool, int, float, str)):
        return True
    if depth > 50:
        return False
    if isinstance(value, list):
        return all(_plain(each, depth + 1) for each in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(
            _plain(each, depth + 1) for each in value.values()
        )
    return False
"""


class VshellPythonExecutor(PythonExecutor):  # type: ignore[misc]
    """Runs code in the workspace's sandbox.

    Args:
        session: The workspace or session.
        limits: What each step may use: `Limits` or a mapping of its fields.
        engine: `"auto"`, or the engine's name, as `Session.run` takes it.
        max_print_outputs_length: How many characters of what a step prints are shown.
    """

    def __init__(
        self,
        session: Session,
        *,
        limits: Any = None,
        engine: str = "auto",
        max_print_outputs_length: int = _MAX_PRINTED,
    ) -> None:
        self._session = session
        self._limits = limits
        self._engine = engine
        self._most = max_print_outputs_length
        self._tools: dict[str, Callable[..., Any]] = {}
        self._variables: dict[str, Any] = {}
        self._definitions: dict[str, str] = {}
        self.state: dict[str, Any] = {}
        """`_print_outputs`: what the last step printed; agents show it when a step fails."""

    def send_tools(self, tools: Mapping[str, Callable[..., Any]]) -> None:
        """Let the code call these."""
        self._tools = dict(tools)

    def send_variables(self, variables: Mapping[str, Any]) -> None:
        """Give the code these variables; they must be plain data."""
        self._variables.update(variables)

    def __call__(self, code_action: str) -> CodeOutput:
        """Run one step.

        Raises:
            InterpreterError: It is no code, fails, or uses too much.
        """
        try:
            tree = ast.parse(code_action)
        except SyntaxError as error:
            raise InterpreterError(f"Code parsing failed: {error}") from error
        answers: list[Any] = []
        result = self._session.run(
            self._source(tree),
            language="python",
            inputs=self._variables,
            functions=self._functions(answers),
            limits=self._limits,
            engine=self._engine,
        )
        logs = _clipped(result.logs, self._most)
        self.state["_print_outputs"] = logs
        if answers:
            return CodeOutput(output=answers[0], logs=logs, is_final_answer=True)
        if result.status != "ok":
            told = result.error
            kind = told.type if told is not None else result.status
            raise InterpreterError(f"{kind}: {told.message if told is not None else ''}")
        self._variables.update(result.value["kept"])
        self._definitions.update(_definitions(tree))
        return CodeOutput(output=result.value["output"], logs=logs, is_final_answer=False)

    def _functions(self, answers: list[Any]) -> dict[str, Callable[..., Any]]:
        """Return the tools; the final answer is noted, and ends the step."""

        def final(*arguments: Any, **keywords: Any) -> Any:
            answers.append(self._tools[_FINAL](*arguments, **keywords))
            raise InterpreterError("the step has ended with the final answer")

        return {name: final if name == _FINAL else tool for name, tool in self._tools.items()}

    def _source(self, tree: ast.Module) -> str:
        """Return the step with what came before it, and a value at its end: output and variables.

        The output is the value of the last expression, as in a notebook.
        """
        body = list(tree.body)
        output = "None"
        if body and isinstance(last := body[-1], ast.Expr):
            output = ast.unparse(last.value)
            body.pop()
        names = sorted({*_assigned(tree)} - {*_definitions(tree)} - {"state", "inputs"})
        lines = [
            *self._definitions.values(),
            ast.unparse(ast.Module(body, [])),
            f"_output = {output}",
            _PLAIN,
            "_kept = {}",
        ]
        for name in names:
            lines += [
                "try:",
                f"    if _plain({name}): _kept[{name!r}] = {name}",
                "except NameError:",
                "    pass",
            ]
        return "\n".join([*lines, "{'output': _output, 'kept': _kept}"])


def _assigned(tree: ast.Module) -> Iterator[str]:
    """Yield the names that are given values outside of functions and classes."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        if not isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            pending += ast.iter_child_nodes(node)


def _definitions(tree: ast.Module) -> dict[str, str]:
    """Return the functions, classes and imports at the top, by name."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[node.name] = ast.unparse(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            source = ast.unparse(node)
            found[source] = source
    return found


def _clipped(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[:most]}\n..._This content has been truncated to stay below {most} characters_..."
