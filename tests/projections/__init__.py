"""The read side: what it tells is what is recorded."""
