"""Values that are harmless here and were not elsewhere: SQL, paths, classes, templates, bombs."""

from __future__ import annotations

from typing import Any, Final

TEXTS: Final = (
    "'; DROP TABLE stored_events; --",
    '"; DELETE FROM esflow_jobs; --',
    "x' OR '1'='1",
    "%",
    "_",
    "*",
    "a' UNION SELECT state FROM stored_events --",
    "../../etc/passwd",
    "..\\..\\windows",
    "file:///etc/passwd",
    "~/.ssh/id_rsa",
    "$(touch owned)",
    "`touch owned`",
    "| touch owned",
    "${jndi:ldap://example.invalid/a}",
    "{{7*7}}",
    "{0.__class__.__mro__}",
    "%(x)s%n",
    "__import__('this')",
    "os:system",
    "!!python/object/apply:os.system ['id']",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "-rf",
    "--help",
    "9" * 200,
)
"""Texts that may be a name; each is only a text."""

VALUES: Final[tuple[Any, ...]] = (
    *TEXTS,
    "a\x00b",
    "\x1b]0;owned\x07",
    "\u202egnp.exe",
    "ﬁ\u0301\u200b",
    {"__class__": "os.system", "__init__": {"__globals__": {}}},
    {"py/object": "os.system", "py/reduce": [{"py/function": "os.system"}, ["touch owned"]]},
    {"__reduce__": ["os.system", ["touch owned"]]},
    {"$type": "System.Diagnostics.Process", "@type": "java.lang.Runtime", "!type": "this"},
    {"_type": "this", "type": "antigravity", "cls": "subprocess.Popen", "module": "this"},
    {"constructor": {"prototype": {"polluted": True}}, "__proto__": {"polluted": True}},
    {"__attrs_attrs__": [], "__dataclass_fields__": {}, "__esflow__": "os.system"},
    {"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/a"}}},
    {"&a": ["*a", "*a"], "<<": "*a"},
    {"topic": "JobCompleted/1", "hash": "0" * 64, "data": {"id": "1.1"}},
    {"": {"": {"": ""}}, "\x00": "\x00", "self": 1, "ctx": 2, "cls": 3},
    [[[[[[[[[["x"] * 8] * 4] * 2] * 2]]]]]],
)
"""Payloads, each of which is data from its outside to its inside."""
