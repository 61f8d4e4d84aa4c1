"""Moments: which there are, and how they are shown; nothing here knows what time it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

FIRST_MOMENT_MS: Final = -62_135_596_800_000
LAST_MOMENT_MS: Final = 253_402_300_799_999
"""What `datetime` can say, in milliseconds since 1970: the years 1 to 9999."""
MOMENTS_MS: Final = range(FIRST_MOMENT_MS, LAST_MOMENT_MS + 1)


def moment_of(milliseconds: int) -> datetime:
    """Return the moment so many milliseconds after 1970 began, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
