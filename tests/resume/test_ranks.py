#!/usr/bin/env python3
"""A result is a function of configuration, data and seed: not of ranks, cuts, kernels or interruptions."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"


def run(folder, ranks, *more, status=0):
    result = coppice("run", CONFIG, "--out", folder, *more, ranks=ranks)
    check_status(result, status)
    return result


@test
def same_digest_on_any_number_of_ranks(scratch):
    seen = {}
    for ranks in (0, 1, 2, 3, 5, 7, 16):
        folder = f"{scratch}/r{ranks}"
        run(folder, ranks)
        seen[ranks] = digest(folder)
    check(len(set(seen.values())) == 1, f"digests differ: {seen}")


@test
def the_seed_matters_and_the_manner_does_not(scratch):
    run(f"{scratch}/a", 2)
    run(f"{scratch}/b", 2, "--set", "run.seed=2")
    run(f"{scratch}/c", 3, "--set", "parallel.block=1", "--set", "checkpoint.every=1", "--set", "checkpoint.keep=5")
    check(digest(f"{scratch}/a") != digest(f"{scratch}/b"), "two seeds gave one digest")
    check(digest(f"{scratch}/a") == digest(f"{scratch}/c"), "the size of a work unit moved the result")


@test
def taking_nothing_from_relatives_and_twins_does_not_matter(scratch):
    """Crossed children that are not pruned: many are equal to each other."""
    twins = ("--set", "prune.random.schedule=linear", "--set", "prune.random.amount_end=0", "--set", "prune.random.over=1",
             "--set", "cross.over=layers", "--set", "population.size=12", "--set", "parallel.block=12")
    run(f"{scratch}/a", 2, *twins)
    run(f"{scratch}/b", 2, *twins, "--set", "evaluate.alone=yes")
    check(digest(f"{scratch}/a") == digest(f"{scratch}/b"), "evaluating individuals alone moved the result")
    born = {}
    for one in json.loads(coppice("inspect", f"{scratch}/a", "--json").stdout)["population"]:
        born.setdefault(one["born"], []).append(json.dumps(one["measures"]))
    check(any(len(set(b)) < len(b) for g, b in born.items() if g), f"no twins among the children: {born}")


@test
def nodes_with_their_own_copy_of_the_data_agree(scratch):
    run(f"{scratch}/a", 2)
    result = coppice("run", CONFIG, "--out", f"{scratch}/b", ranks=5, env={"COPPICE_RANKS_PER_NODE": "2"})
    check_status(result, 0)
    check("on 3 nodes" in result.stderr, result.stderr)
    check(digest(f"{scratch}/a") == digest(f"{scratch}/b"), "the number of nodes moved the result")


@test
def extending_a_finished_run_equals_the_longer_run(scratch):
    run(f"{scratch}/long", 2, "--set", "stop.generations=9")
    run(f"{scratch}/short", 3, "--set", "stop.generations=4")
    result = coppice("resume", f"{scratch}/short", "--set", "stop.generations=9", ranks=2)
    check_status(result, 0)
    check(digest(f"{scratch}/long") == digest(f"{scratch}/short"), "extended and straight runs differ")


@test
def resume_refuses_another_experiment(scratch):
    run(f"{scratch}/a", 2)
    result = coppice("resume", f"{scratch}/a", "--set", "select.size=2", ranks=3)
    check_status(result, 78)
    check("another experiment" in result.stderr and "size" in result.stderr, result.stderr)
    check(len([x for x in result.stderr.splitlines() if "another experiment" in x]) == 1, "said more than once")


@test
def a_time_limit_stops_with_75_and_resume_auto_goes_on(scratch):
    straight, cut = f"{scratch}/a", f"{scratch}/b"
    run(straight, 2, "--set", "stop.generations=40")
    more = ("--set", "stop.generations=40", "--resume", "auto")
    run(cut, 2, *more, "--time-limit", "0.3", status=75)
    tries = 0
    while coppice("run", CONFIG, "--out", cut, *more, "--time-limit", str(2 + tries), ranks=3).returncode == 75:
        tries += 1 # start-up counts: a slow machine needs more to get on at all
        check(tries < 50, "no progress between time limits")
    check(digest(straight) == digest(cut), "interrupted and straight runs differ")


@test
def h5py_reads_a_checkpoint_while_the_run_goes_on(scratch):
    """The shipped reader opens what is there in the middle of a run; the run is stopped by a file."""
    try:
        import h5py  # noqa: F401
    except ImportError:
        raise Skip("python3-h5py is not installed")
    folder = f"{scratch}/live"
    argv = [os.environ.get("MPIRUN", "mpirun"), "--quiet", "-np", "3", COPPICE, "run", CONFIG, "--out", folder, "--quiet",
            "--set", "stop.generations=1000000", "--set", "checkpoint.every=3"]
    env = dict(os.environ, COPPICE_CACHE=f"{scratch}/cache")
    with open(f"{scratch}/log", "w") as log:
        p = subprocess.Popen(argv, stdout=log, stderr=log, env=env, cwd=ROOT)
        try:
            deadline = time.monotonic() + 120
            seen = set()
            while len(seen) < 3:
                check(p.poll() is None and time.monotonic() < deadline, "no checkpoints: " + open(f"{scratch}/log").read()[-2000:])
                names = os.listdir(f"{folder}/checkpoints") if os.path.isdir(f"{folder}/checkpoints") else []
                for name in names:
                    if not name.endswith(".h5") or name in seen:
                        continue
                    reader = [sys.executable, os.path.join(ROOT, "docs/read_run.py"), f"{folder}/checkpoints/{name}"]
                    result = subprocess.run(reader, capture_output=True, text=True)
                    if "No such file" in result.stderr or "Unable to open" in result.stderr:
                        continue  # an old one, removed in the meantime
                    check(result.returncode == 0, result.stderr)
                    check(p.poll() is None, "the run had ended")
                    seen.add(name)
                time.sleep(0.02)
            open(f"{folder}/stop", "w").close()
            check(p.wait(timeout=60) == 75, "the file 'stop' did not end the run with status 75")
        finally:
            p.kill()
    digest(folder)
    check(json.load(open(f"{folder}/run.json"))["status"] == "stopped", "run.json does not say stopped")


@test
def signals_stop_and_checkpoint(scratch):
    folder = f"{scratch}/live"
    env = dict(os.environ, COPPICE_CACHE=f"{scratch}/cache")
    argv = [COPPICE, "run", CONFIG, "--out", folder, "--quiet", "--set", "stop.generations=1000000",
            "--set", "checkpoint.every=0", "--set", "checkpoint.seconds=0"]
    with open(f"{scratch}/log", "w") as log:
        p = subprocess.Popen(argv, stdout=log, stderr=log, env=env, cwd=ROOT)
        try:
            wait_for(lambda: os.path.exists(f"{folder}/metrics.jsonl"), p)
            check(not os.listdir(f"{folder}/checkpoints"), "a checkpoint nobody asked for")
            p.send_signal(signal.SIGUSR2)
            wait_for(lambda: any(n.endswith(".h5") for n in os.listdir(f"{folder}/checkpoints")), p)
            time.sleep(0.3)
            check(p.poll() is None, "SIGUSR2 ended the run")
            p.send_signal(signal.SIGTERM)
            check(p.wait(timeout=60) == 75, "SIGTERM did not end the run with status 75")
        finally:
            p.kill()
    digest(folder)


def wait_for(condition, process, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        check(process.poll() is None, "the run ended early")
        check(time.monotonic() < deadline, "waited in vain")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
