"""What the examples are put through: a job for each, and what people answer in it."""

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast, final

import attrs

from esflow import Answer, Flow, JobState, events
from esflow.cli.demo import build as build_agent
from esflow.cli.demo.ledger import Ledger
from esflow.cli.demo.model import ScriptedModel
from examples.approval import build as build_approval
from examples.approval.newsroom import FilePress, ScriptedWriter
from examples.tools import Tool
from examples.tools import build as build_tools
from examples.tools.folder import Folder
from examples.tools.script import ScriptedModel as ScriptedChooser

Result = TypeVar("Result")
NOTES = "old: a.tmp\nold: b.tmp\n"


@final
@attrs.frozen(kw_only=True)
class Story:
    """One job of an example, in a folder that all its processes share."""

    build: Callable[[Path], Flow]
    slot: str
    payload: Mapping[str, object]
    answer: Callable[[JobState], Answer]
    label: Callable[[events.EffectRecorded], str | None]  # The same for a call and its record.
    world: Callable[[Path], object]  # What the calls have left behind outside the store.


def ledger(place: Path) -> Ledger:
    """Return the file of the calls that were begun."""
    return Ledger(place / "calls.jsonl")


def counted(place: Path, function: Callable[..., Result]) -> Callable[..., Result]:
    """Return a function that is put into the ledger by its name whenever it is called."""

    @wraps(function)
    def counting(*args: Any, **kwargs: Any) -> Result:
        ledger(place).append("", function.__qualname__)
        return function(*args, **kwargs)

    return counting


@final
@attrs.frozen
class CountedWriter:
    """A writer and a press whose calls are counted."""

    place: Path

    def write(self, topic: str, *, key: str) -> str:
        """Draft a text."""
        ledger(self.place).append(topic, key)
        return ScriptedWriter().write(topic, key=key)

    def publish(self, text: str, *, key: str) -> str:
        """Publish a text."""
        ledger(self.place).append(text, key)
        return press(self.place).publish(text, key=key)


@final
@attrs.frozen
class CountedChooser:
    """A model whose turns are counted."""

    choose: Callable[..., Any]


def press(place: Path) -> FilePress:
    """Return the press of a folder."""
    return FilePress(place / "published.jsonl")


def approval(place: Path) -> Flow:
    """Build the newsroom with its calls counted."""
    return build_approval(CountedWriter(place), CountedWriter(place))


def tools(place: Path, *, notes: str = NOTES, asks: bool = True) -> Flow:
    """Build the agent with tools over a folder, which is filled the first time."""
    desk = place / "desk"
    if not desk.exists():
        desk.mkdir()
        for name, text in {"a.tmp": "hello", "b.tmp": "hi", "notes.txt": notes}.items():
            (desk / name).write_text(text, "utf-8")
    counted_tools = {
        name: Tool(counted(place, tool.run), tool.preview and counted(place, tool.preview))
        for name, tool in Folder(desk).tools().items()
    }
    chooser = CountedChooser(counted(place, ScriptedChooser().choose))
    return build_tools(chooser, counted_tools, asks=asks)


def files(place: Path) -> list[str]:
    """Return the names of the files that the agent's tools have left."""
    return sorted(each.name for each in (place / "desk").iterdir())


def shown(job: JobState) -> dict[str, Any]:
    """Return what the one open interrupt of a job shows."""
    (asked,) = job.interrupts
    return cast("dict[str, Any]", asked.payload)


def _reviewed(job: JobState) -> Answer:
    """Send an edit without its text, and with it when that was refused."""
    text = "Lamps are dark." if "problem" in shown(job) else ""
    return Answer({"verdict": "edit", "text": text})


STORIES = {
    "agent": Story(
        build=lambda place: build_agent(ScriptedModel(), ledger(place)),
        slot="agent.trigger",
        payload={"task": "Analyze data"},
        answer=lambda _: Answer("A"),
        label=lambda effect: effect.key,
        world=lambda _: None,
    ),
    "approval": Story(
        build=approval,
        slot="newsroom.draft",
        payload={"topic": "Lamps"},
        answer=_reviewed,
        label=lambda effect: effect.key,
        world=lambda place: press(place).published(),
    ),
    "tools": Story(
        build=lambda place: tools(place, notes="old: a.tmp\n"),  # Each kill runs all of it again.
        slot="agent.think",
        payload={"text": "Tidy up"},
        answer=lambda _: Answer("allow"),
        label=lambda effect: effect.function,
        world=files,
    ),
}
