"""What is compared with what, and at which sizes.

Peers run in their documented configuration for the same durability: a state that is committed
before the next step begins.
"""

from __future__ import annotations

from typing import Final

from benchmarks.suites import histories, jobs, steps
from benchmarks.suites.suite import Suite

SUITES: Final[tuple[Suite, ...]] = (*steps.SUITES, *jobs.SUITES, *histories.SUITES)
