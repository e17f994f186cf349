"""What a harness plugs in: the operations as tools, in the words that models know."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from vshell.errors import UnavailableError
from vshell.ops.context import Context
from vshell.tools.profile import Profile


@dataclass(frozen=True, slots=True)
class _Described:
    """Where a profile is made, and what it wants.

    Attributes:
        summary: Whose tools they are.
        require_read: Whether files must be read before they are changed.
        runs_commands: Whether it takes `rules`.
    """

    summary: str
    require_read: bool = False
    runs_commands: bool = False


_KNOWN: Final = {
    "claude": _Described("Claude Code", require_read=True, runs_commands=True),
    "text_editor": _Described("Anthropic's text editor tool"),
    "memory": _Described("Anthropic's memory tool"),
    "codex": _Described("OpenAI's Codex: apply_patch and shell", runs_commands=True),
    "pi": _Described("the Pi coding agent", runs_commands=True),
    "opencode": _Described("OpenCode", require_read=True, runs_commands=True),
    "gemini": _Described("Gemini CLI", runs_commands=True),
    "computer": _Described("Cloudflare's Computer"),
    "mcp_fs": _Described("the MCP filesystem server"),
    "deepagents": _Described("LangChain's deepagents", runs_commands=True),
    "code": _Described("one tool that runs scripts"),
}

PROFILES: Final = tuple(_KNOWN)
"""The names of the profiles."""


def summary(name: str) -> str:
    """Return whose tools a profile has."""
    return _KNOWN[name].summary


def make_profile(
    context: Context,
    name: str,
    *,
    read_only: bool = False,
    include: Collection[str] | None = None,
    exclude: Collection[str] = (),
    rules: Any = None,
    **options: Any,
) -> Profile:
    """Return the tools of a profile, working in a context.

    Args:
        context: The workspace or session that the tools work in; its name stands in the
            journal beside what they change.
        name: The profile; one of `PROFILES`.
        read_only: Only tools that read; whatever is tried, nothing changes.
        include: Only tools of these names; None for all.
        exclude: No tools of these names.
        rules: What a shell tool may run, as `Session.shell` takes it.
        options: What the profile can be given beside, by name; see its module.

    Raises:
        UnavailableError: There is no such profile, or no such tool in it.
        RangeError, BadPatternError: The rules are none.
        TypeError: The profile has no such option.
    """
    from vshell.tools.session import ToolSession

    known = _KNOWN.get(name)
    if known is None:
        raise UnavailableError(
            f"no such tool profile: {name}", hint=f"choose from {', '.join(PROFILES)}"
        )
    if rules is not None:
        from vshell.shell.rules import rules_of

        rules = rules_of(rules)  # what is wrong with them is the caller's to hear, not a model's
    if known.runs_commands:
        options["rules"] = rules
    session = ToolSession(context, require_read=known.require_read, refuse_changes=read_only)
    module = importlib.import_module(f"vshell.tools.profiles.{name}")
    maker: Callable[..., Profile] = getattr(module, f"{name}_profile")
    made = maker(session, **options)
    return made.only(read_only=read_only, include=include, exclude=exclude)
