"""The history of a store as SQLite tables, for whoever asks in SQL: a read model.

The tables are made from recorded events alone, each of them taken in exactly once, and can be made
anew from the first at any time.
They stand in a file of their own, or beside other tables of its owner; never in the log's.
"""

from esflow_projections.tables.feeding import Progress, catch_up, follow, rebuild
from esflow_projections.tables.refusals import TablesOutdated, TablesRefused
from esflow_projections.tables.searching import search

__all__ = [
    "Progress",
    "TablesOutdated",
    "TablesRefused",
    "catch_up",
    "follow",
    "rebuild",
    "search",
]
