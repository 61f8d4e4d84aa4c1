"""Rules of form, checked on the syntax tree: they judge one file and know nothing of the rest."""

import ast
import re
import tokenize
from collections.abc import Iterator
from io import StringIO

from tests.house.tree import Finding, Module

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60

# The one place that may catch whatever a routine raises: where a routine is called.
CATCHES_ALL = "esflow/usercode.py"

BANNED_MODULES = frozenset({"cloudpickle", "dill", "marshal", "pickle", "shelve"})
BANNED_CALLS = frozenset({"__import__", "compile", "eval", "exec"})
CATCH_ALL = frozenset({"Exception", "BaseException"})
SQL_METHODS = frozenset({"execute", "executemany", "executescript", "query"})
SKIPS = frozenset({"importorskip", "skip", "skipIf", "skipTest", "skipUnless", "skipif", "xfail"})
CLOCKS = frozenset({"now", "today", "utcnow"})
PURE = re.compile(
    r"esflow\.(commands|consequences|decider|errors|events|fold|holds|ids|items|json_values|merge|moments|parts|reducers|state|transitions|values|waves)\b"
)

# Written in pieces, so that this file may be judged by its own rule.
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")

EXCUSE = re.compile(r"# (?:noqa|type: ignore|pyright: ignore|pragma: no)\b")
EXCUSED = re.compile(
    r"# (?:noqa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*|(?:type|pyright): ignore\[[\w, -]+\]"
    r"|pragma: no (?:cover|branch))\s+(?:-|#) \w+ \w+"
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sizes(module: Module) -> Iterator[Finding]:
    """Find modules and functions that no longer fit into one view."""
    lines = module.text.count("\n")
    if lines > MAX_MODULE_LINES:
        yield Finding(module.path, 1, f"{lines} lines; a module has at most {MAX_MODULE_LINES}")
    for function in _functions(module.tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > MAX_FUNCTION_LINES:
            rule = f"{function.name} has {length} lines; at most {MAX_FUNCTION_LINES}"
            yield Finding(module.path, function.lineno, rule)


def openings(module: Module) -> Iterator[Finding]:
    """Find modules that do not say what they are for."""
    if not (ast.get_docstring(module.tree) or "").strip():
        yield Finding(module.path, 1, "no docstring; say what the module is for")


def unfinished(path: str, text: str) -> Iterator[Finding]:
    """Find notes about work that was left for later."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := UNFINISHED.search(line):
            yield Finding(path, number, f"{found.group()}; finish it or open an issue")


def banned(module: Module) -> Iterator[Finding]:
    """Find what would let stored data, or a text, choose which code runs."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Import(names=names):
                imported = {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(source)):
                imported = {source.partition(".")[0]}
            case ast.Call(func=ast.Name(id=name)) if name in BANNED_CALLS:
                yield Finding(module.path, node.lineno, f"{name} runs what data says")
                continue
            case _:
                continue
        for name in sorted(imported & BANNED_MODULES):
            yield Finding(module.path, node.lineno, f"{name} runs what data says")


def catches(module: Module, allowed: str = CATCHES_ALL) -> Iterator[Finding]:
    """Find handlers that catch everything, save the one where a routine is called."""
    handlers = [node for node in ast.walk(module.tree) if isinstance(node, ast.ExceptHandler)]
    found = [node for node in handlers if node.type is None or CATCH_ALL & _names(node.type)]
    for node in found[1 if module.path == allowed else 0 :]:
        yield Finding(module.path, node.lineno, f"catches everything; only {allowed} may, once")


def sleeps(module: Module) -> Iterator[Finding]:
    """Find waiting that nothing can wake or shorten."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="time"), attr="sleep"):
                yield Finding(module.path, node.lineno, "time.sleep; wait for what happens")
            case ast.ImportFrom(module="time", names=names) if "sleep" in {a.name for a in names}:
                yield Finding(module.path, node.lineno, "time.sleep; wait for what happens")
            case _:
                pass


def clocks(module: Module) -> Iterator[Finding]:
    """Find a clock in the pure core, where time is an argument."""
    if not PURE.match(module.name):
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in CLOCKS:
                yield Finding(module.path, node.lineno, f".{name}() in the core; pass the time")
            case _:
                pass


def statements(module: Module) -> Iterator[Finding]:
    """Find SQL that is put together where it is run: values belong in its parameters."""
    for scope in (module.tree, *_functions(module.tree)):
        built = {name for name, value in _assignments(scope) if _is_built(value)}
        for node in _within(scope):
            match node:
                case ast.Call(func=ast.Attribute(attr=name), args=[sql, *_]) if name in SQL_METHODS:
                    if _is_built(sql) or (isinstance(sql, ast.Name) and sql.id in built):
                        yield Finding(module.path, node.lineno, "SQL put together; use parameters")
                case _:
                    pass


def skips(module: Module) -> Iterator[Finding]:
    """Find tests that are not run, or that may fail."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(value=value, attr=name) if name in SKIPS:
                if _names(value) & {"mark", "pytest", "self", "unittest"}:
                    yield Finding(module.path, node.lineno, f"{name}; a test runs and passes")
            case ast.ImportFrom(module="pytest" | "unittest", names=names):
                for alias in names:
                    if alias.name in SKIPS:
                        yield Finding(module.path, node.lineno, f"{alias.name}; a test passes")
            case _:
                pass


def unasserted(module: Module) -> Iterator[Finding]:
    """Find tests that cannot fail: no assert, no expected error, no call that checks."""
    for function in _functions(module.tree):
        if function.name.startswith("test") and not any(map(_asserts, ast.walk(function))):
            yield Finding(module.path, function.lineno, f"{function.name} asserts nothing")


def excuses(module: Module) -> Iterator[Finding]:
    """Find ignores of a checker that do not say what they ignore, and why."""
    for token in tokenize.generate_tokens(StringIO(module.text).readline):
        is_excuse = token.type == tokenize.COMMENT and EXCUSE.search(token.string)
        if is_excuse and not EXCUSED.search(token.string):
            rule = "an ignore names its code and its reason: [code]  # why, or: code - why"
            yield Finding(module.path, token.start[0], rule)


def _asserts(node: ast.AST) -> bool:
    match node:
        case ast.Assert():
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="pytest"), attr="raises" | "warns")):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name == "then" or name.startswith(("check_", "assert_"))
        case _:
            return False


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _names(node: ast.AST) -> set[str]:
    """Collect the names an expression mentions, with and without what they are taken from."""
    plain = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return plain | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def _within(scope: ast.AST) -> Iterator[ast.AST]:
    """Walk a scope without entering the functions it defines: they are scopes of their own."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, Function):
            yield node
            yield from _within(node)


def _assignments(scope: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in _within(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.AugAssign(target=ast.Name(id=name)):
                yield name, ast.BinOp(ast.Name(name), node.op, node.value)
            case _:
                pass


def _is_built(value: ast.expr) -> bool:
    """Whether a text is computed rather than written; joined constants are written."""
    match value:
        case ast.JoinedStr():
            return not all(map(_is_written, value.values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return not (_is_written(left) and _is_written(right))
        case ast.BinOp(op=ast.Mod()):
            return True
        case ast.Call(func=ast.Attribute(attr="format" | "format_map" | "join" | "replace")):
            return True
        case _:
            return False


def _is_written(value: ast.expr) -> bool:
    """Whether a text is fixed where it stands: a literal, or a constant named in capitals."""
    match value:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name.isupper()
        case ast.FormattedValue(value=part):
            return _is_written(part)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_written(left) and _is_written(right)
        case _:
            return False
