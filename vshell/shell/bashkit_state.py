"""What a bashkit shell is set to: compared, described, set again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from vshell.shell.native import OWN_ARRAYS, OWN_VARIABLES, SET_OPTIONS
from vshell.shell.words import from_engine, quoted

_FLEETING: Final = ("_", "RANDOM", "SECONDS", "LINENO", "EPOCHSECONDS", "EPOCHREALTIME")
_SHOPT: Final = "SHOPT_"
"""bashkit keeps options in variables of that name."""


class State:
    """What `Bash.shell_state` returned, which does not change with the shell.

    Attributes:
        cwd: The working directory.
        variables: The variables that are not exported.
        environment: Those that are.
    """

    __slots__ = ("_found", "cwd", "environment", "variables")

    def __init__(self, found: Any) -> None:
        self._found = found
        self.cwd: str = found.cwd
        self.variables: dict[str, str] = dict(found.variables)
        self.environment: dict[str, str] = dict(found.env)

    @property
    def aliases(self) -> dict[str, str]:
        return dict(self._found.aliases)

    @property
    def traps(self) -> dict[str, str]:
        return dict(self._found.traps)

    def options(self) -> tuple[str, ...]:
        """Return what `set` has turned on."""
        start = len(_SHOPT)
        return tuple(
            name[start:]
            for name, value in self.variables.items()
            if value == "1" and name.startswith(_SHOPT) and name[start:] in SET_OPTIONS
        )

    def shown(self) -> tuple[object, ...]:
        """Return all of it that lasts, to be compared."""
        variables = dict(self.variables)
        for name in _FLEETING:
            variables.pop(name, None)
        arrays = {name: dict(each) for name, each in self._found.arrays.items()}
        arrays.pop("PIPESTATUS", None)
        assoc = {name: dict(each) for name, each in self._found.assoc_arrays.items()}
        return (self.cwd, self.environment, variables, arrays, assoc, self.aliases, self.traps)

    def names(self) -> list[str]:
        """Return the names of all variables."""
        found = self._found
        names = {*self.variables, *self.environment, *found.arrays, *found.assoc_arrays}
        return sorted(name for name in names if not name.startswith((_SHOPT, "_")))

    def describe(self, functions: str) -> dict[str, Any]:
        """Return it as plain data that any engine can be set up from."""
        own = {*OWN_VARIABLES, "PWD", "OLDPWD"}
        return {
            "cwd": from_engine(self.cwd),
            "functions": functions,
            "shopt": sorted(
                name[len(_SHOPT) :]
                for name, value in self.variables.items()
                if name.startswith(_SHOPT) and len(name) > len(_SHOPT) + 1 and value == "1"
            ),
            "aliases": self.aliases,
            "exported": sorted(self.environment),
            "variables": {
                name: from_engine(value)
                for name, value in {**self.variables, **self.environment}.items()
                if name not in own and not name.startswith((_SHOPT, "_", "BASH"))
            },
            "arrays": {
                name: {str(index): from_engine(text) for index, text in items.items()}
                for name, items in self._found.arrays.items()
                if name not in OWN_ARRAYS
            },
            "assoc_arrays": {
                name: {key: from_engine(text) for key, text in items.items()}
                for name, items in self._found.assoc_arrays.items()
            },
        }

    def resetting_script(self, names: Iterable[str]) -> str:
        """Return a script that gives variables the values that they have here."""
        lines = []
        for name in names:
            if name in self.environment:
                lines.append(f"export {name}={quoted(self.environment[name])}")
            else:
                lines.append(f"unset {name}")
                if name in self.variables:
                    lines.append(f"{name}={quoted(self.variables[name])}")
        return "\n".join(map(from_engine, lines))
