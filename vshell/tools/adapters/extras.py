"""What an adapter says when the library that it adapts to is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vshell.errors import UnavailableError


@contextmanager
def needs_extra(extra: str, *modules: str) -> Iterator[None]:
    """Return a context for imports; what is missing of these modules is told by the extra's name.

    Args:
        extra: The extra of vshell that installs them.
        modules: The top-level modules; none for the extra's name, with underscores.

    Raises:
        UnavailableError: One of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in (modules or (extra.replace("-", "_"),)):
            raise
        raise UnavailableError(
            f"the library {missing} is not installed",
            hint=f"pip install 'vshell[{extra}]'",
        ) from error
