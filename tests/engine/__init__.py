"""What the engine does and refuses, one example each, over every store."""
