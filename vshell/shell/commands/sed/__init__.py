"""`sed`: lines, edited by a script."""

from vshell.shell.commands.sed.command import COMMANDS

__all__ = ["COMMANDS"]
