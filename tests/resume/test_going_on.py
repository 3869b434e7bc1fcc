#!/usr/bin/env python3
"""What going on with a run must keep: its records, its extension, its good checkpoints."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"


def run(folder, *more, status=0, ranks=0):
    result = coppice("run", CONFIG, "--out", folder, *more, ranks=ranks)
    check_status(result, status)
    return result


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


def entries(folder):
    """Checkpoints in the ledger, in the order of events."""
    with open(f"{folder}/ledger.jsonl", encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    return [e for e in lines if e["kind"] == "checkpoint"]


def spoil(path):
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        f.write(b"\xff" * 64)


def generation(folder):
    return json.loads(read(folder, "metrics.jsonl").splitlines()[-1])["generation"]


@test
def a_refused_resume_leaves_the_record_alone(scratch):
    folder = f"{scratch}/a"
    run(folder)
    before = read(folder, "run.json")
    check_status(coppice("resume", folder, "--set", "select.size=2"), 78)
    run(folder, "--resume", "auto", "--set", "select.size=2", status=78)
    check(read(folder, "run.json") == before, "run.json of a finished run was overwritten by a refusal")


@test
def resume_auto_does_not_begin_again_over_a_damaged_ledger(scratch):
    folder = f"{scratch}/a"
    run(folder)
    before = read(folder, "metrics.jsonl"), read(folder, "run.json")
    ledger = read(folder, "ledger.jsonl")
    with open(f"{folder}/ledger.jsonl", "wb") as f:
        f.write(ledger.replace(b'"bytes"', b'"bytez"', 1))
    result = run(folder, "--resume", "auto", status=1)
    check("ledger.jsonl: line 1" in result.stderr, result.stderr)
    check(before == (read(folder, "metrics.jsonl"), read(folder, "run.json")), "the run was touched")


@test
def what_a_kill_left_half_written_is_removed(scratch):
    folder = f"{scratch}/a"
    run(folder)
    leftovers = [f"{folder}/{name}.tmp.4711" for name in ("checkpoints/gen-000004.h5", "best.h5", "run.json")]
    for path in leftovers + [f"{folder}/notes.tmp"]:
        with open(path, "wb") as f:
            f.write(b"half")
    check_status(coppice("resume", folder), 0)
    check(not any(map(os.path.exists, leftovers)), "temporary files of a killed run stayed")
    check(os.path.exists(f"{folder}/notes.tmp"), "a file of the user was removed")


@test
def a_checkpoint_in_the_ledger_is_never_overwritten(scratch):
    """Killed between the renaming and the entry, the ledger would name a file that does not fit it."""
    folder = f"{scratch}/a"
    run(folder, "--set", "checkpoint.every=1", "--set", "checkpoint.keep=9")
    check_status(coppice("resume", folder), 0)
    check_status(coppice("resume", folder, "--set", "stop.generations=9", "--time-limit", "0.001"), 75)
    check_status(coppice("resume", folder, "--set", "stop.generations=5"), 0)
    stopped = coppice("resume", folder, "--set", "stop.generations=1000", "--time-limit", "2")
    check_status(stopped, 75)
    check("digest" in stopped.stdout and "base network" not in stopped.stdout, "a stopped run takes time for a table")
    check_status(coppice("resume", folder, "--set", f"stop.generations={generation(folder)}"), 0)
    names = [e["file"] for e in entries(folder) if not e["dropped"]]
    check(len(names) == len(set(names)), f"written twice: {names}")
    digest(folder)


@test
def an_extension_is_remembered_when_it_is_killed(scratch):
    folder = f"{scratch}/a"
    run(folder)
    argv = [COPPICE, "resume", folder, "--quiet", "--set", "stop.generations=100000", "--set", "checkpoint.every=0",
            "--set", "checkpoint.seconds=0"]
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    while generation(folder) == 5 and p.poll() is None:
        time.sleep(0.01)
    p.kill()
    p.wait()
    check(generation(folder) > 5, "the extension did not start")
    check_status(coppice("resume", folder, "--time-limit", "2"), 75)


@test
def a_damaged_checkpoint_makes_room_for_good_ones(scratch):
    folder = f"{scratch}/a"
    run(folder, "--set", "checkpoint.every=2")
    spoil(f"{folder}/checkpoints/gen-000005.h5")
    check(coppice("verify", folder).returncode == 1, "the damage was not seen")
    check_status(coppice("resume", folder, "--set", "stop.generations=4"), 0)
    check(digest(folder), "verify")
    last = {e["file"]: e for e in entries(folder)}
    newest = max((e for e in last.values() if not e["dropped"]), key=lambda e: e["generation"])
    check(newest["generation"] == 4, f"the newest entry is of generation {newest['generation']}")
    check(os.path.exists(f"{folder}/checkpoints/gen-000005.h5.damaged"), "the damaged file is not kept aside")


@test
def a_request_for_a_checkpoint_is_met_once(scratch):
    folder = f"{scratch}/a"
    argv = ["mpirun", "--quiet", "-np", "3", COPPICE, "run", CONFIG, "--out", folder, "--quiet", "--set",
            "stop.generations=1000", "--set", "checkpoint.every=0", "--set", "checkpoint.seconds=0",
            "--set", "checkpoint.keep=1000"]
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT)
    deadline = time.monotonic() + 120

    def wait_for(condition):
        while not condition():
            check(time.monotonic() < deadline and p.poll() is None, "the run ended before it could be asked")
            time.sleep(0.01)
    wait_for(lambda: os.path.exists(f"{folder}/metrics.jsonl") and generation(folder) >= 5)
    p.send_signal(signal.SIGUSR2)
    wait_for(lambda: entries(folder))
    last = generation(folder)
    wait_for(lambda: generation(folder) > last + 20)
    p.send_signal(signal.SIGUSR1)
    p.wait(timeout=120)
    check(p.returncode == 75, f"ended with {p.returncode}: {p.stderr.read()}")
    p.stderr.close()
    # the ranks hear of the signal one after the other: a second checkpoint may follow the first
    check(2 <= len(entries(folder)) <= 4, f"one request, {len(entries(folder))} checkpoints")
    digest(folder)


@test
def what_never_began_is_no_run(scratch):
    run(f"{scratch}/a")
    run(f"{scratch}/b", "--set", f"base.file={scratch}/a/best.h5", status=78)
    check_status(coppice("resume", f"{scratch}/b"), 1)
    run(f"{scratch}/b")
    check(digest(f"{scratch}/a") == digest(f"{scratch}/b"), "the second attempt ended elsewhere")


@test
def the_time_limit_counts_training(scratch):
    start = time.monotonic()
    result = coppice("run", CONFIG, "--out", f"{scratch}/a", "--set", "base.epochs=100000", "--time-limit", "3",
                     ranks=2, env={"COPPICE_CACHE": f"{scratch}/cache"}, timeout=120)
    check_status(result, 75)
    check("training stopped" in result.stderr, result.stderr)
    check(time.monotonic() - start < 60, "the limit was not kept")


if __name__ == "__main__":
    main()
