#!/usr/bin/env python3
"""Kills, freezes and starves runs, and checks that each ends, loses nothing and resumes to the same digest.

  make torture N=300 [SEED=1]       the long form; the short one is tests/resume/test_torture.py

A trial starts the run of one folder (alone, under mpirun, or with `coppice launch`) on 1 to 5 ranks and does one
thing to it: a kill at a random moment or at a named point (COPPICE_FAULT), of a worker, the master, mpirun or all;
SIGSTOP for a while; a full disk, a read-only folder, a file size limit, a closed stdout. The next trial goes on with
the same folder; a run that finishes must have the digest of one that nothing was done to."""
import collections
import json
import os
import random
import resource
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"
SETS = ["--set", "stop.generations=60", "--set", "checkpoint.every=2", "--set", "checkpoint.keep=3",
        "--set", "parallel.patience=2"]
POINTS = ["start", "share", "genomes", "resume.begin", "resume.aside", "resume.config", "unit", "answer",
          "checkpoint.begin", "checkpoint.written", "checkpoint.checked", "checkpoint.renamed", "publish.before",
          "publish.after", "ledger.before", "ledger.after", "drop", "end.before", "stop", "bye", "finish"]
END_S = 90  # a job that has not ended by then hangs


def rank_of(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as f:
            for word in f.read().split(b"\0"):
                if word.startswith(b"OMPI_COMM_WORLD_RANK="):
                    return int(word.split(b"=")[1])
    except OSError:
        pass
    return None


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def newest(folder):
    """Generation of the newest checkpoint in the ledger; -1: none."""
    last = {}
    try:
        with open(f"{folder}/ledger.jsonl") as f:
            for line in f:
                if line.endswith("}\n"):
                    entry = json.loads(line)
                    last[entry["file"]] = entry
    except OSError:
        return -1
    return max((e["generation"] for e in last.values() if e["kind"] == "checkpoint" and not e["dropped"]), default=-1)


def reached(folder):
    """Generation of the last line of metrics.jsonl."""
    try:
        with open(f"{folder}/metrics.jsonl") as f:
            lines = [line for line in f if line.endswith("}\n")]
        return json.loads(lines[-1])["generation"] if lines else -1
    except (OSError, ValueError):
        return -1


class Torture:
    def __init__(self, scratch, seed, disk=None):
        self.scratch, self.dice, self.disk = scratch, random.Random(seed), disk
        # the whole history, or a bounded one
        self.sets = [*SETS, "--set", f"run.history={self.dice.choice([0, 1, 3])}"]
        self.home = disk or scratch
        self.folder = f"{self.home}/run"
        self.env = dict(os.environ, COPPICE_CACHE=f"{scratch}/cache")
        self.count = collections.Counter()
        self.finished = self.kills = self.starts = 0
        self.lost, self.seconds_to_word, self.seconds_to_end = [], [], []
        start = time.monotonic()
        check_status(coppice("run", CONFIG, "--out", f"{scratch}/straight", *self.sets, ranks=2, env=self.env), 0)
        self.whole = time.monotonic() - start
        self.wanted = digest(f"{scratch}/straight")

    # ---- one start

    def argv(self, how, ranks):
        if how == "launch":
            return [COPPICE, "launch", CONFIG, "-n", str(ranks), "--out", self.folder, *self.sets, "--quiet"]
        run = [COPPICE, "run", CONFIG, "--out", self.folder, *self.sets, "--resume", "auto", "--quiet"]
        return run if how == "alone" else ["mpirun", "--quiet", "-np", str(ranks), *run]

    def start(self, how, ranks, extra=None, **kw):
        self.starts += 1
        self.log = f"{self.scratch}/log"
        kw.setdefault("stdout", open(self.log, "w"))
        self.p = subprocess.Popen(self.argv(how, ranks), stderr=open(self.log, "a"), stdin=subprocess.DEVNULL,
                                  env=dict(self.env, **(extra or {})), cwd=ROOT, start_new_session=True, **kw)

    def family(self):
        return [self.p.pid, *children(self.p.pid)]

    def ranks(self):
        """{rank: pid}, mpirun's pid or None"""
        found, mpirun = {}, None
        for pid in self.family():
            rank = rank_of(pid)
            if rank is not None:
                found[rank] = pid
            else:
                try:
                    with open(f"/proc/{pid}/comm") as f:
                        if f.read().strip() in ("mpirun", "orterun", "prterun"):
                            mpirun = pid
                except OSError:
                    pass
        return found, mpirun

    def sleep(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.p.poll() is None:
            time.sleep(0.005)
        return self.p.poll() is None

    def wait_end(self, family):
        try:
            status = self.p.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            send(self.family(), signal.SIGKILL)
            with open(self.log, errors="replace") as f:
                raise AssertionError(f"the job hangs ({self.trial}):\n" + f.read()[-3000:]) from None
        end = time.monotonic() + 30
        while any(alive(pid) for pid in family):
            if time.monotonic() > end:
                left = [pid for pid in family if alive(pid)]
                send(left, signal.SIGKILL)
                raise AssertionError(f"processes are left behind ({self.trial}): {left}")
            time.sleep(0.02)
        return status

    def text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    # ---- what is done to it

    def at_random(self, how, ranks):
        who = self.dice.choice(["job", "worker", "master", "mpirun"])
        what = self.dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
        self.trial += f" {what.name} {who}"
        self.start(how, ranks)
        if not self.sleep(self.dice.uniform(0.2, max(1.0, 0.8 * self.whole))):
            return self.wait_end([]), None
        family = self.family()
        by_rank, mpirun = self.ranks()
        workers = [pid for rank, pid in by_rank.items() if rank > 0]
        victims = {"job": family, "worker": workers and [self.dice.choice(workers)], "master": [by_rank.get(0)],
                   "mpirun": [mpirun]}[who]
        if not victims or victims[0] is None:
            who, victims = "job", family
        victims = list(victims)
        self.dice.shuffle(victims)
        self.kills += 1
        killed = time.monotonic()
        send(victims, what)
        if what == signal.SIGSTOP:
            time.sleep(self.dice.uniform(0.2, 1.5))
            send(victims, signal.SIGCONT)
        elif what == signal.SIGKILL and who == "worker" and how == "launch":
            while self.p.poll() is None and "has died" not in self.text() and time.monotonic() < killed + 20:
                time.sleep(0.005)
            if "has died" in self.text():
                self.seconds_to_word.append(time.monotonic() - killed)
        status = self.wait_end(family)
        if what == signal.SIGKILL and who in ("master", "mpirun", "worker") and how == "mpirun":
            self.seconds_to_end.append(time.monotonic() - killed)
        whole = how == "launch" and what in (signal.SIGKILL, signal.SIGSTOP) and who != "job"
        return status, 0 if whole else None

    def at_point(self, how, ranks, point=None, what=None):
        point = point or self.dice.choice(POINTS)
        what = what or self.dice.choice(["kill", "kill", "kill", "stop"])
        fault = f"{what}@{point}:{self.dice.choice([1, 1, 2, 3, 7])}"
        if ranks > 1 and self.dice.random() < 0.5:
            fault += f"/{self.dice.randrange(ranks)}"
        self.trial += f" {fault}"
        once = f"{self.scratch}/once"
        if os.path.exists(once):
            os.unlink(once)
        self.start(how, ranks, {"COPPICE_FAULT": fault, "COPPICE_FAULT_ONCE": once})
        family = self.family()
        if what == "stop":
            while self.p.poll() is None and not os.path.exists(once):
                time.sleep(0.01)
            time.sleep(self.dice.uniform(0.1, 1))
            family = self.family()
            send([pid for pid in family if rank_of(pid) is not None or how == "alone"], signal.SIGCONT)
        status = self.wait_end(family)
        if os.path.exists(once):
            self.kills += 1
        return status, 0 if how == "launch" else None

    def file_limit(self, how, ranks):
        size = self.dice.choice([1000, 20000, 60000, 150000, 400000])
        self.trial += f" files of at most {size} bytes"
        self.start(how, ranks)
        self.sleep(self.dice.uniform(0.2, max(1.0, 0.8 * self.whole)))
        for pid in [self.p.pid] if how == "alone" else self.ranks()[0].values():
            try:  # of the ranks only: Open MPI's launcher hangs under a limit
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, size))
            except ProcessLookupError:
                pass
        self.kills += 1
        return self.wait_end([]), None

    def closed_stdout(self, how, ranks):
        self.trial += " stdout closed"
        reader, writer = os.pipe()
        os.close(reader)
        self.start(how, ranks, stdout=writer)
        os.close(writer)
        self.kills += 1
        return self.wait_end([]), None

    def full_disk(self, how, ranks):
        self.start(how, ranks)
        self.sleep(self.dice.uniform(0.2, max(1.0, 0.8 * self.whole)))
        ballast = f"{self.disk}/ballast"
        self.trial += " disk full"
        try:
            with open(ballast, "wb", buffering=0) as f:
                while True:
                    f.write(b"\0" * 65536)
        except OSError:
            pass
        self.kills += 1
        status = self.wait_end([])
        os.unlink(ballast)
        return status, None

    def read_only(self, how, ranks):
        self.start(how, ranks)
        self.sleep(self.dice.uniform(0.2, max(1.0, 0.8 * self.whole)))
        self.trial += " read-only folder"
        while subprocess.run(["mount", "-o", "remount,ro", self.disk], capture_output=True).returncode:
            if self.p.poll() is not None:
                break
            time.sleep(0.01)  # busy while a file is open for writing; closes soon
            if self.dice.random() < 0.01:
                break
        self.kills += 1
        status = self.wait_end([])
        subprocess.run(["mount", "-o", "remount,rw", self.disk], check=True)
        return status, None

    # ---- a trial

    def one(self, doing=None, how=None, ranks=None, **kw):
        ranks = ranks or self.dice.choice([1, 2, 3, 4, 5])
        how = how or self.dice.choice(["mpirun", "launch", "mpirun", "launch", "alone"] if ranks == 1 else
                                      ["mpirun", "launch"])
        kinds = [self.at_random] * 6 + [self.at_point] * 8 + [self.file_limit, self.closed_stdout]
        if self.disk:
            kinds += [self.full_disk]
        doing = doing or self.dice.choice(kinds)
        self.trial = f"{how} on {ranks}:"
        before = newest(self.folder)
        status, wanted = doing(how, ranks, **kw)
        self.count[doing.__name__] += 1
        after, at = newest(self.folder), reached(self.folder)
        text = self.text()
        check(after >= before, f"{self.trial}: the ledger had generation {before}, now {after}\n{text[-3000:]}")
        check(wanted is None or status == wanted, f"{self.trial}: status {status} instead of {wanted}\n{text[-3000:]}")
        check("damaged" not in text and "passed over" not in text, f"{self.trial}: a file is damaged\n{text[-3000:]}")
        if status == 0:
            self.finished += 1
            check(digest(self.folder) == self.wanted, f"{self.trial}: the run ended elsewhere\n{text[-3000:]}")
            shutil.rmtree(self.folder)
        elif at >= 0:
            self.lost.append(max(0, at - after))

    def end(self):
        """The last run to its end, untouched."""
        self.trial = "the end"
        result = coppice("run", CONFIG, "--out", self.folder, *self.sets, "--resume", "auto", ranks=3, env=self.env)
        check_status(result, 0)
        check(digest(self.folder) == self.wanted, "the last run ended elsewhere")

    def report(self):
        def spread(numbers):
            if not numbers:
                return "none measured"
            return f"median {statistics.median(numbers):.2f}, at most {max(numbers):.2f}, of {len(numbers)}"
        print(f"# {self.kills} kills and faults in {self.starts} starts, {self.finished} runs finished on the way; "
              + ", ".join(f"{k} {v}" for k, v in sorted(self.count.items())))
        print(f"# generations lost: {spread(self.lost)}")
        print(f"# seconds from a worker's death to the message: {spread(self.seconds_to_word)}")
        print(f"# seconds from a death to the end of an mpirun job: {spread(self.seconds_to_end)}", flush=True)


class Disk:
    """A small file system of our own, where root may make one; None elsewhere."""

    def __init__(self, scratch, megabytes=24):
        self.path = f"{scratch}/disk"
        os.mkdir(self.path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "coppice-test", self.path],
                              capture_output=True)
        if done.returncode:
            self.path = None

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        if self.path:
            subprocess.run(["umount", "-l", self.path], check=False)


def long_form(trials, seed):
    scratch = tempfile.mkdtemp(prefix="coppice-torture-")
    with Disk(scratch) as disk:
        torture = Torture(scratch, seed, disk)
        try:
            for k in range(trials):
                torture.one()
                if (k + 1) % 20 == 0:
                    print(f"# {k + 1} of {trials}: {torture.kills} kills and faults", flush=True)
            torture.end()
        finally:
            torture.report()
    shutil.rmtree(scratch, ignore_errors=True)
    print("all survived")


if __name__ == "__main__":
    long_form(int(sys.argv[1]) if len(sys.argv) > 1 else 100, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
