#!/usr/bin/env python3
"""alone: Kill anywhere, the short form: each kind of fault a few times. `make torture N=300` is the long one."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from torture import *  # noqa: E402,F403
import tap  # noqa: E402


@test
def whatever_happens_to_it_the_run_ends_as_if_nothing_had(scratch):
    t = Torture(scratch, int(os.environ.get("COPPICE_KILL_SEED", "1")))
    for _ in range(2):
        t.one(t.at_random, "mpirun", t.dice.choice([2, 3, 5]))
    t.one(t.at_random, "alone", 1)
    t.one(t.file_limit, "mpirun", 3)
    t.one(t.closed_stdout, "mpirun", 2)
    for point in ("checkpoint.written", "checkpoint.renamed", "publish.before", "resume.aside", "resume.config", "drop"):
        t.one(t.at_point, "mpirun", 2, point=point, what="kill")
    t.end()
    t.report()


@test
def a_full_disk_and_a_read_only_folder_cost_one_interval(scratch):
    with Disk(scratch) as disk:
        if not disk:
            raise tap.Skip("no small file system can be mounted here")
        t = Torture(scratch, 2, disk)
        t.one(t.full_disk, "mpirun", 2)
        t.one(t.read_only, "mpirun", 2)
        t.end()
        t.report()


if __name__ == "__main__":
    main()
