"""The order desk as whole families of jobs, driven by hosts that share a file."""

from pathlib import Path

import pytest

from esflow import Answer, Engine, JobState
from examples.orders import app, build
from examples.orders.supplier import FileSupplier


def desk(place: Path) -> Engine:
    """Open the store as a host that knows no other."""
    flows = build(FileSupplier(place / "orders.jsonl"))
    return Engine(f"sqlite:///{place / 'jobs.db'}", flows)


def order(place: Path, **amounts: int) -> JobState:
    with desk(place) as engine:
        return engine.start("order", "desk.split", {"amounts": amounts}, job_id="one")


def ended(job: JobState) -> list[tuple[str, str]]:
    (summary,) = job.outputs
    return [(each["part"], each["status"]) for each in summary.payload["ended"]]


def test_an_order_is_done_when_all_its_parts_have_ended(tmp_path: Path) -> None:
    job = order(tmp_path, acme=10, best=20)
    assert job.status == "completed"
    assert ended(job) == [("c0", "completed"), ("c1", "completed")]
    assert [child.job_id for child in job.children] == ["one/1.1/c0", "one/1.1/c1"]


def test_an_order_of_nothing_is_done_at_once(tmp_path: Path) -> None:
    assert ended(order(tmp_path)) == []


@pytest.mark.parametrize(("answer", "output"), [("allow", "placed"), ("deny", "refused")])
def test_a_part_that_asks_leaves_its_order_waiting(
    tmp_path: Path, answer: str, output: str
) -> None:
    job = order(tmp_path, acme=10, best=2000)
    assert (job.status, job.outputs) == ("waiting", ())
    part = "one/1.1/c1"
    with desk(tmp_path) as engine:
        asked = engine.state(part).interrupts[0].payload
        assert asked == {"supplier": "best", "amount": 2000}
        assert engine.resume(part, Answer(answer)).outputs[0].output == output
        assert ended(engine.state("one")) == [("c0", "completed"), ("c1", "completed")]


def test_a_part_that_is_cancelled_is_told_to_its_order(tmp_path: Path) -> None:
    order(tmp_path, acme=10, best=2000)
    with desk(tmp_path) as engine:
        engine.cancel("one/1.1/c1", "too much")
        assert ended(engine.run("one")) == [("c0", "completed"), ("c1", "cancelled")]


def test_an_order_that_is_cancelled_takes_its_parts_along(tmp_path: Path) -> None:
    order(tmp_path, acme=10, best=2000)
    with desk(tmp_path) as engine:
        engine.cancel("one")
        assert engine.state("one/1.1/c1").status == "cancelled"
        assert engine.state("one/1.1/c0").status == "completed"


def test_the_app_orders_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_BOOK", str(tmp_path / "here.jsonl"))
    with Engine("memory://", app()) as engine:
        engine.start("order", "desk.split", {"amounts": {"acme": 1}})
    assert (tmp_path / "here.jsonl").read_text("utf-8").count("\n") == 1
