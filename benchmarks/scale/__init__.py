"""What esflow grows into, on paper and by simulation: events, jobs, processes, hosts, partitions.

``python -m benchmarks.scale`` prints every table of ``docs/scale.md``; the document's tables are
what this package writes, and each of its inputs can be replaced.
"""
