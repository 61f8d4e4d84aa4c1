"""A model that needs no key: it reads the notes of a folder and deletes what they call old."""

from typing import final

import attrs

from examples.tools.flow import Call, Message, Turn


@final
@attrs.frozen
class ScriptedModel:
    """A model that says the same thing in the same conversation every time.

    It lists the files, reads ``notes.txt`` if there is one, wants every file deleted that a line
    ``old: NAME`` of the notes names, and then reports what came of it.
    """

    def choose(self, conversation: list[Message], *, key: str) -> Turn:  # noqa: ARG002 - nothing to deduplicate
        """Return the turn that the script has at this place."""
        tools = [each for each in conversation if each.by != "user"]
        if not tools:
            return Turn("What is there?", Call("list_files"))
        if len(tools) == 1:
            if "notes.txt" not in tools[0].text.splitlines():
                return Turn("There are no notes, so nothing is old.")
            return Turn("What do the notes say?", Call("read_file", {"name": "notes.txt"}))
        lines = tools[1].text.splitlines()
        old = [line.removeprefix("old:").strip() for line in lines if line.startswith("old:")]
        done = tools[2:]
        if len(done) < len(old):
            name = old[len(done)]
            return Turn(f"{name} is old.", Call("delete_file", {"name": name}))
        return Turn("; ".join(each.text for each in done) or "Nothing is old.")
