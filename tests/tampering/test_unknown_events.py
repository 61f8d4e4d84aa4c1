"""What a newer esflow has recorded is read as far as it is known, and then refused by name."""

from collections.abc import Callable, Generator
from hashlib import sha256
from pathlib import Path

import attrs
import pytest

from esflow import Answer
from esflow.errors import UnknownEvent
from tests.stores import KINDS
from tests.tampering.logs import JOB, OTHER, Log, written


@pytest.fixture(params=KINDS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Log]:
    """Return the log of two jobs, in a store of each kind."""
    with written(request.param, tmp_path) as log:
        yield log


@pytest.mark.parametrize("topic", ["Teleported/1", "JobCompleted/99", "os.system/1"])
def test_an_event_of_a_newer_esflow_is_refused_before_anything_is_written(
    log: Log, topic: str
) -> None:
    rows = log.rows()
    *history, last = [row for row in rows if row.job_id == JOB.encode()]
    known = log.engine.state(JOB, len(history))
    previous = log.engine.history(JOB)[-2].hash
    body = b'"at":1,"host":"h","data":{"where":"elsewhere"}}'
    row_hash = sha256(f"{previous}\n{topic}\n".encode() + body).hexdigest()
    state = b'{"hash":"%b",%b' % (row_hash.encode(), body)
    newer = attrs.evolve(last, topic=topic.encode(), state=state)
    log.write([newer if row == last else row for row in rows])
    before = log.rows()
    acts: tuple[Callable[[str], object], ...] = (
        log.engine.state,
        log.engine.history,
        log.engine.run,
        log.engine.cancel,
        lambda job_id: log.engine.resume(job_id, Answer("yes")),
        lambda job_id: log.engine.send(job_id, "captain.heard", {"number": 1}),
    )
    for act in acts:
        with pytest.raises(UnknownEvent) as refused:
            act(JOB)
        assert (refused.value.job, refused.value.version) == (JOB, last.version)
        assert topic in str(refused.value)
    assert log.rows() == before
    assert log.engine.state(JOB, len(history)) == known
    (problem,) = log.engine.verify().problems
    assert problem.startswith(f"job {JOB!r}, version {last.version}:")
    assert log.engine.state(OTHER).status == "completed"
