"""CPython in the jail: the whole language, and its standard library."""

from __future__ import annotations

from vshell.script.engines.jailed import JailedEngine

__all__ = ["PythonEngine"]


class PythonEngine(JailedEngine):
    """Runs Python scripts as this Python would, confined by Linux."""

    _name = "cpython"
    _language = "python"
    _module = "vshell.script.guest.python"
