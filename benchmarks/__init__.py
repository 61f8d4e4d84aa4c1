"""What a step costs, against the floor of the same work in plain sqlite3, in one run."""
