#!/usr/bin/env python3
"""jobs/launch.sh: runs that may go on are supervised by `coppice launch`, signals reach them, and the status comes back."""
import os
import signal
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"
SCRIPT = f"{ROOT}/jobs/padawann.sh"
SETS = ("--set", "stop.generations=30", "--set", "checkpoint.every=2", "--quiet")
ENDLESS = ("--set", "stop.generations=100000", "--set", "checkpoint.every=1", "--quiet")
straight = []


def environment(**env):
    full = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "COPPICE_FAULT"))}
    cache = os.path.join(tempfile.gettempdir(), f"coppice-test-cache-{os.getuid()}")
    return dict(full, COPPICE=COPPICE, COPPICE_HOME=ROOT, COPPICE_CACHE=cache, NP="3", **env)


def start(scratch, *more, **env):
    return subprocess.Popen([SCRIPT, CONFIG, "--out", f"{scratch}/run", *more], env=environment(**env), cwd=ROOT,
                            stdin=subprocess.DEVNULL, stdout=open(f"{scratch}/out", "w"), stderr=open(f"{scratch}/err", "w"))


def end(scratch, script):
    status = script.wait(timeout=120)
    with open(f"{scratch}/err", errors="replace") as f:
        return status, f.read()


def same_end(scratch):
    if not straight:
        check_status(coppice("run", CONFIG, "--out", f"{scratch}/straight", *SETS), 0)
        straight.append(digest(f"{scratch}/straight"))
    check(digest(f"{scratch}/run") == straight[0], "the run ended elsewhere")


@test
def a_run_is_started_again_when_its_master_dies(scratch):
    status, said = end(scratch, start(scratch, *SETS, COPPICE_FAULT="kill@ledger.after:3/0", COPPICE_FAULT_ONCE=f"{scratch}/once"))
    check(status == 0 and "starting again from the last checkpoint" in said, f"status {status}\n{said}")
    same_end(scratch)


@test
def a_run_outlives_a_worker(scratch):
    status, said = end(scratch, start(scratch, *SETS, COPPICE_FAULT="kill@unit:20/2", COPPICE_FAULT_ONCE=f"{scratch}/once"))
    check(status == 0 and "rank 2 on" in said and "starting again" not in said, f"status {status}\n{said}")
    same_end(scratch)


@test
def a_signal_to_the_script_stops_the_run_with_a_checkpoint(scratch):
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
        script = start(scratch, *ENDLESS)
        until = time.monotonic() + 60
        seen = os.path.getmtime(f"{scratch}/run/best.h5") if os.path.exists(f"{scratch}/run/best.h5") else 0
        while not (os.path.exists(f"{scratch}/run/best.h5") and os.path.getmtime(f"{scratch}/run/best.h5") > seen):
            check(time.monotonic() < until and script.poll() is None, "no checkpoint comes")
            time.sleep(0.02)
        script.send_signal(number)
        status, said = end(scratch, script)
        check(status == 75, f"{number.name}: status {status}\n{said}")
        digest(f"{scratch}/run")


@test
def only_runs_that_may_go_on_are_supervised(scratch):
    fake = f"{scratch}/fake"
    with open(fake, "w") as f:
        f.write("#!/bin/sh\necho \"${COPPICE_STATUS_FILE:+supervised} $*\"\nexit 78\n")
    os.chmod(fake, stat.S_IRWXU)

    def call(*argv, **env):
        text = ('. jobs/launch.sh; coppice_launch "$@"')
        p = subprocess.run(["sh", "-c", text, "jobs/x", *argv], env=environment(MPIRUN=fake, **env), cwd=ROOT,
                           capture_output=True, text=True, timeout=60)
        check(p.returncode == 78, p.stdout + p.stderr)
        return p.stdout.strip()

    again = ("run", CONFIG, "--out", f"{scratch}/run", "--resume", "auto")
    got = call(*again)
    check(got.startswith("supervised --quiet -np 3 ") and got.endswith(f"run {CONFIG} --resume auto --out {scratch}/run"), got)
    for argv, env in ((again[:-2], {}), (again, {"COPPICE_LAUNCHER": "mpirun"}), (("sweep", CONFIG, "--resume", "auto"), {})):
        got = call(*argv, **env)
        check(got == f"--quiet -np 3 {COPPICE} " + " ".join(argv), got)
    check(call(*again[:-2], SLURM_NTASKS="7").startswith("--quiet -np 3 "), "NP goes before the tasks of Slurm")


if __name__ == "__main__":
    main()
