#!/usr/bin/env python3
"""coppice doctor: a line per check; what is wrong is said and decides the status."""
import os
import resource
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CHECKS = ["MPI", "ranks", "cores", "BLAS threads", "shared memory", "HDF5", "disk", "clock", "locks", "kernel"]


def verdict(result, name):
    lines = [line for line in result.stdout.splitlines() if line[6:].startswith(name + " ")]
    check(len(lines) == 1, f"one line about {name} expected:\n{result.stdout}")
    return lines[0].split()[0]


@test
def every_check_has_one_line(scratch):
    for ranks in (0, 2):
        result = coppice("doctor", "--out", scratch, ranks=ranks, env={"OPENBLAS_NUM_THREADS": "1"})
        check_status(result, 0)
        for name in CHECKS:
            check(verdict(result, name) in ("ok", "warn"), result.stdout)
        check(os.listdir(scratch) == [], f"it leaves {os.listdir(scratch)}")
    check("2 on 1 node" in result.stdout, result.stdout)


@test
def threads_kernel_and_tasks_are_warned_of(scratch):
    result = coppice("doctor", "--out", scratch, ranks=2,
                     env={"OPENBLAS_NUM_THREADS": "8", "COPPICE_KERNEL": "plain", "SLURM_NTASKS": "5"})
    check_status(result, 0)
    for name in ("BLAS threads", "kernel", "ranks"):
        check(verdict(result, name) == "warn", result.stdout)


@test
def a_folder_that_cannot_be_written_fails(scratch):
    result = coppice("doctor", "--out", f"{scratch}/nowhere", ranks=2)
    check_status(result, 1)
    check(verdict(result, "disk") == "FAIL" and verdict(result, "HDF5") == "FAIL", result.stdout)
    check(result.stderr.count("error:") == 1 and "checks failed" in result.stderr, result.stderr)


@test
def a_file_size_limit_is_said(scratch):
    result = subprocess.run([COPPICE, "doctor", "--out", scratch], capture_output=True, text=True,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30)))
    check_status(result, 0)
    check(verdict(result, "file size") == "warn", result.stdout)


if __name__ == "__main__":
    main()
