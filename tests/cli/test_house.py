#!/usr/bin/env python3
"""The rules of the house, and that documents, jobs and configurations fit the program."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403


@test
def modules_keep_to_their_order(scratch):
    if not os.path.exists(os.path.join(ROOT, ".git")):
        raise Skip("not a git checkout")
    result = subprocess.run([sys.executable, os.path.join(ROOT, "tests/support/lint.py")], capture_output=True, text=True)
    check(result.returncode == 0, result.stdout)


@test
def links_in_documents_lead_somewhere(scratch):
    broken = []
    for folder, _, names in os.walk(ROOT):
        if "/build" in folder or "/.git" in folder or "/runs" in folder:
            continue
        for name in names:
            if not name.endswith(".md"):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                text = f.read()
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
                if not os.path.exists(os.path.join(folder, target)):
                    broken.append(f"{os.path.relpath(os.path.join(folder, name), ROOT)}: {target}")
    check(not broken, "broken links: " + ", ".join(broken))


@test
def shell_scripts_parse(scratch):
    for folder in ("jobs", "slurm"):
        for name in os.listdir(os.path.join(ROOT, folder)):
            if name.endswith((".sh", ".sbatch")):
                result = subprocess.run(["sh", "-n", os.path.join(ROOT, folder, name)], capture_output=True, text=True)
                check(result.returncode == 0, f"{name}: {result.stderr}")


if __name__ == "__main__":
    main()
