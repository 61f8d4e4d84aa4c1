"""Full-text search over what was recorded: names, texts and numbers in the data of events."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from esflow_projections.tables import schema
from esflow_projections.tables.refusals import TablesRefused
from esflow_projections.tables.rows import Row
from esflow_projections.tables.tables_file import TablesFile

_COLUMNS: Final = tuple(each for each in schema.TABLES["esflow_history"].columns if each != "text")
_BEST_FIRST: Final = '"esflow_history_fts".rank, position'


def search(file: str, text: str, *, limit: int = 20) -> list[Row]:
    """Return the rows of ``esflow_history`` whose data hold every word of a text, the best first.

    Words are compared whole, without regard to case and accents; signs between them don't count.
    Raises: TablesRefused, TablesOutdated, StoreError.
    """
    if not Path(file).is_file():
        raise TablesRefused(file, "there is no such file; make the tables with catch_up()")
    if not (words := text.replace("\0", " ").split()):
        return []
    tables = TablesFile(file)
    try:
        with tables.reading("searching the tables") as connection:
            database = schema.wrapped(connection)
            schema.refuse_store(connection, file)
            schema.refuse_outdated(database, file)
            history: Any = database.table("esflow_history")  # Its rows have no types.
            found: Iterable[Row] = history.search(
                " ".join(words), columns=_COLUMNS, order_by=_BEST_FIRST, limit=limit, quote=True
            )
            return list(found)
    finally:
        tables.close()
