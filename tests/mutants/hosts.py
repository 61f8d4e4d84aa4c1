"""Wrongs of hosts and of the log: conflicts, fencing, the chain, and reading anew."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import (
    APPEND_ONLY,
    NOTHING_LOST,
    ONE_WRITER,
    TRUTH,
    Mutant,
    Patch,
    Trial,
)

_MESSAGES: Final = "tests/engine/test_messages.py::test_"
_TAKEOVER: Final = "tests/engine/test_takeover.py::test_"
_FENCED: Final = "        if self.token and self.fold.token != self.token:\n"

MUTANTS: Final = (
    Mutant(
        name="the last event is folded twice",
        breaks="Law 1: a state is the fold of its events, each of them once.",
        patches=(
            Patch(
                "replay.py",
                "            created_at_ms = stored.at\n    return Replayed(",
                "            created_at_ms = stored.at\n"
                "    if fold.ended is None and head != begun.head:\n"
                "        HANDLERS[type(stored.data)](fold, stored.data)\n"
                "    return Replayed(",
            ),
        ),
        trial=Trial(TRUTH, examples=10),
    ),
    Mutant(
        name="a gap between versions",
        breaks="Law 3: versions are gapless.",
        patches=(
            Patch(
                "runtime/session.py",
                "            version += 1\n",
                "            version += 1 + (version > 3 and not rows)\n",
            ),
        ),
        trial=Trial(APPEND_ONLY, examples=10),
    ),
    Mutant(
        name="a hash without its predecessor",
        breaks="Law 3: the hash of an event is over its bytes and its predecessor's hash.",
        patches=(
            Patch(
                "codec.py",
                "sha256(previous.encode() + line + body)",
                "sha256(line + body)",
            ),
        ),
        trial=Trial("test_rows_that_were_dropped_swapped_doubled_or_moved_are_seen"),
    ),
    Mutant(
        name="a hash without the event's name",
        breaks="Law 3: the hash of an event is over all of its bytes.",
        patches=(
            Patch(
                "codec.py",
                "sha256(previous.encode() + line + body)",
                'sha256(previous.encode() + b"\\n" + body)',
            ),
        ),
        trial=Trial(APPEND_ONLY, examples=10),
    ),
    Mutant(
        name="a message is dropped after a conflict",
        breaks="What came in between is decided on anew.",
        patches=(
            Patch(
                "runtime/session.py",
                "        self.load()\n        self._refuse_fenced()\n",
                "        self.load()\n        self._refuse_fenced()\n"
                "        self.fold.inputs, self.fold.messages = [], {}\n",
            ),
        ),
        trial=Trial(NOTHING_LOST, "loop", examples=10, seed=5),
    ),
    Mutant(
        name="the same events again after a conflict",
        breaks="Rebasing is deciding again, never appending what was decided before.",
        patches=(
            Patch(
                "runtime/session.py",
                "        group, before = self._drop_group(), self._recorded\n",
                "        kept = self._events\n"
                "        group, before = self._drop_group(), self._recorded\n",
            ),
            Patch(
                "runtime/session.py",
                "        for decision in group:\n",
                "        from esflow.fold import evolve_all\n\n"
                "        evolve_all(self.fold, kept)\n"
                "        for decision in group:\n"
                "            decision.is_planned = True\n"
                "        self._group, self._events, group = group, kept, []\n"
                "        for decision in group:\n",
            ),
        ),
        trial=Trial(
            _MESSAGES
            + "a_message_while_the_last_handler_runs_is_delivered_before_the_job_completes"
        ),
    ),
    Mutant(
        name="a fenced host goes on",
        breaks="A conflict with another execution ends this one.",
        patches=(Patch("runtime/session.py", _FENCED, "        if False:\n"),),
        trial=Trial(_TAKEOVER + "a_job_that_is_taken_over_is_appended_to_by_its_new_driver_alone"),
    ),
    Mutant(
        name="a later execution goes by the token of the first",
        breaks="Law 8: what is recorded bears the token of the execution that appended it.",
        patches=(
            Patch(
                "runtime/session.py",
                "self.host, actor, token)\n",
                "self.host, actor, min(token, 2))\n",
            ),
        ),
        trial=Trial(ONE_WRITER, examples=10),
    ),
)
