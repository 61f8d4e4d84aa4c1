"""Wrongs of liveness: who may take a job over, when a lease ends, and who gives it back."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant, Patch, Trial

_LEASES: Final = "tests/engine/test_leases.py::test_"
_TAKEOVER: Final = "tests/engine/test_takeover.py::test_"
_BEAT: Final = "tests/engine/test_heartbeat.py::test_"
_WORKER: Final = "tests/engine/test_worker.py::test_"
_ABANDONED: Final = "tests/engine/test_abandoned_attempts.py::test_"
_STARTING: Final = "tests/engine/test_starting.py::test_"
_CHANGED: Final = "tests/engine/test_changed_flows.py::test_"
_REVIEWED: Final = "tests/engine/test_reviewed.py::test_"
_DUE: Final = "tests/core/test_decider_due.py::test_"
_INDEX: Final = "tests/contract/test_index.py::test_"
_FREE: Final = "        return row is None or self.is_anybodys(row)\n"
_SAME: Final = '    for field in ("flow", "slot", "payload"):\n'

MUTANTS: Final = (
    Mutant(
        name="a job that somebody drives is claimed",
        breaks="A job is taken over only if nobody drives it.",
        patches=(Patch("runtime/host.py", _FREE, "        return True\n"),),
        trial=Trial(_TAKEOVER + "a_driven_job_is_left_to_its_driver"),
    ),
    Mutant(
        name="a job that nobody drives is left",
        breaks="A job whose driver has gone is anybody's.",
        patches=(Patch("runtime/host.py", _FREE, "        return row is None\n"),),
        trial=Trial(_TAKEOVER + "a_job_whose_driver_has_gone_is_anybodys"),
    ),
    Mutant(
        name="a driven job is judged once",
        breaks="Whether a job is stale is asked at each decision, not once.",
        patches=(
            Patch(
                "runtime/host.py",
                "        take_over = self._take_over(session, max_claims)\n\n"
                "        def step(fold: JobFold) -> Sequence[Event]:\n"
                "            may = self._is_free(job_id) or self._is_stale(job_id, older_than)\n",
                "        take_over = self._take_over(session, max_claims)\n"
                "        may = self._is_free(job_id) or self._is_stale(job_id, older_than)\n\n"
                "        def step(fold: JobFold) -> Sequence[Event]:\n",
            ),
        ),
        trial=Trial(_REVIEWED + "a_job_that_proves_to_be_alive_is_not_taken_over"),
    ),
    Mutant(
        name="a lapsed lease is respected",
        breaks="A host that lets its lease lapse loses the job.",
        patches=(
            Patch(
                "runtime/lease.py",
                "    return lapsed or is_gone(lease)\n",
                "    return is_gone(lease)\n",
            ),
        ),
        trial=Trial(_LEASES + "a_host_that_lets_its_lease_lapse_loses_the_job"),
    ),
    Mutant(
        name="a lease lapses after its end",
        breaks="A lease ends at its end, not behind it.",
        patches=(Patch("runtime/lease.py", "lease_until_ms <= now_ms", "lease_until_ms < now_ms"),),
        trial=Trial(_LEASES + "a_lease_lapses_at_its_end_whoever_holds_it"),
    ),
    Mutant(
        name="another machine's process has gone",
        breaks="A process of another machine may be alive, as far as can be told from here.",
        patches=(
            Patch(
                "runtime/lease.py",
                "    if machine != platform.node():\n        return False\n",
                "    if machine != platform.node():\n        return True\n",
            ),
        ),
        trial=Trial(_LEASES + "a_job_that_is_driven_elsewhere_is_left_to_its_driver"),
    ),
    Mutant(
        name="a process with a used number is alive",
        breaks="Numbers of processes come again: when it began tells them apart.",
        patches=(Patch("runtime/lease.py", " or _started(int(pid)) != started\n", "\n"),),
        trial=Trial(_TAKEOVER + "a_lease_is_abandoned_when_its_process_has_gone"),
    ),
    Mutant(
        name="a process of before the machine's start is alive",
        breaks="What an earlier run of this machine left is anybody's.",
        patches=(Patch("runtime/lease.py", "    return boot != _boot() or not", "    return not"),),
        trial=Trial(_LEASES + "only_what_an_earlier_boot_of_this_machine_left_is_abandoned"),
    ),
    Mutant(
        name="leases are not renewed",
        breaks="A host renews the leases of what it drives.",
        patches=(
            Patch(
                "runtime/heartbeat.py",
                "            self._store.renew(leases, self._clock.now_ms() + self._lease_ms)\n",
                "            self._store.renew((), self._clock.now_ms() + self._lease_ms)\n",
            ),
        ),
        trial=Trial(_BEAT + "a_host_renews_what_it_drives"),
    ),
    Mutant(
        name="a beat that fails is the last",
        breaks="A beat that fails is made up for by the next.",
        patches=(
            Patch(
                "runtime/heartbeat.py",
                '            warn("%d leases are not renewed: %s", len(leases), trouble)\n',
                '            warn("%d leases are not renewed: %s", len(leases), trouble)\n'
                "            self._held = set()\n",
            ),
        ),
        trial=Trial(_BEAT + "a_beat_that_fails_is_logged_and_made_up_for"),
    ),
    Mutant(
        name="an append leaves the lease's end",
        breaks="Every append of the driver moves the end of its lease.",
        patches=(
            Patch(
                "runtime/session.py",
                "self.lease, index.updated_at_ms + self.lease_ms",
                "self.lease, index.created_at_ms + self.lease_ms",
            ),
        ),
        trial=Trial(_LEASES + "every_append_moves_the_end_of_the_lease"),
    ),
    Mutant(
        name="what comes from outside takes the lease",
        breaks="A message to a job that is driven leaves the lease to its driver.",
        patches=(
            Patch(
                "runtime/session.py",
                "        if is_running:\n            return False, True\n",
                "        if is_running:\n            return False, False\n",
            ),
        ),
        trial=Trial(_TAKEOVER + "a_message_to_a_driven_job_leaves_it_to_its_driver"),
    ),
    Mutant(
        name="a closed engine keeps its leases",
        breaks="Closing an engine gives back the leases of what it drives.",
        patches=(
            Patch(
                "runtime/host.py",
                "            session.waiting.leave()\n            self.give_back(session)\n",
                "            session.waiting.leave()\n",
            ),
        ),
        trial=Trial(_ABANDONED + "a_closed_engine_gives_back_what_it_still_drives"),
    ),
    Mutant(
        name="an abandoned attempt keeps its lease",
        breaks="Abandoning an attempt gives the lease back.",
        patches=(
            Patch(
                "runtime/host.py",
                "            if give_back(self.store, session):\n",
                "            if False:\n",
            ),
        ),
        trial=Trial(
            _ABANDONED + "an_attempt_that_ends_the_process_records_nothing_and_is_run_again"
        ),
    ),
    Mutant(
        name="another's lease is given back",
        breaks="A lease is given back by its holder alone.",
        patches=(
            Patch(
                "stores/memory.py",
                "            if row is None or row.lease != lease:\n",
                "            if row is None:\n",
            ),
        ),
        trial=Trial(_INDEX + "a_lease_is_given_back_by_its_holder_alone"),
    ),
    Mutant(
        name="all leases are renewed",
        breaks="A host renews its own leases, and no others.",
        patches=(
            Patch(
                "stores/memory.py",
                "if row.lease in wanted]",
                "if row.lease in wanted or wanted]",
            ),
        ),
        trial=Trial(_INDEX + "leases_are_renewed_together_and_no_others"),
    ),
    Mutant(
        name="recovery takes what was just recorded",
        breaks="A driver is stale only after so many seconds without a record.",
        patches=(
            Patch(
                "runtime/host.py",
                "        if older_than <= 0:\n            return True\n",
                "        if older_than >= 0:\n            return True\n",
            ),
        ),
        trial=Trial(_TAKEOVER + "a_driver_is_stale_only_after_so_many_seconds"),
    ),
    Mutant(
        name="recovery regardless asks a clock",
        breaks="Recovery of what is older than 0 seconds claims regardless.",
        patches=(
            Patch(
                "runtime/host.py",
                "        if older_than <= 0:\n            return True\n",
                "",
            ),
        ),
        trial=Trial(_TAKEOVER + "taking_over_regardless_asks_no_clock"),
    ),
    Mutant(
        name="recovery stops at the first job in trouble",
        breaks="One job that can't be recovered keeps no other from it.",
        patches=(Patch("runtime/host.py", "    except _ONE_JOBS_TROUBLE as", "    except () as"),),
        trial=Trial(_TAKEOVER + "one_job_that_can_not_be_recovered_keeps_no_other_waiting"),
    ),
    Mutant(
        name="the token is not the claim's version",
        breaks="The token of an execution is the version of its claim.",
        patches=(
            Patch("fold.py", "fold.token = fold.version\n", "fold.token = max(fold.token, 2)\n"),
            Patch(
                "runtime/session.py",
                "        if fold.token > self._recorded:\n            token = fold.token\n",
                "        token = fold.token\n",
            ),
            Patch("runtime/session.py", "token = version if type(", "token = 2 if type("),
        ),
        trial=Trial(_TAKEOVER + "a_job_that_is_taken_over_is_appended_to_by_its_new_driver_alone"),
    ),
    Mutant(
        name="another payload is the same request",
        breaks="The same request has the same flow, slot and payload.",
        patches=(Patch("runtime/host.py", _SAME, '    for field in ("flow", "slot"):\n'),),
        trial=Trial(_STARTING + "another_request_under_a_known_id_is_refused"),
    ),
    Mutant(
        name="requests are compared as Python does",
        breaks="A request is the same if its JSON is, types included.",
        patches=(
            Patch(
                "runtime/host.py",
                "        if not same_json(recorded, given):\n",
                "        if recorded != given:\n",
            ),
        ),
        trial=Trial(_STARTING + "a_request_is_another_if_its_json_is"),
    ),
    Mutant(
        name="the same request is another job",
        breaks="The same request under a known id is the existing job.",
        patches=(
            Patch(
                "runtime/host.py",
                "            _refuse_other_request(fold, request)\n            return ()\n",
                "            raise errors.JobExists(fold.job_id, 'flow', 1, 2)\n",
            ),
        ),
        trial=Trial(_STARTING + "the_same_request_again_is_the_existing_job"),
    ),
    Mutant(
        name="a flow without a slot takes the job over",
        breaks="A flow that lacks a slot that is needed is refused at the claim.",
        patches=(
            Patch(
                "decider.py",
                "    missing = sorted(needed_slots(fold) - command.slots)\n",
                "    missing = list[str]()\n",
            ),
        ),
        trial=Trial(_CHANGED + "a_slot_that_is_needed_and_gone_is_named"),
    ),
    *(
        Mutant(
            name=f"the slot of {thing} is not needed",
            breaks="All that is recorded and will be delivered needs its slot at the claim.",
            patches=(Patch("consequences.py", old, new),),
            trial=Trial(_DUE + "everything_that_will_be_delivered_needs_its_slot"),
        )
        for thing, old, new in (
            ("kept work", "        [each.slot for each in fold.ready]\n", "        list[str]()\n"),
            ("a message", "        + [each.slot for each in fold.inputs]\n", ""),
            ("an open question", "in (*asked, *fold.questions.values())]\n", "in asked]\n"),
            ("a deferral", "*fold.deferrals.values(), *fold.timers", "*fold.timers"),
        )
    ),
    Mutant(
        name="today's flow says where a deferral goes",
        breaks="Where an emission goes is fixed when it is recorded, whatever becomes of the flow.",
        patches=(
            Patch(
                "runtime/calls.py",
                "    wishes = resuming(session.fold, flow, command)\n",
                (
                    "    wishes = resuming(session.fold, flow, command)\n"
                    "    for key, each in session.fold.deferrals.items():\n"
                    "        where = next(it for it in flow.routines.values()\n"
                    "                     if each.output in it.outputs)\n"
                    "        import attrs\n"
                    "        session.fold.deferrals[key] = attrs.evolve(\n"
                    "            each, targets=flow.targets(where.name, each.output)\n"
                    "        )\n"
                ),
            ),
        ),
        trial=Trial(_CHANGED + "what_is_recorded_goes_where_it_went_when_it_was_recorded"),
    ),
    Mutant(
        name="a worker leaves what another host lost",
        breaks="A worker takes a job over when its lease lapses.",
        patches=(
            Patch(
                "runtime/worker.py",
                "row.lease_until_ms if row.lease is not None else row.due_at_ms\n",
                "None if row.lease is not None else row.due_at_ms\n",
            ),
        ),
        trial=Trial(_WORKER + "a_worker_takes_over_when_a_lease_lapses"),
    ),
    Mutant(
        name="a worker drives one job at a time",
        breaks="A worker drives as many jobs at once as it was told to.",
        patches=(
            Patch(
                "runtime/worker.py",
                "ThreadPoolExecutor(self._jobs, thread",
                "ThreadPoolExecutor(1, thread",
            ),
        ),
        trial=Trial(_WORKER + "no_more_jobs_run_at_once_than_wanted"),
    ),
    Mutant(
        name="a worker tries a bad job again and again",
        breaks="A job that can't be driven is left alone until something is recorded of it.",
        patches=(
            Patch(
                "runtime/worker.py",
                " or self._refused.get(row.job_id) == row.version:\n",
                ":\n",
            ),
        ),
        trial=Trial(_WORKER + "one_bad_job_stops_no_worker_and_is_not_tried_again_and_again"),
    ),
    Mutant(
        name="a worker never tries a bad job again",
        breaks="A job that couldn't be driven is tried when something is recorded of it.",
        patches=(
            Patch(
                "runtime/worker.py",
                "self._refused.get(row.job_id) == row.version:\n",
                "row.job_id in self._refused:\n",
            ),
        ),
        trial=Trial(_WORKER + "a_bad_job_is_tried_again_when_something_is_recorded_of_it"),
    ),
    Mutant(
        name="a stopped worker goes on",
        breaks="A stopped worker takes no further job.",
        patches=(
            Patch(
                "runtime/worker.py",
                "look_again_at_ms = None if self._stopped else self._take(begin)",
                "look_again_at_ms = self._take(begin)",
            ),
        ),
        trial=Trial(_WORKER + "a_stopped_worker_ends_what_it_runs_and_takes_nothing_more"),
    ),
)
