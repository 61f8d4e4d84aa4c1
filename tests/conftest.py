"""Profiles that every suite shares: `ci` repeats itself exactly, `long` draws new seeds."""

import signal

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.draws import draw_no_constants

# Machines under load are slow at random: time is the suite's budget, not the example's.
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long",
    deadline=None,
    derandomize=False,
    max_examples=2_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# Finds and doesn't shrink, which can take minutes: for a first look, `--hypothesis-profile=find`.
settings.register_profile(
    "find",
    parent=settings.get_profile("ci"),
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("ci")

# What a shell runs in the background ignores Ctrl-C, and so would every process started here.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Keep examples that are to repeat themselves from changing with what is loaded."""
    if config.getoption("--hypothesis-profile") != "long":
        draw_no_constants()


def pytest_report_header(config: pytest.Config) -> str:
    """Say which profile and seed would repeat this run."""
    profile = config.getoption("--hypothesis-profile") or "ci"
    seed = config.getoption("--hypothesis-seed")
    return f"esflow laws: profile {profile}, seed {'derandomized' if seed is None else seed}"
