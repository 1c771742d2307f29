"""Managed transfers beside what people use otherwise: the same files, the same directory, the same run, in turns.

One file of 2 GiB and 10,000 files of 4 KiB, on disk (TMPDIR) and in memory (/dev/shm), which shows what the software
costs. Each round is in another order, so that nobody always comes after the same one. Baton: two agents on one queue
manager, checksum and all other properties as they are by default; a transfer has ended when every file is checked and on
stable storage. Of the others, `dd conv=fsync` and `rsync --fsync` sync each file, and `cp`, `rsync` and `scp` leave that
to the kernel. The last part is without direct channels (queue_bench.py).

The source was just written and stays in the page cache. Everything is synced before each run, so that nobody pays for
what another has left to be written. In memory nobody pays for getting memory from a virtual machine's host
(warm_memory.py). Each run of the small files has a directory of its own until the end: ext4 looks at each inode that was
freed within the last minutes before it takes another one, so removing 10,000 files makes whoever comes next several times
slower.

BATON_BENCH_SEED: of the order (printed). BATON_BENCH_RUNS: runs whose median is shown (5). BATON_BENCH_SCALE: a part of
the amount, for trying this out (1.0).
"""
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
import queue_bench
import warm_memory
from loopback_sshd import LoopbackSshd
from topology import Topology

RUNS = queue_bench.RUNS
SCALE = float(os.environ.get("BATON_BENCH_SCALE", "1"))
LARGE_BYTES = queue_bench.LARGE_BYTES
SEED = int(os.environ.get("BATON_BENCH_SEED") or random.SystemRandom().randrange(1 << 32))
ORDER = random.Random(SEED)
SMALL_FILES = int(10000 * SCALE)
SMALL_BYTES = 4096
PER_DIRECTORY = 500
BATON = "Baton: fteCreateTransfer -w -r"


def write_random(path, size):
    with open(path, "wb") as out:
        while size > 0:
            size -= out.write(os.urandom(min(size, 1 << 22)))


def make_large(directory):
    os.makedirs(directory)
    write_random(os.path.join(directory, "large.bin"), LARGE_BYTES)


def make_small(directory):
    for number in range(SMALL_FILES):
        inside = os.path.join(directory, "d%02d" % (number // PER_DIRECTORY))
        if number % PER_DIRECTORY == 0:
            os.makedirs(inside)
        write_random(os.path.join(inside, "file%05d" % number), SMALL_BYTES)


def run(words, env=None):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
    if done.returncode != 0:
        raise RuntimeError("%s: exit code %d: %s" % (" ".join(words), done.returncode, done.stdout.decode()[-2000:]))


def has_fsync():
    shown = subprocess.run(["rsync", "--help"], capture_output=True, text=True)
    return "--fsync" in shown.stdout


def contenders(topology, sshd, large):
    """Name -> function(source, destination)."""
    def baton(source, destination):
        topology.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-w", "-r", "-dd", destination, source, timeout_s=3600)

    def dd(source, destination):
        os.makedirs(destination)
        run(["dd", "if=%s/large.bin" % source, "of=%s/large.bin" % destination, "bs=1M", "conv=fsync"])

    found = {BATON: baton, "cp -r": lambda s, d: run(["cp", "-r", s, d]), "rsync -a": lambda s, d: run(["rsync", "-a", s + "/", d + "/"])}
    if large:
        found["dd bs=1M conv=fsync"] = dd
    if has_fsync():
        found["rsync -a --fsync"] = lambda s, d: run(["rsync", "-a", "--fsync", s + "/", d + "/"])
    if sshd:
        found["scp -r, loopback"] = lambda s, d: run(["scp", "-q", "-r", *sshd.options(), s, sshd.target(d)])
    return found


def measure(topology, sshd, source, large):
    """Name -> seconds of each run."""
    peers = contenders(topology, sshd, large)
    taken = {name: [] for name in peers}
    left = []
    for _ in range(RUNS):
        for name, move in ORDER.sample(sorted(peers.items()), len(peers)):
            destination = topology.path("arrived-%d" % len(left))
            left.append(destination)
            os.sync()
            began = time.monotonic()
            move(source, destination)
            taken[name].append(time.monotonic() - began)
            if len(taken[name]) == 1:
                run(["diff", "-rq", source, destination])
            if large:
                shutil.rmtree(destination)
    for destination in left:
        shutil.rmtree(destination, ignore_errors=True)
    return taken


def show(title, taken, amount, unit, goals):
    print("\n== transfer: %s, median of %d" % (title, RUNS))
    print("%-32s %9s %11s  %s" % ("", "seconds", unit, "its time / Baton's  goal   runs"))
    ours = statistics.median(taken[BATON])
    for name, times in taken.items():
        middle = statistics.median(times)
        print("%-32s %9.2f %11.0f  %18.2f  %4s   %s" % (name, middle, amount / middle, middle / ours, goals.get(name, ""),
                                                       " ".join("%.2f" % one for one in times)))


def side_by_side(in_memory, goals_large, goals_small):
    where = "in memory" if in_memory else "on disk"
    topology = Topology(properties={"agentStatusPublishRateLimit": "30"})
    sshd = None
    try:
        topology.start()
        sshd = LoopbackSshd.start(topology.path("ssh"))
        if sshd is None:
            print("scp: not available")
        if in_memory:
            warm_memory.keep(topology.path("warm"), 3 * LARGE_BYTES)
        large, small = topology.path("large"), topology.path("small")
        make_large(large)
        show("1 file of %.2f GiB, %s" % (LARGE_BYTES / 1024**3, where), measure(topology, sshd, large, True), LARGE_BYTES / 1e6, "MB/s", goals_large)
        shutil.rmtree(large)
        make_small(small)
        show("%d files of 4 KiB, %s" % (SMALL_FILES, where), measure(topology, sshd, small, False), SMALL_FILES, "files/s", goals_small)
        print("\npeak memory of the agents: SRC %.0f MiB, DST %.0f MiB"
              % (topology.peak_memory_mib("SRC"), topology.peak_memory_mib("DST")))
    finally:
        if sshd:
            sshd.close()
        topology.close()


def main():
    sys.stdout.reconfigure(line_buffering=True)
    print("order of the rounds: BATON_BENCH_SEED=%d" % SEED)
    side_by_side(False, {"dd bs=1M conv=fsync": 1.0, "rsync -a --fsync": 1.3}, {"rsync -a --fsync": 3, "rsync -a": 0.8})
    tempfile.tempdir = "/dev/shm"
    side_by_side(True, {"cp -r": 0.7, "rsync -a": 1.5, "scp -r, loopback": 4}, {"rsync -a": 1, "scp -r, loopback": 4})
    queue_bench.through_each()


if __name__ == "__main__":
    main()
