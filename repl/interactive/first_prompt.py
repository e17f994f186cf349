"""The first prompt: shown at once, while what reads lines is still being loaded.

prompt-toolkit and all operations take some hundred milliseconds to be imported. Meanwhile
the terminal keeps what is typed, without an echo; then prompt-toolkit draws the same prompt
in the same place, and takes what was typed.
"""

from __future__ import annotations

import gc
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .colours import escapes_of
from .status import Status, prompt_text

__all__ = ["first_prompt"]


@contextmanager
def first_prompt(status: Status, *, colour: bool) -> Iterator[None]:
    """Show the prompt and hold what is typed, until what really prompts is ready.

    Args:
        status: What the prompt shows.
        colour: Whether it shows colour.
    """
    parts = [(part[0], part[1]) for part in prompt_text(status)]
    if sum(len(text) for _, text in parts) >= shutil.get_terminal_size().columns:
        yield  # it would not be in one line, where it can be drawn again
        return
    with _held_keys(), _no_collections():
        shown = "".join(_coloured(style, text) if colour else text for style, text in parts)
        sys.stdout.write(shown)
        sys.stdout.flush()
        try:
            yield
        finally:
            sys.stdout.write("\r")
            sys.stdout.flush()


def _coloured(style: str, text: str) -> str:
    escapes = escapes_of(style)
    return f"{escapes}{text}\x1b[0m" if escapes else text


@contextmanager
def _held_keys() -> Iterator[None]:
    """Let the terminal keep what is typed, as it is, and show none of it."""
    try:
        import termios
    except ImportError:  # Windows: what is typed early is shown twice
        yield
        return
    with suppress(termios.error):
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        held = [*before]
        held[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(descriptor, termios.TCSANOW, held)
        try:
            yield
        finally:
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
        return
    yield


@contextmanager
def _no_collections() -> Iterator[None]:
    """Collect no garbage: importing makes much, and all of it stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
