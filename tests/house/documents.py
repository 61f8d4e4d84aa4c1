"""Run what a document shows, the way a reader would, and compare what it says with what happens.

The conventions are written down in CONTRIBUTING.md under "Documents that run".
Blocks run in the order of the document, in one folder and one environment.
Neighbouring ``python`` blocks are one session of one interpreter; a ``console`` block ends it, as
it does for a reader who goes back to the shell.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Literal, Self, final

import attrs

MAX_SECONDS = 120  # For one command or one session; a document that takes longer is a benchmark.

FENCE = re.compile(
    r"^(?P<indent>[ ]*)```(?P<language>\w+)?[^\n]*\n(?P<body>.*?)^(?P=indent)```",
    re.DOTALL | re.MULTILINE,
)
MARK = re.compile(r"<!-- (?:(?P<kind>not run|file): (?P<value>[^>]+?)) -->\s*\Z")
# An id in a document has a digit, so that words ("job-wide") are no ids; a real one is any.
JOB = re.compile(r"\bjob-(?=[a-z]*[0-9])[0-9a-z]{4,}\b")
ANY_JOB = r"(job-[0-9A-Za-z]{4,})"
BETWEEN = "\x1eend of block\x1e"


@final
@attrs.frozen
class Block:
    """A fenced block of a document."""

    language: str
    line: int  # Of its first line of content, counted from 1.
    body: str
    kind: str = ""  # "not run" or "file", from the comment above it.
    value: str = ""  # The reason it is not run, or the name of the file.
    answers: bool = False  # Whether it is the output of the python block right above it.


@final
@attrs.frozen
class Command:
    """One line after a ``$``, with what the document says it prints."""

    line: int
    text: str
    output: str


@final
@attrs.frozen
class Surprise(Exception):
    """A document says one thing, and another happens."""

    document: str
    line: int
    expected: str
    found: str

    def __str__(self) -> str:
        shown = f"--- the document says\n{self.expected}\n--- what happens\n{self.found}"
        return f"{self.document}:{self.line}\n{shown}"


@final
@attrs.define
class Reader:
    """Someone who follows a document from its top, in an empty folder."""

    document: str
    folder: Path
    environment: dict[str, str] = attrs.field(factory=lambda: dict(os.environ))
    jobs: dict[str, str] = attrs.field(factory=dict[str, str])  # Ids in the document: ids here.

    @classmethod
    def at(cls, document: str, folder: Path) -> Self:
        """Prepare a reader with this interpreter's commands on the PATH and no colours."""
        reader = cls(document, folder)
        commands = str(Path(sys.executable).parent)
        path = os.pathsep.join([commands, reader.environment["PATH"]])
        reader.environment |= {"PATH": path, "NO_COLOR": "1", "COLUMNS": "100", "TERM": "dumb"}
        return reader

    def follow(self, text: str) -> None:
        """Do what a document shows.

        Raises: Surprise, at the first line that does not come out as the document says.
        """
        used = (block for block in blocks(text) if _use(block) != "shown")
        for use, group in groupby(used, key=_use):
            match use:
                case "session":
                    self._session(list(group))
                case "console":
                    for command in chain.from_iterable(map(commands, group)):
                        self._command(command)
                case "file":
                    for block in group:
                        (self.folder / block.value).write_text(block.body, "utf-8")
                case "shown":
                    pass

    def _command(self, command: Command) -> None:
        """Run one line of a shell, whose exported variables the next one gets."""
        kept = self.folder.parent / f"{self.folder.name}.environment"
        script = f'{self._here(command.text)}\nstatus=$?\nenv -0 >"{kept}"\nexit $status'
        status, found = self._run(["bash", "-c", script])
        if status != 0:
            found += f"(exit code {status}; where that is the point, show it: …; echo $?)"
            raise Surprise(self.document, command.line, command.output, found)
        self._compare(command.line, command.output, found)
        pairs = os.fsdecode(kept.read_bytes()).split("\0")
        self.environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def _session(self, group: list[Block]) -> None:
        """Run neighbouring python blocks as one program, with the document's own line numbers."""
        programs = [block for block in group if block.language == "python"]
        if not programs:
            return
        lines: list[str] = []
        for block in programs:
            lines += [""] * (block.line - 1 - len(lines))
            lines += self._here(block.body).splitlines()
            lines.append(f"print({BETWEEN!r}, flush=True)")  # Stands where the fence ends.
        program = self.folder / f"{Path(self.document).stem.lower()}_session.py"
        program.write_text("\n".join(lines), "utf-8")
        status, found = self._run([sys.executable, program.name])
        program.unlink()
        outputs = found.split(f"{BETWEEN}\n")
        if status != 0 or len(outputs) != len(programs) + 1:
            raise Surprise(self.document, programs[0].line, "(a program that ends well)", found)
        for block, output in zip(programs, outputs, strict=False):
            expected = _expected(block, group)
            if expected is not None:
                self._compare(block.line, expected, output)

    def _run(self, command: list[str]) -> tuple[int, str]:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=MAX_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8")

    def _compare(self, line: int, expected: str, found: str) -> None:
        matched = pattern(expected, self.jobs).fullmatch(tidied(found))
        if matched is None:
            raise Surprise(self.document, line, expected, found)
        names = [name for name in JOB.findall(expected) if name not in self.jobs]
        self.jobs |= dict(zip(dict.fromkeys(names), matched.groups(), strict=True))

    def _here(self, text: str) -> str:
        """Put this run's ids of jobs in the place of the document's."""
        return JOB.sub(lambda found: self.jobs.get(found.group(), found.group()), text)


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a document, in order."""
    end, runs = 0, False
    for fence in FENCE.finditer(text):
        before = text[end : fence.start()]
        mark = MARK.search(before)
        indent = fence["indent"]
        body = "".join(
            line.removeprefix(indent) for line in fence["body"].splitlines(keepends=True)
        )
        language = fence["language"] or ""
        yield Block(
            language=language,
            line=text.count("\n", 0, fence.start("body")) + 1,
            body=body,
            kind=mark["kind"] if mark else "",
            value=mark["value"] if mark else "",
            answers=runs and language == "text" and not before.strip(),
        )
        end, runs = fence.end(), language == "python" and mark is None


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a console block; a line that ends in a backslash goes on."""
    for found in re.finditer(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block.body, re.MULTILINE):
        line = block.line + block.body.count("\n", 0, found.start())
        yield Command(line, found[1], found[2])


def tidied(output: str) -> str:
    """Drop what a reader cannot see: spaces at the ends of lines, empty lines around."""
    return "".join(f"{line.rstrip()}\n" for line in output.strip("\n").splitlines())


def pattern(expected: str, jobs: dict[str, str]) -> re.Pattern[str]:
    """Build what an output has to match.

    ``...`` stands for any text within a line, and alone on a line for any lines.
    The id of a job stands for whatever id is there, the same one everywhere in the document.
    """
    groups: dict[str, int] = {}

    def built(line: str) -> str:
        if line.strip() == "...":
            return r"(?:.*\n)*?"
        parts = re.split(rf"({JOB.pattern}|\.\.\.)", line)
        return "".join(_part(part, jobs, groups) for part in parts) + r"\n"

    return re.compile("".join(map(built, tidied(expected).splitlines())))


def _part(part: str, jobs: dict[str, str], groups: dict[str, int]) -> str:
    if part == "...":
        return ".*"
    if not JOB.fullmatch(part):
        return re.escape(part)
    if part in jobs:
        return re.escape(jobs[part])
    if part in groups:
        return rf"(?:\{groups[part]})"
    groups[part] = len(groups) + 1
    return ANY_JOB


def _use(block: Block) -> Literal["session", "console", "file", "shown"]:
    """What a reader does with a block; output that is shown stays with the session before it."""
    match block:
        case Block(kind="file"):
            return "file"
        case Block(kind="", language="console"):
            return "console"
        case Block(kind="", language="python") | Block(kind="", answers=True):
            return "session"
        case _:
            return "shown"


def _expected(block: Block, group: list[Block]) -> str | None:
    """Find the ``text`` block right under a ``python`` block."""
    under = group[group.index(block) + 1 :][:1]
    return next((after.body for after in under if after.answers), None)
