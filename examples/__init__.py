"""Jobs to read, to run and to copy from."""
