#!/usr/bin/env python3
"""alone: A real Slurm on the loopback interface: munge, slurmctld and six virtual nodes, and the scripts of slurm/ unchanged.

Skipped where the daemons are not installed or cannot start (root, Debian's slurmctld slurmd slurm-client munge)."""
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tap import *  # noqa: E402,F403

CONFIG = "configs/smoke/padawann.ini"
NODES, CPUS = 6, 2
begin = time.monotonic()
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
TmpFS={dir}/tmp.%n
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
        for folder in ("", "state", *(f"{kind}.v{i + 1}" for i in range(NODES) for kind in ("spool", "tmp"))):
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

    def submit(self, script, *argv, sbatch=(), env=None):
        before, self.env = self.env, dict(self.env, **(env or {}))
        try:
            job = self.call("sbatch", "--parsable", f"--output={self.dir}/%j.log", *sbatch, script, *argv)
        finally:
            self.env = before
        return job.split(";")[0]

    def state(self, job):
        text = self.call("scontrol", "show", "job", job, fails=True)
        found = re.search(r"JobState=(\w+)", text)
        return found.group(1) if found else "GONE"

    def wait(self, job, wanted="COMPLETED", seconds=150, log=None):
        log = log or job
        self.until(lambda: self.state(job) in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "GONE"), log, "the end of the job", seconds)
        state = self.state(job)
        check(state == wanted, f"job {job} ended as {state}, not {wanted}\n" + self.log(log))

    def until(self, happens, job, what, seconds=90):
        end = time.monotonic() + seconds
        while not happens():
            check(time.monotonic() < end, f"{what} does not come: job {job} is {self.state(job)}\n" + self.log(job))
            time.sleep(0.1)

    def log(self, job):
        try:
            with open(f"{self.dir}/{job}.log", errors="replace") as f:
                return f.read()[-5000:]
        except OSError:
            return "(no log)"

    def power_off(self, node):
        """SIGKILL to all that runs on a node, its slurmd first: nobody is told."""
        with open(f"{self.dir}/slurmd.{node}.pid") as f:
            daemon = int(f.read())
        name = os.readlink(f"/proc/{daemon}/ns/uts")
        os.kill(daemon, signal.SIGKILL)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/ns/uts") == name:
                    os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass


def done(text):
    print(f"# {time.monotonic() - begin:.0f} s: {text}", flush=True)


def sets(generations):
    return ("--set", f"stop.generations={generations}", "--set", "checkpoint.every=2", "--quiet")


class Straight:
    """Digests of runs that nothing happens to."""

    def __init__(self, scratch, env):
        self.scratch, self.env, self.known = scratch, env, {}

    def __call__(self, generations, seed=1):
        out = f"{self.scratch}/straight-{generations}-{seed}"
        if out not in self.known:
            check_status(coppice("run", CONFIG, "--out", out, *sets(generations), "--set", f"run.seed={seed}", env=self.env), 0)
            self.known[out] = digest(out)
        return self.known[out]


def one_run(slurm, scratch, straight):
    job = slurm.submit("slurm/run.sbatch", CONFIG, "--out", f"{scratch}/run", *sets(30), sbatch=("-n", "4"))
    slurm.wait(job)
    check(re.search(r"4 ranks on [2-9] nodes", slurm.log(job)), slurm.log(job))
    check(digest(f"{scratch}/run") == straight(30), "run.sbatch ended elsewhere")
    done("run.sbatch through mpirun on several nodes: right digest")


def one_run_through_srun(slurm, scratch, straight):
    if "pmix" not in slurm.call("srun", "--mpi=list"):
        done("srun is not tried: this Slurm has no PMIx plugin (srun --mpi=list)")
        return
    job = slurm.submit("slurm/run.sbatch", CONFIG, "--out", f"{scratch}/srun", *sets(30), sbatch=("-n", "4"), env={"COPPICE_LAUNCHER": "srun"})
    slurm.wait(job)
    check(re.search(r"4 ranks on [2-9] nodes", slurm.log(job)), slurm.log(job))
    check(digest(f"{scratch}/srun") == straight(30), "run.sbatch ended elsewhere through srun")
    done("run.sbatch through srun --mpi=pmix on several nodes: right digest")
    # without --mpi=pmix the tasks do not find each other: one line says what to do
    told = subprocess.run(["srun", "-n", "2", COPPICE, "run", CONFIG, "--out", f"{scratch}/none", *sets(30)], env=slurm.env,
                          capture_output=True, text=True, cwd=ROOT, timeout=60)
    check(told.returncode != 0 and told.stderr.count("'srun --mpi=pmix'") == 1, f"status {told.returncode}\n{told.stderr}")
    check(not os.path.exists(f"{scratch}/none"), "a run was begun")
    done("plain srun: refused with advice")


def array_of_seeds(slurm, scratch, straight):
    home = f"{scratch}/home"  # runs go to its folder runs
    os.mkdir(home)
    for name in ("configs", "jobs", "slurm"):
        os.symlink(f"{ROOT}/{name}", f"{home}/{name}")
    job = slurm.submit(f"{home}/slurm/array.sbatch", CONFIG, *sets(10), sbatch=("-n", "2", "--array=1-3", f"--output={slurm.dir}/%A_%a.log"),
                       env={"COPPICE_HOME": home})
    for seed in (1, 2, 3):
        slurm.wait(f"{job}_{seed}")
        check(digest(f"{home}/runs/smoke-padawann-seed{seed}") == straight(10, seed), f"seed {seed} of array.sbatch ended elsewhere")
    done("array.sbatch, three seeds: right digests")


def stopped_and_requeued(slurm, scratch, straight):
    out = f"{scratch}/long"
    job = slurm.submit("slurm/requeue.sbatch", CONFIG, "--out", out, *sets(150), sbatch=("-n", "4"))
    slurm.until(lambda: os.path.exists(f"{out}/best.h5"), job, "a checkpoint")
    slurm.call("scancel", "--batch", "--signal=USR1", job)
    slurm.wait(job)
    check("going on after generation" in slurm.log(job), slurm.log(job))
    check(digest(out) == straight(150), "requeue.sbatch ended elsewhere")
    done("requeue.sbatch: stopped, requeued, right digest")


def cancelled(slurm, scratch, _):
    out = f"{scratch}/cancelled"
    job = slurm.submit("slurm/run.sbatch", CONFIG, "--out", out, *sets(100000), sbatch=("-n", "3"))
    slurm.until(lambda: os.path.exists(f"{out}/best.h5"), job, "a checkpoint")
    slurm.call("scancel", job)
    slurm.wait(job, "CANCELLED")
    time.sleep(6)  # KillWait and a little
    digest(out)
    done("scancel: files whole")


def node_set_down(slurm, scratch, straight):
    out = f"{scratch}/down"
    job = slurm.submit("slurm/requeue.sbatch", CONFIG, "--out", out, *sets(150), sbatch=("-n", "4", "-N", "2"))
    slurm.until(lambda: os.path.exists(f"{out}/best.h5"), job, "a checkpoint")
    nodes = re.search(r"^ *NodeList=(\S+)", slurm.call("scontrol", "show", "job", job), re.M).group(1)
    last = slurm.call("scontrol", "show", "hostnames", nodes).split()[-1]
    slurm.call("scontrol", "update", f"nodename={last}", "state=down", "reason=test")
    slurm.wait(job)
    check("Restarts=1" in slurm.call("scontrol", "show", "job", job) and "going on after generation" in slurm.log(job), slurm.log(job))
    check(digest(out) == straight(150), "the run whose node was set down ended elsewhere")
    done("a node set down: requeued by Slurm, right digest")


class NodeLoss:
    """The node of the batch script and of rank 0 loses power; Slurm finds out by itself, which takes half a minute."""

    def __init__(self, slurm, scratch):
        self.slurm, self.out = slurm, f"{scratch}/lost"
        self.job = slurm.submit("slurm/requeue.sbatch", CONFIG, "--out", self.out, *sets(150), sbatch=("-n", "3", "-N", "2", "-x", "v6"))
        slurm.until(lambda: os.path.exists(f"{self.out}/best.h5"), self.job, "a checkpoint")
        slurm.power_off(re.search(r"BatchHost=(\S+)", slurm.call("scontrol", "show", "job", self.job)).group(1))

    def end(self, straight):
        self.slurm.wait(self.job)
        log = self.slurm.log(self.job)
        check("Restarts=1" in self.slurm.call("scontrol", "show", "job", self.job) and "going on after generation" in log, log)
        check(digest(self.out) == straight(150), "the run whose node was lost ended elsewhere")
        done("the node of rank 0 lost power: requeued by Slurm, right digest")


class TimeLimit:
    """A job that is longer than its limit of a minute. Slurm warns within half a minute, as requeue.sbatch asks for. How far it
    gets depends on the machine, so its end is set, in its configuration, once it has been warned."""

    def __init__(self, slurm, scratch):
        self.slurm, self.out, self.config = slurm, f"{scratch}/limit", f"{scratch}/limit.ini"
        self.write(1000000)
        self.job = slurm.submit("slurm/requeue.sbatch", self.config, "--out", self.out, "--quiet", sbatch=("-n", "2", "-w", "v6", "--time=1"),
                                env={"COPPICE_MARGIN": "120"})

    def write(self, generations):
        with open(self.config, "w") as f:
            f.write(f"include = {ROOT}/{CONFIG}\n[stop]\ngenerations = {generations}\n[checkpoint]\nevery = 50\n")

    def end(self, straight):
        stopped = r"(\d+) generations, .* ended because a signal, file or time limit asked for it"
        waits, reached = False, []
        while not waits:  # it may start again, and be warned again, before its new end is written
            self.slurm.until(lambda: self.slurm.state(self.job) == "PENDING", self.job, "Slurm's warning")
            reached = re.findall(stopped, self.slurm.log(self.job))
            check(reached, "requeued without having stopped\n" + self.slurm.log(self.job))
            self.write(int(reached[-1]) + 5)
            waits = self.slurm.state(self.job) == "PENDING"
        self.slurm.wait(self.job)
        log = self.slurm.log(self.job)
        check("going on after generation" in log, log)
        check(digest(self.out) == straight(int(reached[-1]) + 5), "the run that hit its time limit ended elsewhere")
        done(f"time limit: warned, checkpoint, requeued {len(reached)} times, right digest after {int(reached[-1]) + 5} generations")


@test
def jobs_of_a_real_slurm_end_with_the_right_digest(scratch):
    with Cluster(scratch) as slurm:
        straight = Straight(scratch, slurm.env)
        limit, loss = TimeLimit(slurm, scratch), NodeLoss(slurm, scratch)
        for what in (one_run, one_run_through_srun, array_of_seeds):
            what(slurm, scratch, straight)
        limit.end(straight)
        for what in (stopped_and_requeued, cancelled, node_set_down):
            what(slurm, scratch, straight)
        loss.end(straight)


if __name__ == "__main__":
    main()
