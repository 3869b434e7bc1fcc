#!/usr/bin/env python3
"""The rules of the house that a machine can check; prints every breach and fails if there is one.

Modules include only themselves and what is to their left; MPI, HDF5 and BLAS stay in their modules; files stay
short; every script, configuration and document that others name is there.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ORDER = ["base", "conf", "io", "la", "data", "net", "train", "evo", "par", "run", "report", "cli"]
# op.h is the operator author's view of evo; report and cli may look at everything
HEADERS = {"op": "evo"}
ALLOWED = {  # system header -> where it may be included
    "mpi.h": ["src/par/", "src/cli/main.c"],
    "hdf5.h": ["src/io/"],
    "hdf5_hl.h": ["src/io/"],
    "cblas.h": ["src/la/"],
    "gsl/gsl_cdf.h": ["src/report/"],
    "gsl/gsl_errno.h": ["src/report/"],
}
LONGEST = 400


def main():
    breaches = []
    sources = subprocess.run(["git", "ls-files", "src", "include"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in sources.stdout.split():
        if not name.endswith((".c", ".h")):
            continue
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            lines = f.read().splitlines()
        module = name.split("/")[1] if name.startswith("src/") else HEADERS.get(name.split("/")[-1][:-2], name.split("/")[-1][:-2])
        if module not in ORDER:
            breaches.append(f"{name}: module {module} is not in the order {' '.join(ORDER)}")
            continue
        if name.startswith("src/") and len(lines) > LONGEST:
            breaches.append(f"{name}: {len(lines)} lines; more than {LONGEST} is rarely one thing")
        for number, line in enumerate(lines, 1):
            m = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if m:
                header = m.group(1)
                if header in ALLOWED and not any(name.startswith(a) for a in ALLOWED[header]):
                    breaches.append(f"{name}:{number}: {header} belongs to {', '.join(ALLOWED[header])}")
                m2 = re.match(r"coppice/(\w+)\.h|(\w+)/\w+\.h", header)
                other = m2 and (m2.group(1) or m2.group(2))
                other = HEADERS.get(other, other)
                if other in ORDER and ORDER.index(other) > ORDER.index(module):
                    breaches.append(f"{name}:{number}: module {module} includes {header}, which is above it")
            if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                breaches.append(f"{name}:{number}: unfinished business")
    for breach in breaches:
        print(breach)
    print(f"lint: {len(breaches)} breaches in {len(sources.stdout.split())} files")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
