"""Rules of naming: one word for one thing, written out, and documented where it is public."""

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

from tests.house.tree import Finding, Module

MAX_PUBLIC_NAMES = 40

# Rooms that are named after no thing grow without limit.
ROOMLESS = re.compile(r"base|common|enhanced|helpers?|manager|misc|utils?")

# What a reader would have to spell out; ctx, id, sql, url, json, args and kwargs are words by now.
# Not here: conn and desc, which eventsourcing gives its parameters that ours override.
ABBREVIATIONS = re.compile(
    r"addr|attr|buf|cb|cfg|cnt|cols|conf|cur|dest|elem|"
    r"evt|exc|fmt|idx|lst|mgr|msg|num|obj|param|params|pos|prev|"
    r"proc|ptr|qty|rec|req|res|resp|ret|sess|src|stmt|tmp|tok|txn"
    r"|val|ver"
)


def rooms(module: Module) -> Iterator[Finding]:
    """Find modules whose name says nothing about what is in them."""
    for word in module.name.split(".")[-1].split("_"):
        if ROOMLESS.fullmatch(word):
            yield Finding(module.path, 1, f"{word} names no thing; name what is in the module")


def abbreviations(module: Module) -> Iterator[Finding]:
    """Find names of modules, classes, functions, parameters and fields that are cut short."""
    for line, name in _defined(module):
        for word in _words(name):
            if ABBREVIATIONS.fullmatch(word):
                yield Finding(module.path, line, f"{name} abbreviates; write {word} out")


def public_face(package: ModuleType) -> Iterator[str]:
    """Find what is wrong with the names a package exports."""
    exported = list[str](getattr(package, "__all__", []))
    if len(exported) > MAX_PUBLIC_NAMES:
        yield f"{len(exported)} public names; at most {MAX_PUBLIC_NAMES}"
    if len(set(exported)) < len(exported):
        yield "a name is exported twice"
    missing = sorted(name for name in exported if not hasattr(package, name))
    yield from (f"{name} is exported, but is not there" for name in missing)
    for name, value in vars(package).items():
        hidden = name.startswith("_") or inspect.ismodule(value) or name in exported
        if not hidden:
            yield f"{name} is there, but is not exported"


def undocumented(name: str, value: object) -> Iterator[str]:
    """Find public classes, their methods, and functions that do not say what they are for."""
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return
    if not (value.__doc__ or "").strip():
        yield f"{name} has no docstring"
    if inspect.isclass(value):
        for attribute, member in vars(value).items():
            if not attribute.startswith("_") and inspect.isfunction(member):
                yield from undocumented(f"{name}.{attribute}", member)


def _defined(module: Module) -> Iterator[tuple[int, str]]:
    yield 1, module.name.split(".")[-1]
    for node in ast.walk(module.tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield node.lineno, name
            case ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield node.lineno, name
            case _:
                pass


def _words(name: str) -> list[str]:
    """Split a name into lower-case words: ``JobPaused`` and ``job_paused`` have the same two."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
