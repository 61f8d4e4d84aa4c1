"""The notebooks run, and come out as they are committed."""
