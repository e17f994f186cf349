"""What plugs a workspace into libraries, one module each, behind an extra of its name."""
