#!/usr/bin/env python3
"""Run coppice's tests and end with a line "N passed, N failed[, N skipped]".

A test is a program build/tests/KIND/test_X (from tests/KIND/test_X.c) or a script
tests/KIND/test_X.sh or .py; each prints TAP. A first line with "ranks: 1 2 3 5" runs it under mpirun
once per number, with "alone:" at its beginning when nothing else runs beside it. Arguments select: a kind ("unit") or part of a name.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def discover(build, wanted):
    jobs = []
    # the longest first, so that no core waits at the end
    for kind in sorted(os.listdir(os.path.join(ROOT, "tests")), key=lambda k: (k != "resume", k)):
        folder = os.path.join(ROOT, "tests", kind)
        if kind in ("support", "data") or not os.path.isdir(folder):
            continue
        for name in sorted(os.listdir(folder)):
            if not re.fullmatch(r"test_.*\.(c|sh|py)", name):
                continue
            label = f"{kind}/{os.path.splitext(name)[0]}"
            if wanted and not any(w == kind or w in label for w in wanted):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                head = f.readline() + f.readline()
            m = re.search(r"ranks:([ 0-9]+)", head)
            alone = '"""alone:' in head or "/* alone:" in head
            if name.endswith(".c"):
                argv = [os.path.join(build, "tests", label)]
            else:
                # with the Python that runs this, which `make check` has given h5py
                argv = ([sys.executable] if name.endswith(".py") else []) + [os.path.join(folder, name)]
            for ranks in [int(r) for r in m.group(1).split()] if m else [0]:
                jobs.append((label + (f"@{ranks}" if ranks else ""), argv, ranks, alone, name.endswith(".c")))
    return jobs


def run(job, args):
    label, argv, ranks, _, program = job
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", OPENBLAS_NUM_THREADS="1",
               COPPICE_BUILD=args.build, COPPICE_ROOT=ROOT,
               OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
               OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_hwloc_base_binding_policy="none")
    if "COPPICE_DATA" not in env and os.path.isdir(os.path.join(ROOT, "..", "shared", "data")):
        env["COPPICE_DATA"] = os.path.realpath(os.path.join(ROOT, "..", "shared", "data"))
    support = os.path.join(ROOT, "tests", "support")
    if args.sanitize:
        env["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0:allocator_may_return_null=1:fast_unwind_on_malloc=0"
        env["LSAN_OPTIONS"] = f"suppressions={support}/lsan.supp:print_suppressions=0"
        env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    if args.valgrind and program:
        env.setdefault("COPPICE_TEST_CASES", "60")  # thirty times slower
        argv = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite", "--num-callers=40",
                f"--suppressions={support}/valgrind.supp", *argv]
    if ranks:
        argv = [os.environ.get("MPIRUN", "mpirun"), "--quiet", "-np", str(ranks), *argv]
    start = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as out:
        p = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, env=env, cwd=ROOT,
                             stdin=subprocess.DEVNULL, start_new_session=True)
        timed_out = False
        try:
            code = p.wait(timeout=args.timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(p.pid, 9)
            code = p.wait()
        out.seek(0)
        text = out.read()
    passed = failed = skipped = 0
    planned = None
    for line in text.splitlines():
        if m := re.fullmatch(r"1\.\.(\d+)(?:\s*#.*)?", line):
            planned = (planned or 0) + int(m.group(1))
        elif m := re.match(r"(not )?ok\b", line):
            # cmocka reports a skipped test as "not ok N # SKIP"
            if re.search(r"#\s*SKIP", line, re.I):
                skipped += 1
            elif m.group(1):
                failed += 1
            else:
                passed += 1
    problem = None
    if timed_out:
        problem = f"no end after {args.timeout} s"
    elif code != 0 and not failed:
        problem = f"exit status {code}"
    elif planned is None:
        problem = "no TAP plan in the output"
    elif passed + failed + skipped != planned:
        problem = f"{planned} planned, {passed + failed + skipped} reported"
    if problem:
        failed += 1
    return label, passed, failed, skipped, problem, text, time.monotonic() - start


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", default="build")
    p.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1))
    p.add_argument("--timeout", type=float, default=900)
    p.add_argument("--sanitize", action="store_true")
    p.add_argument("--valgrind", action="store_true")
    p.add_argument("--verbose", action="store_true")
    p.add_argument("names", nargs="*")
    args = p.parse_args()
    args.build = os.path.join(ROOT, args.build)
    jobs = discover(args.build, args.names)
    total = [0, 0, 0]

    def report(result):
        label, passed, failed, skipped, problem, text, seconds = result
        total[0] += passed
        total[1] += failed
        total[2] += skipped
        word = "FAIL" if failed else "ok"
        print(f"{word:4} {label:44} {passed:4} passed {failed:2} failed {skipped:2} skipped {seconds:7.1f} s"
              + (f"  ({problem})" if problem else ""), flush=True)
        for line in text.splitlines():
            if failed or args.verbose or line.startswith("# SKIP") or re.search(r"# SKIP \S", line):
                print("     | " + line, flush=True)

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for f in concurrent.futures.as_completed([pool.submit(run, j, args) for j in jobs if not j[3]]):
            report(f.result())
    for j in jobs:
        if j[3]:
            report(run(j, args))
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""), flush=True)
    return 1 if total[1] or not total[0] else 0


sys.exit(main())
