"""What a profile's tools work in: the caller's files, under the caller's name."""

from __future__ import annotations

from vshell.errors import ReadOnlyError
from vshell.fs.transaction import Transaction
from vshell.ops.context import Context
from vshell.session import Session


class ToolSession(Session):
    """A session of tools: the files, name, directory and environment of another context.

    Args:
        context: Whose.
        require_read: Refuse to change a file that these tools have not read as it is now.
        refuse_changes: Refuse every change, whatever the workspace would allow.
    """

    def __init__(
        self, context: Context, *, require_read: bool = False, refuse_changes: bool = False
    ) -> None:
        super().__init__(
            context.files,
            name=context.name,
            cwd=context.cwd,
            environment=context.environment,
            require_read=require_read or context.require_read,
        )
        self.refuse_changes = refuse_changes

    def changing(self, operation: str) -> Transaction:
        """Return a transaction, as `Context.changing` does.

        Raises:
            ReadOnlyError: These tools only read.
        """
        if self.refuse_changes:
            raise ReadOnlyError("these tools only read", hint="report what should be changed")
        return super().changing(operation)
