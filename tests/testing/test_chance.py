"""Chance is the machine's, unless a seed is planted: then it follows from that and its place."""

from __future__ import annotations

from esflow.chance import drawn_number, drawn_uuid, seeded


def test_without_a_seed_nothing_comes_again() -> None:
    assert drawn_number("here") != drawn_number("here")
    assert drawn_uuid("here") != drawn_uuid("here")
    assert drawn_uuid("here").version == 4


def test_with_a_seed_the_same_comes_at_the_same_place() -> None:
    with seeded("one"):
        number, found = drawn_number("here"), drawn_uuid("here")
        assert (drawn_number("there"), drawn_uuid("there")) != (number, found)
        assert (drawn_number("here"), drawn_uuid("here")) == (number, found)
        with seeded("another"):
            assert drawn_number("here") != number
        assert drawn_number("here") == number
    assert found.version == 4
    assert drawn_number("here") != number
