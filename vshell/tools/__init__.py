"""What a harness plugs in: the operations as tools, in the words that models know."""

from __future__ import annotations

from typing import Any

from vshell.errors import UnavailableError
from vshell.ops.context import Context
from vshell.tools.profile import Profile

PROFILES = ("computer",)


def make_profile(context: Context, name: str, **options: Any) -> Profile:
    """Return the tools of a profile, working in a context.

    Args:
        context: The workspace or session that the tools work in.
        name: The profile; one of `PROFILES`.
        options: What the profile can be given, by name; see its module.

    Raises:
        UnavailableError: There is no such profile.
        TypeError: The profile has no such option.
    """
    if name == "computer":
        from vshell.tools.computer import computer_profile

        return computer_profile(context, **options)
    raise UnavailableError(
        f"no such tool profile: {name}", hint=f"choose from {', '.join(PROFILES)}"
    )
