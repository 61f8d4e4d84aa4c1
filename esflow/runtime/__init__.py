"""The drivers: read, decide, append, act; no rule of the semantics lives here."""
