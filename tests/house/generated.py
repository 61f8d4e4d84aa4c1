"""The parts of documents that are written by the code they describe.

A block stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``, each on a line of its own;
what is between them is written anew by ``python -m tests.house.generated``, or ``make docs``.
"""

import ast
import inspect
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from types import UnionType
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

import attrs

from benchmarks import report, results
from benchmarks.scale.constants import Constants
from benchmarks.scale.report import TABLES
from esflow.events import EffectCall, Event, Failure, Gather, Parent, PauseReason, Target
from esflow.transitions import to_mermaid
from esflow.upcasters import schemas, upcasters
from tests.house.tree import ROOT, files

BLOCK: Final = re.compile(
    r"^(?P<begin><!-- generated: (?P<name>[\w-]+) -->\n).*?^<!-- end -->$",
    re.DOTALL | re.MULTILINE,
)
NOTE: Final = re.compile(r"^    (?P<field>\w+): .*?#\s+(?P<note>.+)$", re.MULTILINE)
PLAIN: Final[Mapping[object, str]] = {
    str: "text",
    int: "whole number",
    Any: "any JSON",
    bool: "true or false",
    type(None): "null",
    Target: "Target",
    Failure: "Failure",
    EffectCall: "EffectCall",
    Gather: "Gather",
    Parent: "Parent",
    PauseReason: "PauseReason",
}


def events() -> str:
    """Describe every event and every part of one, field by field."""
    kinds = cast("tuple[type[Any], ...]", get_args(Event))
    described = [_class(f"{kind.name}/{schemas.get(kind.name, 1)}", kind) for kind in kinds]
    kinds = (Target, Gather, Failure, PauseReason, EffectCall, Parent)
    parts = [_class(part.__name__, part) for part in kinds]
    return "\n".join(described + parts)


def lifts() -> str:
    """List what an older schema is lifted by."""
    lines = ["| read | as | by |", "|---|---|---|"]
    for (name, schema), lift in sorted(upcasters.items()):
        by = " ".join((inspect.getdoc(lift) or "").split())
        lines.append(f"| `{name}/{schema}` | `{name}/{schema + 1}` | {by} |")
    return "\n".join(lines) + "\n"


def stairs() -> str:
    """List the modules from the top of the stairs, with what each says it is for."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    [contract] = [
        each
        for each in settings["tool"]["importlinter"]["contracts"]
        if each.get("containers") == ["esflow"]
    ]
    lines = ["| step | module | what it is for |", "|---|---|---|"]
    for step, layer in enumerate(contract["layers"], start=1):
        lines += [
            f"| {step} | `esflow.{name}` | {opening} |"
            for name in re.findall(r"\w+", layer)
            if (opening := _opening(name)) is not None
        ]
    return "\n".join(lines) + "\n"


def transitions() -> str:
    """Draw which event leads a job from which status to which."""
    return f"```mermaid\n{to_mermaid()}```\n"


@cache
def scale(name: str) -> str:
    """Compute a table of the scale model with the constants that stand in its code."""
    return TABLES[name](Constants())


def _measured() -> dict[str, Callable[[], str]]:
    """Return what the results of the benchmarks that are committed come to, by block."""
    return {name: partial(str, block) for name, block in report.blocks(results.read()).items()}


BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    **_measured(),
    "events": events,
    "lifts": lifts,
    "stairs": stairs,
    "transitions": transitions,
    **{f"scale-{name}": partial(scale, name) for name in TABLES},
}
"""Which block of a document is written by what."""


def written(text: str) -> str:
    """Return a document with its generated blocks as they should be.

    Raises: KeyError, for a block that nothing writes.
    """
    return BLOCK.sub(
        lambda found: f"{found['begin']}{BLOCKS[found['name']]()}<!-- end -->",
        text,
    )


def names(text: str) -> Iterator[str]:
    """Yield the names of a document's generated blocks."""
    return (found["name"] for found in BLOCK.finditer(text))


def documents() -> dict[str, str]:
    """Return every Markdown file of the repository, by its path."""
    return {name: (ROOT / name).read_text("utf-8") for name in files() if name.endswith(".md")}


def _class(title: str, kind: type[Any]) -> str:
    says = (inspect.getdoc(kind) or "").replace("``", "`").splitlines()
    lines = [f"### {title}", "", *(line for line in says if line), ""]
    fields = attrs.fields(kind)
    if not fields:
        return "\n".join([*lines, "It has no fields.", ""])
    notes = {found["field"]: found["note"] for found in NOTE.finditer(inspect.getsource(kind))}
    hints = get_type_hints(kind)
    lines += ["| field | JSON | left out when | |", "|---|---|---|---|"]
    for field in fields:
        left_out = _default(field.default)
        note = notes.get(field.name, "")
        lines.append(f"| `{field.name}` | {_json(hints[field.name])} | {left_out} | {note} |")
    return "\n".join([*lines, ""])


def _json(hint: Any) -> str:
    """Say in words which JSON stands for a type."""
    if hint in PLAIN:
        return PLAIN[hint]
    arguments = get_args(hint)
    if get_origin(hint) is UnionType or type(None) in arguments:
        return " or ".join(_json(each) for each in arguments if each is not type(None))
    if get_origin(hint) is tuple:
        return f"list of {_json(arguments[0])}"
    assert issubclass(get_origin(hint), Mapping), f"no words for {hint}"
    return "object" if arguments[1] is Any else f"object of {_json(arguments[1])}"


def _default(default: Any) -> str:
    if default is attrs.NOTHING:
        return ""
    value = default.factory() if hasattr(default, "factory") else default
    shown = {None: "null", "": "empty", 0: "0", 1: "1"}
    return "empty" if value in ((), {}) else shown[value]


def _opening(name: str) -> str | None:
    """Return the first sentence of a module or package; None where there is none."""
    for path in (ROOT / "esflow" / f"{name}.py", ROOT / "esflow" / name / "__init__.py"):
        if path.exists():
            says = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
            return " ".join(says.split("\n\n")[0].split()).split(". ")[0].replace("``", "`")
    return None


def main() -> None:
    """Write every generated block of every document anew."""
    for path, text in documents().items():
        if (anew := written(text)) != text:
            (ROOT / path).write_text(anew, "utf-8")


if __name__ == "__main__":
    main()
