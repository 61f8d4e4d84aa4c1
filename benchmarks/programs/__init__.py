"""Programs that are measured, each in a process of its own: esflow's, the floor, and other tools'.

``python -m benchmarks.programs.NAME_program CASE SIZE SYNCHRONOUS FOLDER KEPT`` runs one case once,
in an empty folder, and prints what it took; what is done before the first step isn't counted.
Every program asserts that what it did is right: a benchmark of a wrong result says nothing.
A program knows the same cases by the same names, or leaves them out.
"""
