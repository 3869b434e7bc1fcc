#!/usr/bin/env python3
"""Static analysis of src: gcc -fanalyzer, clang-tidy (.clang-tidy), cppcheck; fails if one of them finds anything.

  make analyse [TOOLS="gcc clang-tidy cppcheck"] [FILES=src/par]

A tool that is not installed is left out, which is said. Findings that are wrong are listed below with the reason, or
marked in the code where one line is concerned."""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KNOW = ["-include", "tests/support/analysed.h"]
# these define what analysed.h wraps
DEFINE = ("src/base/status.c", "src/conf/get.c")
# (tool, file, part of the finding): why it is wrong
GROWN = "made or grown to hold the element before it is written; the analyser does not follow the two counts"
LANES = "set as doubles one by one, read as vectors of them: gcc 12 does not see that these are the same bytes"
FAILS = "cop_h5_fail returns the status that it is given, which is never COP_OK"
WRONG = {
    ("gcc", "src/net/", "-Wanalyzer-shift-count-overflow"):
        "gcc 12 takes the lanes of a vector for the bits of a number when a vector is shifted; the sanitizer checks the plain variants",
    ("gcc", "src/net/similarity_lanes.h", "use-of-uninitialized-value"): LANES,
    ("gcc", "src/train/unit_lanes.h", "use-of-uninitialized-value"): LANES,
    ("clang-tidy", "src/data/load_libsvm.c", "core.NullDereference"): GROWN,
    ("clang-tidy", "src/evo/engine.c", "core.NullDereference"): GROWN,
    ("clang-tidy", "src/train/rewire_facts.c", "core.NullDereference"): "made for every layer before samples are gathered",
    ("clang-tidy", "src/report/describe_run.c", "core.NullDereference"): "a generation is described where there is one",
    ("clang-tidy", "src/net/dense.c", "core.NullDereference"): "a row or column is kept only from a genome that there is",
    ("clang-tidy", "src/io/h5_read.c", "UndefinedBinaryOperatorResult"): FAILS,
    ("clang-tidy", "src/io/h5_text.c", "core.NullDereference"): FAILS,
    ("clang-tidy", "src/io/seal.c", "not-null-terminated"): "a seal is bytes, not text",
    ("clang-tidy", "src/net/eval_blas.c", "core.DivideZero"): "batch is at least 1: [evaluate] batch, checked with the configuration",
    ("clang-tidy", "src/net/eval_dense.c", "core.DivideZero"): "batch is at least 1: [evaluate] batch, checked with the configuration",
    ("clang-tidy", "src/train/live.c", "core.DivideZero"): "a layer has inputs and outputs: checked with the configuration",
    ("clang-tidy", "src/net/eval_dense.c", "non-const-parameter"): "kept in a structure that writes through it",
    ("clang-tidy", "src/net/eval_sign_cells.c", "non-const-parameter"): "kept in a structure that writes through it",
    ("clang-tidy", "src/net/eval_sign_columns.c", "uninitialized.Assign"): "order_by_class fills as many places as there are samples",
    ("clang-tidy", "src/net/eval_sign_two.c", "UndefinedBinaryOperatorResult"): "count is 1 to 3, as many as digit has",
    ("clang-tidy", "src/run/supervise.c", "cert-err34-c"): "rank 0's own word; a number out of range is no status that is known",
    ("clang-tidy", "src/train/optimisers.c", "integer-division"): "meant: whole steps",
    ("clang-tidy", "src/data/glyph.c", "integer-division"): "meant: half of an even number",
    ("cppcheck", "src/la/", "PASTE"): "its preprocessor does not follow the templates' names made of names; gcc and clang see them",
}


def wrong(tool, path, line):
    return any(t == tool and path.startswith(f) and what in line for t, f, what in WRONG)


def run(argv):
    p = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, errors="replace")
    return p.returncode, p.stdout + p.stderr


def findings(tool, name, text):
    """Lines with a place and a warning or an error."""
    found = []
    for line in text.splitlines():
        m = re.match(r"(?:%s/)?([^:\s]+):(\d+):(?:\d+:)? (?:fatal )?(warning|error|style|performance|portability): (.*)" % re.escape(ROOT), line)
        if m and not wrong(tool, m.group(1), line):
            found.append(line.replace(ROOT + "/", ""))
    return found


def gcc(name, flags):
    know = [] if name in DEFINE else KNOW
    status, text = run(["gcc", *flags, *know, "-O1", "-fanalyzer", "-c", name, "-o", os.devnull])
    return findings("gcc", name, text) or ([f"{name}: gcc ends with status {status}"] if status else [])


def clang_tidy(name, flags):
    know = [] if name in DEFINE else KNOW
    _, text = run(["clang-tidy", "--quiet", name, "--", *flags, *know])
    return findings("clang-tidy", name, text)


def cppcheck(name, flags):
    macros = ["-Djson_object_foreach(o,k,v)=for(;(k)&&(v);)", "-Djson_array_foreach(o,i,v)=for(;(i)&&(v);)"]
    own = [f for f in flags if f.startswith(("-D", "-I"))]
    _, text = run(["cppcheck", "-q", "--std=c11", "--enable=warning,portability,performance", "--inline-suppr", *macros, *own, name])
    return findings("cppcheck", name, text)


TOOLS = {"gcc": gcc, "clang-tidy": clang_tidy, "cppcheck": cppcheck}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--flags", default="", help="options of the compiler")
    p.add_argument("--tools", default=" ".join(TOOLS))
    p.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1))
    p.add_argument("parts", nargs="*", help="part of a path, to select")
    args = p.parse_args()
    listed = subprocess.run(["git", "ls-files", "src"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    names = [n for n in listed if n.endswith(".c") and (not args.parts or any(part in n for part in args.parts))]
    # warnings are the compiler's own business; -include paths of libraries are kept as they are
    flags = [f for f in args.flags.split() if not f.startswith(("-W", "-O", "-g", "-f"))]
    total = 0
    for tool in args.tools.split():
        if not shutil.which(tool):
            print(f"analyse: {tool} is not installed and left out")
            continue
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            found = sorted({line for lines in pool.map(lambda n: TOOLS[tool](n, flags), names) for line in lines})
        for line in found:
            print(f"{tool}: {line}")
        print(f"analyse: {tool}: {len(found)} findings in {len(names)} files", flush=True)
        total += len(found)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
