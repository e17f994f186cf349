"""`diff`: two files, or two trees."""

from vshell.shell.commands.diffing.command import COMMANDS

__all__ = ["COMMANDS"]
