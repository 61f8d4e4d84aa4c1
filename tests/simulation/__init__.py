"""Jobs in real processes that race, stop and die, on one SQLite file."""
