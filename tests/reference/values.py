"""The values of the property tests, and the keys of the shared data that hold them."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from tests.reference.program import Json, Payload, Reducer

PLAIN: Final = ("a", "größe")  # Keys that are set.
GROWING: Final[dict[str, tuple[Reducer, ...]]] = {  # Keys that grow, and by which reducers.
    "list": ("append", "extend", "unique"),
    "sum": ("add",),
    "map": ("merge",),
    "top": ("max", "min"),
}

NUMBERS: Final = st.one_of(
    st.integers(-(2**40), 2**40),
    st.integers(-3, 3),
    # Minus zero equals zero and is written otherwise, which is nobody's rule.
    st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda number: str(number) != "-0.0"),
)
SCALARS: Final = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=6))
VALUES: Final[st.SearchStrategy[Json]] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
FITTING: Final[dict[Reducer, st.SearchStrategy[Json]]] = {  # What a reducer mostly takes.
    "append": VALUES,
    "unique": VALUES,
    "extend": st.lists(VALUES, max_size=2),
    "merge": st.dictionaries(st.text(max_size=3), VALUES, max_size=2),
    "add": NUMBERS,
    "max": NUMBERS,
    "min": NUMBERS,
}
TYPED: Final[dict[str, st.SearchStrategy[Json]]] = {  # By field; what fits, and what does not.
    # Nothing here fits only after a conversion, as "1", a boolean, or an object for a list would.
    "count": st.sampled_from((1, 0, 400, 700, 1000, 1001, -5, "x", [])),
    "names": st.sampled_from((["a"], [], ["größe", "b"], 5, None)),
    "level": st.sampled_from(("low", "high", "high", "middle", 3)),
}


@st.composite
def payloads_from_outside(draw: st.DrawFn) -> Payload:
    """Draw what comes from outside to a slot."""
    return draw(st.dictionaries(st.sampled_from(("n", "x", "y")), VALUES, max_size=2))
