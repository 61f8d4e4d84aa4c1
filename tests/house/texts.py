"""Rules for every text in the repository: it must say the same on every machine, to everyone."""

import re
from collections.abc import Iterator

from tests.house.tree import Finding

# Each rule with what it is about; none of the patterns matches its own spelling here.
EVERYWHERE: dict[str, re.Pattern[str]] = {
    "a path of one machine": re.compile(
        r"(?<![A-Za-z0-9_])/(?:Users|Volumes|home|mnt|root|srv|work|workspaces?)/|\b[A-Z]:\\Users\\"
    ),
    "a package registry": re.compile(
        r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:com|org)|artif[a]ctory|jf[r]og)\b"
        r"|--(?:extra-)?index-url\b|--find-lin[k]s\b"
    ),
    "an address that is not public": re.compile(
        r"\bhttps?://(?:[^\s/@]+@|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\."
        r"|[\w.-]+\.(?:corp|home|internal|intranet|lan|local)\b)"
    ),
    "the wrong distribution; it is esflow-jobs": re.compile(
        r"\b(?:pip install|pipx install|uv add|uv tool install)\b[^\n`#]*?"
        r"(?<![\w./-])esflow\b(?!-jobs|/)"
    ),
    "a place outside the repository": re.compile(r"\.\./shared\b"),
}
LOCK: dict[str, re.Pattern[str]] = {
    "an address": re.compile(r"://|\bfile:| @ "),
    "an option; versions are all a lock holds": re.compile(r"^\s*--?\w"),
}


def breaches(
    path: str, text: str, rules: dict[str, re.Pattern[str]] | None = None
) -> Iterator[Finding]:
    """Find the lines of a text that name what only some readers have."""
    for number, line in enumerate(text.splitlines(), start=1):
        for about, pattern in (EVERYWHERE if rules is None else rules).items():
            if found := pattern.search(line):
                yield Finding(path, number, f"{found.group()!r} is {about}")
