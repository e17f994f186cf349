"""A program of awk as one of Python: a function for each section, and for each of its own."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any, Final

from vshell.shell.commands.awk import syntax
from vshell.shell.commands.awk.compile_statements import Section, StatementCompiler
from vshell.shell.commands.awk.errors import AwkFatal, SkipFile, SkipRecord
from vshell.shell.commands.awk.facts import Facts, Kind
from vshell.shell.commands.awk.parser import parse
from vshell.shell.commands.awk.quoting import locate, quote_statements
from vshell.shell.commands.awk.runtime import DEFAULTS, Needs
from vshell.shell.commands.awk.values import UNSET, Array

__all__ = ["FILE_NAME", "Compiled", "compile_program"]

FILE_NAME: Final = "<awk>"
"""What the compiled code says it is from, so that an error's line can be found."""
_SECTIONS: Final = {
    "BEGIN": "begin",
    "END": "end",
    "BEGINFILE": "begin_file",
    "ENDFILE": "end_file",
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program that is ready to run.

    Attributes:
        code: Defines the functions when it is run in `Runtime.namespace`.
        constants: What it needs besides, by name.
        variables: The names of its variables and arrays, as they are called in Python, with
            whether each is an array.
        sections: Which of `begin`, `main`, `end`, `begin_file` and `end_file` it has.
        needs: What it needs of the runtime.
    """

    code: CodeType
    constants: dict[str, Any]
    variables: tuple[tuple[str, bool], ...]
    sections: frozenset[str]
    needs: Needs

    def fill(self, namespace: dict[str, Any]) -> None:
        """Define everything where a program finds it."""
        for identifier, is_array in self.variables:
            namespace.setdefault(identifier, Array() if is_array else UNSET)
        namespace |= self.constants
        exec(self.code, namespace)  # noqa: S102 - code made by `_Compiler`, node by node


@lru_cache(maxsize=50)
def compile_program(source: str, assigned: frozenset[str]) -> Compiled:
    """Compile a program.

    Args:
        source: The program.
        assigned: The names that the command line gives values.

    Raises:
        AwkSyntaxError: It is none.
        AwkFatal: It cannot work, such as one that calls a function that is not there.
    """
    program = parse(source)
    try:
        return _Compiler(program, Facts(program, assigned)).run()
    except (RecursionError, MemoryError):
        raise AwkFatal("program is nested too deeply") from None


class _Compiler(StatementCompiler):
    def run(self) -> Compiled:
        facts = self._facts
        scalars = sorted(
            name
            for name in facts.names | facts.assigned | set(DEFAULTS)
            if not facts.is_array("", name)
        )
        self._globals: list[ast.stmt] = [ast.Global([f"v_{name}" for name in scalars])]
        body = [self._define_function(each) for each in self._program.functions.values()]
        sections = self._sections()
        body += sections.values()
        module = ast.Module(body, [])
        for each in body:
            locate(each, 1)
        arrays = [(f"a_{name}", True) for name in facts.names if facts.is_array("", name)]
        return Compiled(
            self._compiled(module),
            self.constants | {"SkipRecord": SkipRecord, "SkipFile": SkipFile},
            (*((f"v_{name}", False) for name in scalars), *arrays),
            frozenset(sections),
            self._needs(),
        )

    @staticmethod
    def _compiled(module: ast.Module) -> CodeType:
        try:
            return compile(module, FILE_NAME, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise AwkFatal(f"program is too complex: {error.msg}") from None

    def _needs(self) -> Needs:
        facts = self._facts
        uncertain = facts.changes_fields or facts.has_odd_fields or "NF" in facts.names
        uncertain |= "NF" in facts.assigned
        return Needs(
            padding=0 if facts.changes_fields else facts.max_field,
            most=-1 if uncertain else facts.max_field,
            ends="RT" in facts.names,
            orders="PROCINFO" in facts.names,
        )

    def _sections(self) -> dict[str, ast.stmt]:
        found: dict[str, ast.stmt] = {}
        for pattern, section in _SECTIONS.items():
            rules = [
                rule
                for rule in self._program.rules
                if isinstance(rule.pattern, syntax.Special) and rule.pattern.name == pattern
            ]
            if rules:
                body: list[ast.stmt] = []
                self.section = "file" if section.endswith("_file") else section  # type: ignore[assignment]
                for rule in rules:
                    assert rule.body is not None
                    body += self.block(rule.body.statements)
                found[section] = self._define(section, [], body)
        rules = [
            rule for rule in self._program.rules if not isinstance(rule.pattern, syntax.Special)
        ]
        if rules or "end" in found or "begin_file" in found or "end_file" in found:
            found["main"] = self._main(rules)
        return found

    def _main(self, rules: Sequence[syntax.Rule]) -> ast.stmt:
        """Define what takes the records one after the other."""
        self.section = "main"
        body: list[ast.stmt] = []
        for number, rule in enumerate(rules):
            body += self._rule(number, rule)
        counting: list[ast.stmt] = []
        for name in ("NR", "FNR"):
            if name in self._facts.names | self._facts.assigned:
                is_number = self._facts.holds("", name) is Kind.COUNT
                before = f"v_{name}" if is_number else f"number(v_{name})"
                counting += quote_statements(f"v_{name} = {before} + 1.0")
        if self.skips or self._facts.raises_next:
            body = quote_statements("try:\n BODY\nexcept SkipRecord: pass", BODY=body)
        loop = quote_statements(
            """
for records in blocks:
    for record.text in records:
        record.fields = None
        COUNTING
        BODY
""",
            COUNTING=counting,
            BODY=body,
        )
        return self._define("main", ["blocks", "record", "ranges"], loop)

    def _rule(self, number: int, rule: syntax.Rule) -> list[ast.stmt]:
        statements = (
            [syntax.Print((), False, "", None, rule.line)]
            if rule.body is None
            else rule.body.statements
        )
        body = self.block(statements)
        pattern = rule.pattern
        if pattern is None:
            return body
        if isinstance(pattern, syntax.Range):
            found = quote_statements(
                """
if RANGE in ranges or FIRST:
    if LAST: ranges.discard(RANGE)
    else: ranges.add(RANGE)
    BODY
""",
                RANGE=ast.Constant(number),
                FIRST=self.condition(pattern.first),
                LAST=self.condition(pattern.last),
                BODY=body,
            )
        else:
            assert not isinstance(pattern, syntax.Special)
            found = [ast.If(self.condition(pattern), body, [])]
        for each in found:
            locate(each, rule.line)
        return found

    def _define_function(self, function: syntax.Function) -> ast.stmt:
        self._function = function.name
        section: Section = "function"
        self.section = section
        parameters = [self._identifier(name) for name in function.parameters]
        body = self.block(function.body.statements)
        body += quote_statements("return UNSET")
        self._function = ""
        return self._define(f"f_{function.name}", parameters, body)

    def _define(self, name: str, parameters: Sequence[str], body: list[ast.stmt]) -> ast.stmt:
        arguments = ast.arguments(
            [], [ast.arg(each) for each in parameters], None, [], [], None, []
        )
        return ast.FunctionDef(name, arguments, [*self._globals, *body], [], None)
