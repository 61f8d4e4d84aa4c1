"""What functions say of the values that they take and return.

It knows nothing of JSON, and calls none of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType, SimpleNamespace
from typing import Any, Final, get_type_hints
from weakref import WeakKeyDictionary


def return_annotation(fn: Callable[..., object]) -> object:
    """Return what a function says it returns; Any when it doesn't, or can't be resolved.

    What was found is kept for as long as the function: it takes longer than all else of an effect.
    """
    written = getattr(fn, "__func__", fn)  # A method is another object at each call.
    if not isinstance(written, FunctionType):
        return _found_annotation(fn, Any)
    found = _returned.get(written, _UNKNOWN)
    if found is _UNKNOWN:
        found = _found_annotation(fn, _UNKNOWN)
        if found is _UNKNOWN:  # A name may be given yet.
            return Any
        _returned[written] = found
    return found


_UNKNOWN: Final = object()
_returned: Final[WeakKeyDictionary[FunctionType, object]] = WeakKeyDictionary()


def _found_annotation(fn: Callable[..., object], otherwise: object) -> object:
    try:
        annotation = inspect.signature(fn).return_annotation
        return Any if annotation is inspect.Signature.empty else hint(fn, annotation)
    except (NameError, AttributeError, TypeError, ValueError, SyntaxError):
        return otherwise


def hint(fn: Any, annotation: object) -> object:
    """Resolve one annotation where its function was written, its closure included."""
    if annotation is inspect.Parameter.empty:
        return Any
    written: Any = inspect.unwrap(getattr(fn, "func", fn))
    if not hasattr(written, "__globals__") and not hasattr(written, "__func__"):
        written = type(written).__call__
    written = getattr(written, "__func__", written)
    names = getattr(getattr(written, "__code__", None), "co_freevars", ())
    cells = getattr(written, "__closure__", None) or ()
    closed: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=False):
        try:
            closed[name] = cell.cell_contents
        except ValueError:  # Still empty: the name is assigned later.
            continue
    holder = SimpleNamespace(__annotations__={"it": annotation})
    return get_type_hints(holder, getattr(written, "__globals__", {}), closed, include_extras=True)[
        "it"
    ]
