"""The mirror: a real directory or container beside the workspace, kept the same both ways."""
