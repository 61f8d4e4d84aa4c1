"""The rules of the repository itself; every checker is shown to bite."""
