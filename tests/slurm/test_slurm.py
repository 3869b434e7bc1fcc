#!/usr/bin/env python3
"""alone: A real Slurm on the loopback interface: munge, slurmctld and four virtual nodes, and the scripts of slurm/ unchanged.

Skipped where the daemons are not installed or cannot start (root, Debian's slurmctld slurmd slurm-client munge)."""
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"
NODES, CPUS = 4, 2
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "unshare")

CONF = """ClusterName=coppice
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={dir}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool.%n
SlurmctldPidFile={dir}/slurmctld.pid
SlurmdPidFile={dir}/slurmd.%n.pid
SlurmctldLogFile={dir}/slurmctld.log
SlurmdLogFile={dir}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SchedulerParameters=bf_interval=1,sched_min_interval=100000,batch_sched_delay=0,requeue_delay=0
SlurmctldTimeout=30
SlurmdTimeout=10
KillWait=5
InactiveLimit=0
JobRequeue=1
SlurmdParameters=config_overrides
NodeName=v[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs={cpus} RealMemory=500 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class Cluster:
    def __init__(self, scratch):
        self.dir, self.pids = f"{scratch}/slurm", []
        self.env = dict(os.environ, SLURM_CONF=f"{self.dir}/slurm.conf", COPPICE=COPPICE, COPPICE_HOME=ROOT, COPPICE_MARGIN="5",
                        COPPICE_CACHE=f"{scratch}/cache")

    def call(self, *argv, fails=False):
        p = subprocess.run(argv, env=self.env, capture_output=True, text=True, cwd=ROOT, timeout=60)
        check(fails or p.returncode == 0, f"{argv}: status {p.returncode}\n{p.stdout}{p.stderr}")
        return p.stdout.strip()

    def __enter__(self):
        missing = [p for p in PROGRAMS if not shutil.which(p)]
        if missing:
            raise Skip(f"not installed: {', '.join(missing)}")
        if os.getuid() != 0:
            raise Skip("only root can start the daemons with virtual nodes")
        for folder in ("", "state", *(f"spool.v{i + 1}" for i in range(NODES))):
            os.makedirs(f"{self.dir}/{folder}", mode=0o755, exist_ok=True)
        os.chmod(os.path.dirname(self.dir), 0o755)
        with open(f"{self.dir}/munge.key", "wb") as f:
            f.write(os.urandom(128))
        os.chmod(f"{self.dir}/munge.key", 0o400)
        base = 20000 + os.getpid() % 20000
        host = self.call("hostname", "-s")
        with open(self.env["SLURM_CONF"], "w") as f:
            f.write(CONF.format(dir=self.dir, host=host, port=base, first=base + 1, last=base + NODES, nodes=NODES, cpus=CPUS))
        try:
            self.call("munged", "--force", f"--key-file={self.dir}/munge.key", f"--socket={self.dir}/munge.socket",
                      f"--pid-file={self.dir}/munged.pid", f"--log-file={self.dir}/munged.log", f"--seed-file={self.dir}/munge.seed")
            self.call("slurmctld", "-i", "-c")
            for i in range(NODES):
                # a host name of its own, so that mpirun takes it for another host
                self.call("unshare", "-u", "sh", "-c", f"hostname v{i + 1}; exec slurmd -N v{i + 1}")
            end = time.monotonic() + 40
            while self.call("sinfo", "-h", "-t", "idle", "-o", "%D", fails=True) != str(NODES):
                check(time.monotonic() < end, "the nodes do not come up: " + self.call("sinfo", fails=True))
                time.sleep(0.2)
        except (AssertionError, subprocess.TimeoutExpired) as reason:
            self.__exit__()
            raise Skip("the daemons cannot start: " + str(reason).replace("\n", " ")[:300]) from None
        return self

    def __exit__(self, *_):
        subprocess.run(["scancel", "-u", "root"], env=self.env, capture_output=True)
        names = [f"slurmd.v{i + 1}.pid" for i in range(NODES)] + ["slurmctld.pid", "munged.pid"]
        for name in names:
            try:
                with open(f"{self.dir}/{name}") as f:
                    pid = int(f.read())
                os.kill(pid, signal.SIGTERM)
                for _ in range(100):
                    os.kill(pid, 0)
                    time.sleep(0.05)
                os.kill(pid, signal.SIGKILL)
            except (OSError, ValueError):
                pass

    def submit(self, *argv):
        text = self.call("sbatch", *argv)
        return re.search(r"Submitted batch job (\d+)", text).group(1)

    def state(self, job):
        text = self.call("scontrol", "show", "job", job, fails=True)
        found = re.search(r"JobState=(\w+)", text)
        return found.group(1) if found else "GONE"

    def wait(self, job, wanted="COMPLETED", seconds=150):
        end = time.monotonic() + seconds
        while (state := self.state(job)) not in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "GONE"):
            check(time.monotonic() < end, f"job {job} is still {state}\n" + self.call("scontrol", "show", "job", job))
            time.sleep(0.2)
        check(state == wanted, f"job {job} ended as {state}, not {wanted}\n" + self.log(job))
        return state

    def log(self, job):
        try:
            with open(f"{self.dir}/{job}.log", errors="replace") as f:
                return f.read()[-3000:]
        except OSError:
            return "(no log)"


@test
def jobs_of_a_real_slurm_end_with_the_right_digest(scratch):
    with Cluster(scratch) as slurm:
        straight = f"{scratch}/straight"
        sets = ("--set", "stop.generations=30", "--set", "checkpoint.every=2", "--quiet")
        check_status(coppice("run", CONFIG, "--out", straight, *sets, env=slurm.env), 0)
        wanted = digest(straight)
        log = f"--output={slurm.dir}/%j.log"
        # one run, through mpirun over two virtual nodes
        slurm.wait(slurm.submit(log, "-n", "4", "slurm/run.sbatch", CONFIG, "--out", f"{scratch}/run", *sets))
        check(digest(f"{scratch}/run") == wanted, "run.sbatch ended elsewhere")
        print("# run.sbatch through mpirun: done", flush=True)
        # asked to stop, it requeues itself and finishes
        more = ("--set", "stop.generations=300", "--set", "checkpoint.every=2", "--quiet")
        job = slurm.submit(log, "-n", "4", "slurm/requeue.sbatch", CONFIG, "--out", f"{scratch}/long", *more)
        end = time.monotonic() + 60
        while not os.path.exists(f"{scratch}/long/best.h5"):
            check(time.monotonic() < end, "no checkpoint comes\n" + slurm.log(job))
            time.sleep(0.1)
        slurm.call("scancel", "--batch", "--signal=USR1", job)
        slurm.wait(job)
        check("going on after generation" in slurm.log(job), slurm.log(job))
        check_status(coppice("run", CONFIG, "--out", f"{scratch}/long-straight", *more, env=slurm.env), 0)
        check(digest(f"{scratch}/long") == digest(f"{scratch}/long-straight"), "requeue.sbatch ended elsewhere")
        print("# requeue.sbatch: stopped, requeued, finished", flush=True)
        # cancelled: what there is resumes
        endless = ("--set", "stop.generations=100000", "--set", "checkpoint.every=2", "--quiet")
        job = slurm.submit(log, "-n", "3", "slurm/run.sbatch", CONFIG, "--out", f"{scratch}/cancelled", *endless)
        end = time.monotonic() + 60
        while not os.path.exists(f"{scratch}/cancelled/best.h5"):
            check(time.monotonic() < end, "no checkpoint comes\n" + slurm.log(job))
            time.sleep(0.1)
        slurm.call("scancel", job)
        slurm.wait(job, "CANCELLED")
        time.sleep(6)
        digest(f"{scratch}/cancelled")
        print("# scancel: files whole", flush=True)


if __name__ == "__main__":
    main()
