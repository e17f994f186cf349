"""The shell: bash lines over the files of a workspace."""
