"""vshell."""
