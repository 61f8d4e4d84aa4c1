"""Names say what they name, and the public face is small, complete and documented."""

from types import ModuleType

import pytest

import esflow
import esflow_projections
from tests.house import names
from tests.house.tree import module, modules, report

PRODUCT = [each for each in modules() if each.is_product]


def package(**values: object) -> ModuleType:
    """Build a package with a namespace, for the checkers to judge."""
    built = ModuleType("example")
    vars(built).update(values)
    return built


def test_every_module_is_named_after_what_is_in_it() -> None:
    assert report(finding for each in modules() for finding in names.rooms(each)) == ""


def test_no_name_of_the_product_is_abbreviated() -> None:
    assert report(finding for each in PRODUCT for finding in names.abbreviations(each)) == ""


@pytest.mark.parametrize("face", [esflow, esflow_projections])
def test_the_public_face_is_small_and_complete(face: ModuleType) -> None:
    assert list(names.public_face(face)) == []


@pytest.mark.parametrize("face", [esflow, esflow_projections])
def test_every_public_class_and_function_says_what_it_is_for(face: ModuleType) -> None:
    exported: list[str] = getattr(face, "__all__", [])
    found = [each for name in exported for each in names.undocumented(name, getattr(face, name))]
    assert found == []


@pytest.mark.parametrize("path", ["esflow/utils.py", "tests/base.py", "esflow/job_manager.py"])
def test_a_room_that_is_named_after_nothing_is_found(path: str) -> None:
    assert len(list(names.rooms(module(path, "")))) == 1


def test_a_room_is_named_by_its_own_name_not_by_its_folder() -> None:
    assert list(names.rooms(module("esflow/database.py", ""))) == []


@pytest.mark.parametrize(
    "text",
    [
        "class EvtLog: ...",
        "def read_buf(): ...",
        "async def read_buf(): ...",
        "def read(idx): ...",
        "def read(*, max_num=3): ...",
        "class Job:\n    prev_version: int",
    ],
)
def test_an_abbreviation_is_found_where_it_is_introduced(text: str) -> None:
    assert len(list(names.abbreviations(module("esflow/store.py", text)))) == 1


def test_words_that_look_short_are_no_abbreviations() -> None:
    text = "def position(ctx, job_id, values, *args, max_items=3): ..."
    assert list(names.abbreviations(module("esflow/store.py", text))) == []


def test_a_public_face_is_judged_in_every_respect() -> None:
    many = {f"name_{number}": number for number in range(41)}
    assert list(names.public_face(package(**many, __all__=list(many)))) == [
        "41 public names; at most 40"
    ]
    assert list(names.public_face(package(a=1, b=2, _c=3, d=esflow, __all__=["a", "a", "e"]))) == [
        "a name is exported twice",
        "e is exported, but is not there",
        "b is there, but is not exported",
    ]


def test_what_does_not_say_what_it_is_for_is_found_with_its_methods() -> None:
    class Silent:
        def speak(self) -> None: ...

    assert list(names.undocumented("Silent", Silent)) == [
        "Silent has no docstring",
        "Silent.speak has no docstring",
    ]
    assert list(names.undocumented("limit", 40)) == []
