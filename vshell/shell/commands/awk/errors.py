"""How an awk program ends early."""

from __future__ import annotations

from typing import Final

__all__ = ["AwkFatal", "AwkSyntaxError", "ProgramExit", "SkipFile", "SkipRecord"]

FATAL_STATUS: Final = 2
"""The exit code of a program that cannot go on."""


class AwkSyntaxError(Exception):
    """The program is none.

    Args:
        message: What is wrong, in gawk's words.
        position: Where, counted in characters from the program's start.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class AwkFatal(Exception):  # noqa: N818 - gawk's own word for it
    """The program cannot go on; the text is gawk's.

    Args:
        message: What is wrong.
        position: Where in the program, in characters; None is where it runs.
        is_of_input: Whether it is no place of the program that is at fault.
    """

    def __init__(
        self, message: str, position: int | None = None, *, is_of_input: bool = False
    ) -> None:
        super().__init__(message)
        self.position = position
        self.is_of_input = is_of_input


class ProgramExit(Exception):  # noqa: N818 - it is how a program ends
    """`exit` was reached."""


class SkipRecord(Exception):  # noqa: N818 - it is how a record ends
    """`next` was reached where a plain jump does not lead to the next record."""


class SkipFile(Exception):  # noqa: N818 - it is how a file ends
    """`nextfile` was reached, likewise."""
