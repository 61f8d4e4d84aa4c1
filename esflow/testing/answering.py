"""Who answers the questions and interrupts of a job under test, and what.

An answer that was lost with its host is given again: it is looked up by the id of what is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias, cast, final

import attrs

from esflow.events import Interrupted, QuestionAsked

Asked: TypeAlias = QuestionAsked | Interrupted
"""What is open: a question has ``text`` and ``to``, an interrupt ``payload``; both ``choices``."""

Answers: TypeAlias = Mapping[Any, Any] | Sequence[Any] | Callable[[Asked], Any]
"""Answers by text, in order, or as a function of what is asked."""


@final
@attrs.define(eq=False)
class Answering:
    """The answers of one run.

    Shape: a mapping has them by the text of a question, by the payload of an interrupt, or by that
    payload as JSON text; a sequence in the order in which they are first asked for.
    """

    _answers: Answers
    _given: dict[tuple[str, str], object] = attrs.field(factory=lambda: {}, init=False)
    _next: Iterator[object] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with the first answer."""
        is_ordered = isinstance(cast("object", self._answers), Sequence)
        self._next = iter(cast("Any", self._answers) if is_ordered else ())

    @property
    def unused(self) -> int:
        """How many answers that were given in order nobody asked for; they are gone then."""
        return sum(1 for _ in self._next)

    def answer(self, asked: Asked, job_id: str) -> object:
        """Return the answer to something that a job asks, the same whenever it is asked for.

        Raises: AssertionError, where there is none.
        """
        for answer in self.found(asked, job_id):
            return answer
        raise AssertionError(f"nobody answers {_shown(asked)}; give answers=")

    def found(self, asked: Asked, job_id: str) -> list[object]:
        """Return a list of the answer to something, empty where there is none."""
        place = (job_id, asked.id)
        if place not in self._given:
            answers = self._looked_up(asked)
            if not answers:
                return []
            self._given[place] = answers[0]
        return [self._given[place]]

    def _looked_up(self, asked: Asked) -> list[object]:
        if callable(self._answers):
            return [self._answers(asked)]
        if isinstance(self._answers, Mapping):
            return [self._answers[key] for key in _keys(asked) if key in self._answers][:1]
        return list(islice(self._next, 1))


def _keys(asked: Asked) -> list[object]:
    """Return what an answer may be looked up by."""
    if isinstance(asked, QuestionAsked):
        return [asked.text]
    text = json.dumps(asked.payload, sort_keys=True, ensure_ascii=False)
    return [text] if isinstance(asked.payload, list | dict) else [asked.payload, text]


def _shown(asked: Asked) -> str:
    if isinstance(asked, QuestionAsked):
        return f"question {asked.id}, {asked.text!r:.200}"
    return f"interrupt {asked.id}, {asked.payload!r:.200}"
