"""Other projects' tests of shells and of commands, read from checkouts of theirs."""
