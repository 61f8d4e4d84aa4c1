"""The command line: what it says, where, and how it ends."""
