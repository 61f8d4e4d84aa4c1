"""The oracle of the property tests: flows as data, and a second reading of the rules."""
