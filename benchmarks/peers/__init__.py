"""The same cases as other tools do them, each in its documented way for the same durability.

Only the environment of the benchmarks has these tools, so the type checkers leave this folder out.
"""
