"""Words that an option's value is chosen from, as gnulib's `argmatch` reads them."""

from __future__ import annotations

from collections.abc import Mapping

from vshell.shell.command import UsageError
from vshell.shell.messages import quote_typographic


def choose(option: str, value: str, choices: Mapping[str, str], *, status: int | None = 1) -> str:
    """Return what a word stands for; it may be cut short while that is unambiguous.

    Args:
        option: What the error calls the option, such as `--sort`.
        value: What was typed.
        choices: The words, each with what it stands for.
        status: The exit code of the error; None is the command's own.

    Raises:
        UsageError: It is none of the choices.
    """
    if value in choices:
        return choices[value]
    fitting = {choices[name] for name in choices if name.startswith(value)}
    if len(fitting) == 1:
        return fitting.pop()
    kind = "ambiguous" if fitting and value else "invalid"
    groups: dict[str, list[str]] = {}
    for name, meaning in choices.items():
        groups.setdefault(meaning, []).append(quote_typographic(name))
    listed = "\n".join(f"  - {', '.join(names)}" for names in groups.values())
    raise UsageError(
        f"{kind} argument {quote_typographic(value)} for {quote_typographic(option)}\n"
        f"Valid arguments are:\n{listed}",
        status=status,
    )
