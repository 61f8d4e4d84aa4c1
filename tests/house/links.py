"""What documents point to: files, headings and tests, each of which has to be there."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.house.tree import Finding, Module

LINK = re.compile(r"\]\((?![a-z]+:)([^)\s#]*)(?:#([^)\s]*))?\)")
FENCED = re.compile(r"^( *)```.*?^\1```", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def dead_links(path: str, text: str, texts: dict[str, str]) -> Iterator[Finding]:
    """Find links of a document to files or headings that are not there.

    Shape: ``texts`` has every file of the repository by its path.
    """
    for number, line in enumerate(_without_code(text).splitlines(), start=1):
        for target, heading in LINK.findall(line):
            found = str(_resolved(path, target)) if target else path
            if found not in texts:
                yield Finding(path, number, f"there is no {found}")
            elif heading and heading not in anchors(texts[found]):
                yield Finding(path, number, f"{found} has no heading {heading}")


def anchors(text: str) -> set[str]:
    """Return what the headings of a document are linked by."""
    titles = [title.lower() for title in HEADING.findall(_without_code(text))]
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in titles}


def missing_tests(path: str, text: str, modules: dict[str, Module]) -> Iterator[Finding]:
    """Find tests that a document names and that are not there."""
    for number, line in enumerate(text.splitlines(), start=1):
        for file, name in NAMED_TEST.findall(line):
            if file not in modules or name not in _functions(modules[file]):
                yield Finding(path, number, f"there is no {file}::{name}")


def unheld_claims(path: str, text: str) -> Iterator[Finding]:
    """Find the rows of a table of claims that name no test."""
    in_claims = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("|"):
            in_claims = False
        elif line.startswith("| claim "):
            in_claims = True
        elif in_claims and not line.startswith("|---") and not NAMED_TEST.search(line):
            yield Finding(path, number, "a claim that names no test")


def unheld_parity(path: str, text: str) -> Iterator[Finding]:
    """Find the rows of a table of parity that neither name a test nor say that there is none."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("|") and not line.startswith(("| there ", "|---")):
            excused = re.search(r"\| not (?:yet|meant)\b", line)
            if not excused and not NAMED_TEST.search(line):
                yield Finding(path, number, "neither a test nor 'not yet'")


def _resolved(path: str, target: str) -> PurePosixPath:
    parts: list[str] = []
    for part in (*PurePosixPath(path).parent.parts, *PurePosixPath(target).parts):
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return PurePosixPath(*parts)


def _without_code(text: str) -> str:
    """Return a document with the lines of its code empty, so that the others keep their numbers."""
    return FENCED.sub(lambda found: "\n" * found[0].count("\n"), text)


def _functions(module: Module) -> set[str]:
    return {node.name for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)}
