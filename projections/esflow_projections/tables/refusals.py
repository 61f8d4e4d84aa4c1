"""Why a file is not taken for tables; nothing in it was changed."""

from __future__ import annotations

from typing import final

import attrs

from esflow.errors import EsflowError


@final
@attrs.frozen(eq=False)
class TablesOutdated(EsflowError):
    """The tables were made by another release, whose tables are different."""

    file: str
    found: int
    known: int

    def __str__(self) -> str:
        return (
            f"{self.file}: the tables have schema {self.found}, and this release makes schema "
            f"{self.known}; make them anew with rebuild()"
        )


@final
@attrs.frozen(eq=False)
class TablesRefused(EsflowError):
    """The file can't be fed from this store; ``problem`` says why, and what to do."""

    file: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"
