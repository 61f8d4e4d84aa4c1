"""Where a URL becomes a store.

It knows the schemes and loads an adapter when it is asked for: importing one costs 50 ms.
"""

from __future__ import annotations

from collections.abc import Mapping

from esflow.errors import StoreError
from esflow.store import Store

_SCHEMES = "memory://, sqlite:///relative.db, sqlite:////absolute.db"


def open_store(url: str) -> Store:
    """Open the store that a URL names; each ``memory://`` is a store of its own.

    Raises: StoreError, for a URL that names no store and for a store that can't be opened.
    """
    from urllib.parse import parse_qsl, unquote, urlsplit

    try:
        parts = urlsplit(url, allow_fragments=False)
    except ValueError as fault:
        raise StoreError("opening a store", f"{fault}; choose {_SCHEMES}", False) from fault
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    match parts.scheme:
        case "memory":
            return _open_memory(url, options)
        case "sqlite":
            return _open_sqlite(url, parts.netloc, unquote(parts.path), options)
        case scheme:  # The rest of the URL may hold a password.
            problem = f"no store has a URL that begins with {scheme!r}; choose {_SCHEMES}"
            raise StoreError("opening a store", problem, False)


def _open_memory(url: str, options: Mapping[str, str]) -> Store:
    from esflow.stores.memory import MemoryStore

    if url != "memory://":
        problem = f"a memory store has no path and no options: {sorted(options)}; use memory://"
        raise StoreError(f"opening {url!r}", problem, False)
    return MemoryStore()


def _open_sqlite(url: str, host: str, path: str, options: Mapping[str, str]) -> Store:
    from esflow.stores.sqlite import SQLiteStore

    doing = f"opening {url!r}"
    if host:
        problem = f"{host!r} stands where a server would; write sqlite:///{host}{path}"
        raise StoreError(doing, problem, False)
    file = path.removeprefix("/")
    if not file or ":memory:" in file:
        raise StoreError(doing, "SQLite in memory is not durable; use memory:// for that", False)
    unknown = sorted(set(options) - {"synchronous"})
    if unknown:
        problem = f"unknown option {unknown[0]!r}; the only one is synchronous=full|normal"
        raise StoreError(doing, problem, False)
    synchronous = options.get("synchronous", "full").lower()
    if synchronous not in ("full", "normal"):
        problem = f"synchronous={options['synchronous']!r}; choose full or normal"
        raise StoreError(doing, problem, False)
    return SQLiteStore(file, synchronous=synchronous)
