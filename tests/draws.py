"""Draws that are the same in every process: from a seed, and from nothing that is loaded."""

from __future__ import annotations

from importlib import import_module


def draw_no_constants() -> None:
    """Let Hypothesis draw no constants of loaded modules.

    It tries what stands in local modules, so that examples would change with each edit of esflow,
    and with the tests that are chosen to run.
    """
    providers = import_module("hypothesis.internal.conjecture.providers")
    found = "_get_local_constants"
    assert hasattr(providers, found), "Hypothesis has another name for it now"
    setattr(providers, found, providers.Constants)
