"""The read side of esflow: what happened, shown to people and tools; it appends nothing."""
