"""Golden files are evidence: what is listed once stays as it is, in every later version."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from tests.house.tree import ROOT, Finding, files, git

FOLDER: Final = "tests/golden"
MANIFEST: Final = f"{FOLDER}/MANIFEST"


def current() -> dict[str, bytes]:
    """Return every golden file, by its path below the folder."""
    names = [name for name in files() if name.startswith(f"{FOLDER}/format-")]
    return {name.removeprefix(f"{FOLDER}/"): (ROOT / name).read_bytes() for name in names}


def earlier() -> Iterator[str]:
    """Yield every version of the manifest that this clone knows of, however short its history."""
    for commit in git("log", "--format=%H", "--", MANIFEST).split():
        if git("ls-tree", "--name-only", commit, MANIFEST):
            yield git("show", f"{commit}:{MANIFEST}")


def changed(manifest: str, found: dict[str, bytes]) -> Iterator[Finding]:
    """Find listed files that are gone or changed, and files that are not listed."""
    listed = _listed(manifest)
    for number, (name, digest) in enumerate(listed.items(), start=1):
        if name not in found:
            yield Finding(MANIFEST, number, f"{name} is gone; golden files stay")
        elif sha256(found[name]).hexdigest() != digest:
            yield Finding(MANIFEST, number, f"{name} was changed; golden files are never edited")
    for name in sorted(found.keys() - listed.keys()):
        yield Finding(f"{FOLDER}/{name}", 1, "is not listed; `sha256sum` says its line")


def dropped(manifest: str, before: str) -> Iterator[Finding]:
    """Find lines of an earlier manifest that are not in this one: it only grows."""
    listed = _listed(manifest).items()
    for number, line in enumerate(_listed(before).items(), start=1):
        if line not in listed:
            yield Finding(MANIFEST, number, f"{line[0]} was listed with {line[1][:8]} before")


def _listed(manifest: str) -> dict[str, str]:
    pairs = (line.split("  ", 1) for line in manifest.splitlines())
    return {name: digest for digest, name in pairs}
