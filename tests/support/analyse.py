#!/usr/bin/env python3
"""Static analysis of the whole tree: gcc -fanalyzer, clang-tidy (.clang-tidy), cppcheck; fails if one of them finds anything.

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
# (tool, file, finding): why it is wrong
WRONG = {
    ("gcc", "src/net/", "-Wanalyzer-shift-count-overflow"):
        "gcc 12 takes the lanes of a vector for the bits of a number when a vector is shifted; the sanitizer checks the shifts of the plain variants",
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
    listed = subprocess.run(["git", "ls-files", "src", "tests"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
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
