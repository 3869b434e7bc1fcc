#!/usr/bin/env python3
"""The whole program under a tool that watches it, on several ranks: `make tsan` and `make valgrind` call this.

  under.py thread|memory BUILD      thread: a build with -fsanitize=thread; memory: valgrind's memcheck

Searches with masks, with dense genomes and with similarity, training on two ranks, a worker that is given up and a
signal: all with the thread that watches the other ranks. A finding, or an end other than the one wanted, fails."""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUPPORT = os.path.join(ROOT, "tests", "support")
SMALL = ("--set", "stop.generations=3", "--set", "checkpoint.every=1", "--quiet")
# name, ranks, configuration, options, environment of a fault, statuses that are right
CASES = [
    ("masks", 3, "padawann", SMALL, {}, (0,)),
    ("dense genomes", 3, "ecomp", SMALL, {}, (0,)),
    ("similarity", 2, "similarity", SMALL, {}, (0,)),
    ("training", 2, "training", ("--set", "train.epochs=2", "--quiet"), {}, (0,)),
    ("a worker dies", 3, "padawann", SMALL, {"COPPICE_FAULT": "kill@unit:3/2", "OMPI_MCA_orte_enable_recovery": "1"}, (0, 137)),
    ("a signal", 3, "padawann", ("--set", "stop.generations=100000", "--quiet"), {}, (75,)),
]


def run(name, ranks, config, options, fault, right, tool, build, scratch):
    env = dict(os.environ, OPENBLAS_NUM_THREADS="1", COPPICE_CACHE=f"{scratch}/cache", OMPI_ALLOW_RUN_AS_ROOT="1",
               OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_hwloc_base_binding_policy="none",
               TSAN_OPTIONS=f"suppressions={SUPPORT}/tsan.supp ignore_noninstrumented_modules=1 exitcode=66 log_path={scratch}/finding", **fault)
    watch = []
    if tool == "memory":  # which knows no AVX-512
        env["COPPICE_KERNEL"] = "avx2"
        watch = ["valgrind", "-q", "--error-exitcode=66", "--leak-check=full", "--show-leak-kinds=definite", "--num-callers=40",
                 f"--suppressions={SUPPORT}/valgrind.supp", f"--log-file={scratch}/finding.%p"]
    out = f"{scratch}/run"
    argv = ["mpirun", "--quiet", "-np", str(ranks), *watch, f"{build}/coppice", "run", f"configs/smoke/{config}.ini", "--out", out, *options]
    start = time.monotonic()
    p = subprocess.Popen(argv, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         errors="replace")
    if 75 in right:
        while p.poll() is None and not os.path.exists(f"{out}/metrics.jsonl"):
            time.sleep(0.1)
        p.send_signal(signal.SIGUSR1)
    text = p.communicate(timeout=1800)[0]
    # only a report counts: a process that is killed leaves an empty file
    found = [open(f, errors="replace").read() for f in glob.glob(f"{scratch}/finding.*") if os.path.getsize(f)]
    good = p.returncode in right and not found
    print(f"{'ok  ' if good else 'FAIL'} {name}: {ranks} ranks, status {p.returncode}, {len(found)} findings, "
          f"{time.monotonic() - start:.0f} s", flush=True)
    if not good:
        print(text[-3000:] + "\n".join(found)[:12000])
    return good


def main():
    tool, build = sys.argv[1], os.path.abspath(sys.argv[2])
    wanted = sys.argv[3:]
    failed = 0
    for case in CASES:
        if wanted and not any(w in case[0] for w in wanted):
            continue
        scratch = tempfile.mkdtemp(prefix="coppice-under-")
        failed += not run(*case, tool, build, scratch)
        shutil.rmtree(scratch, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
