"""Values are compared, hashed and shown as attrs would have it, by methods written once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, final

import attrs
import pytest

from esflow.errors import EsflowError, JobNotFound
from esflow.values import by_contents, by_value, late, unlocked


@final
@attrs.frozen
@by_value
class Ours:
    """What is tested."""

    text: str
    inner: object = None
    unseen: int = attrs.field(default=0, eq=False, repr=False)


@final
@attrs.frozen
class Theirs:
    """The same, with the methods that attrs writes."""

    text: str
    inner: object = None
    unseen: int = attrs.field(default=0, eq=False, repr=False)


@final
@attrs.frozen
@by_value
class Named:
    """One that says for itself what it is."""

    name: str

    def __repr__(self) -> str:
        return f"<{self.name}>"


@final
@attrs.define
@by_contents
class Changing:
    """One whose values change."""

    text: str


def unwritten() -> type[Any]:
    """Return a class that attrs has not seen to yet."""

    @final
    @late(kw_only=True)
    @by_value
    class Late:
        """What few programs need."""

        text: str
        inner: object = None
        names: tuple[str, ...] = attrs.field(factory=tuple)

    return Late


def is_written(kind: type[Any]) -> bool:
    """Tell whether attrs has seen to a class."""
    return "__attrs_props__" in vars(kind)


VALUES: list[tuple[Any, ...]] = [("a",), ("b",), ("a", 1), ("a", None, 7), ("a", ("b", 2))]


@pytest.mark.parametrize("one", VALUES)
@pytest.mark.parametrize("other", VALUES)
def test_values_are_equal_where_those_of_attrs_are(
    one: tuple[Any, ...], other: tuple[Any, ...]
) -> None:
    alike = Theirs(*one) == Theirs(*other)
    assert (Ours(*one) == Ours(*other)) is alike
    assert (Ours(*one) != Ours(*other)) is not alike
    assert len({Ours(*one), Ours(*other)}) == len({Theirs(*one), Theirs(*other)})


@pytest.mark.parametrize("values", VALUES)
def test_a_value_is_shown_as_attrs_would_show_it(values: tuple[Any, ...]) -> None:
    assert repr(Ours(*values)) == repr(Theirs(*values)).replace("Theirs", "Ours")


def test_values_of_two_classes_are_never_equal() -> None:
    others: list[object] = [Theirs("a"), ("a", None)]
    assert Ours("a") not in others


def test_what_holds_something_mutable_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ours("a", []))


def test_a_value_that_holds_itself_is_shown() -> None:
    inside: list[object] = []
    inside.append(Ours("a", inside))
    assert "inner=[...]" in repr(inside[0])


def test_what_changes_is_compared_as_it_is_and_has_no_hash() -> None:
    one, other = Changing("a"), Changing("a")
    assert one == other
    other.text = "b"
    assert one != other
    assert repr(other) == "Changing(text='b')"
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_a_class_keeps_the_methods_that_it_has() -> None:
    assert repr(Named("me")) == "<me>"
    assert Named("me") == Named("me")


def test_what_was_filled_unlocked_is_what_the_constructor_gives() -> None:
    made = unlocked(Ours)("a", [1], 2)
    made.__class__ = Ours
    assert (made, made.unseen) == (Ours("a", [1], 2), 2)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(made, "text", "b")  # noqa: B010 - type checkers know that it's frozen.
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        delattr(made, "text")


def test_what_is_filled_takes_all_fields_some_of_them_turned_before() -> None:
    made = unlocked(Ours, {"inner": str})("a", 1, 0)
    made.__class__ = Ours
    assert made == Ours("a", "1")
    with pytest.raises(TypeError, match="missing"):
        unlocked(Ours)("a")


def test_attrs_sees_to_a_late_class_when_its_first_value_is_made() -> None:
    kind = unwritten()
    assert not is_written(kind)
    made = kind(text="a")
    assert is_written(kind)
    assert repr(made).endswith("Late(text='a', inner=None, names=())")
    assert made == kind(text="a", inner=None) != kind(text="b")
    assert attrs.evolve(made, text="b") == kind(text="b")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.text = "b"


def test_attrs_sees_to_a_late_class_when_its_fields_are_asked_for() -> None:
    kind = unwritten()
    assert [field.name for field in attrs.fields(kind)] == ["text", "inner", "names"]
    assert is_written(kind)
    assert attrs.has(unwritten())
    assert unlocked(unwritten())("a", None, ()).text == "a"


def test_the_first_value_of_a_late_class_may_be_refused() -> None:
    kind = unwritten()
    for _ in range(2):
        with pytest.raises(TypeError, match="text"):
            kind()
        with pytest.raises(TypeError, match="positional"):
            kind("a")


def test_a_constructor_that_was_found_before_attrs_wrote_one_makes_a_value_too() -> None:
    kind = unwritten()
    found, made = vars(kind)["__init__"], object.__new__(kind)
    assert kind(text="a").text == "a"
    found(made, text="b")
    assert made == kind(text="b")


@pytest.fixture
def eager() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("eager")
def test_the_first_values_of_a_late_class_may_be_made_at_the_same_time() -> None:
    for _ in range(20):
        kind, begun = unwritten(), Barrier(4)

        def make(kind: type[Any] = kind, begun: Barrier = begun) -> object:
            begun.wait()
            return kind(text="a")

        with ThreadPoolExecutor(4) as threads:
            made = [each.result() for each in [threads.submit(make) for _ in range(4)]]
        assert made == [kind(text="a")] * 4


def test_an_error_is_shown_with_the_names_of_its_values() -> None:
    assert repr(JobNotFound("x")) == "JobNotFound(job='x')"
    assert repr(EsflowError("a text")) == "EsflowError('a text')"
