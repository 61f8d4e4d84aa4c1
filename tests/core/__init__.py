"""Laws and examples of the pure core, the codec, the payloads and the graph."""
