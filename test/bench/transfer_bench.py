"""Managed transfers beside what people use otherwise: the same files, the same directory, the same run, in turns.

One file of 2 GiB and 10,000 files of 4 KiB. Baton: two agents on one queue manager, checksum and all other properties
as they are by default; a transfer has ended when every file is checked and on stable storage. Of the others, `cp` is
followed by a sync of the file system, `rsync --fsync` syncs each file, and `rsync` and `scp` leave that to the kernel.

The source was just written and stays in the page cache. Destinations are removed between runs, and everything is synced
before each, so that nobody pays for what another has left to be written.

BATON_BENCH_RUNS: runs whose median is shown (3). BATON_BENCH_SCALE: a part of the amount, for trying this out (1.0).
"""
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from loopback_sshd import LoopbackSshd
from topology import Topology

RUNS = int(os.environ.get("BATON_BENCH_RUNS", "3"))
SCALE = float(os.environ.get("BATON_BENCH_SCALE", "1"))
LARGE_BYTES = int(2 * 1024**3 * SCALE)
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


def contenders(topology, sshd):
    """Name -> function(source, destination)."""
    def baton(source, destination):
        topology.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-w", "-r", "-dd", destination, source, timeout_s=3600)

    def cp(source, destination):
        run(["cp", "-r", source, destination])
        run(["sync", "-f", destination])

    found = {BATON: baton, "cp -r, sync -f": cp, "rsync -a": lambda s, d: run(["rsync", "-a", s + "/", d + "/"])}
    if has_fsync():
        found["rsync -a --fsync"] = lambda s, d: run(["rsync", "-a", "--fsync", s + "/", d + "/"])
    if sshd:
        found["scp -r, loopback"] = lambda s, d: run(["scp", "-q", "-r", *sshd.options(), s, sshd.target(d)])
    return found


def measure(topology, sshd, source):
    """Name -> seconds of each run."""
    destination = topology.path("arrived")
    peers = contenders(topology, sshd)
    taken = {name: [] for name in peers}
    for _ in range(RUNS):
        for name, move in peers.items():
            os.sync()
            began = time.monotonic()
            move(source, destination)
            taken[name].append(time.monotonic() - began)
            if len(taken[name]) == 1:
                run(["diff", "-rq", source, destination])
            shutil.rmtree(destination)
    return taken


def show(title, taken, amount, unit):
    print("\n== transfer: %s, median of %d" % (title, RUNS))
    print("%-32s %9s %11s  %s" % ("", "seconds", unit, "its time / Baton's   runs"))
    ours = statistics.median(taken[BATON])
    for name, times in taken.items():
        middle = statistics.median(times)
        print("%-32s %9.2f %11.0f  %18.2f   %s" % (name, middle, amount / middle, middle / ours,
                                                  " ".join("%.2f" % one for one in times)))


def main():
    sys.stdout.reconfigure(line_buffering=True)
    topology = Topology(properties={"agentStatusPublishRateLimit": "30"})
    sshd = None
    try:
        topology.start()
        sshd = LoopbackSshd.start(topology.path("ssh"))
        if sshd is None:
            print("scp: not available")
        large, small = topology.path("large"), topology.path("small")
        make_large(large)
        show("1 file of %.2f GiB" % (LARGE_BYTES / 1024**3), measure(topology, sshd, large), LARGE_BYTES / 1e6, "MB/s")
        shutil.rmtree(large)
        make_small(small)
        show("%d files of 4 KiB" % SMALL_FILES, measure(topology, sshd, small), SMALL_FILES, "files/s")
        print("\npeak memory of the agents: SRC %.0f MiB, DST %.0f MiB"
              % (topology.peak_memory_mib("SRC"), topology.peak_memory_mib("DST")))
    finally:
        if sshd:
            sshd.close()
        topology.close()


if __name__ == "__main__":
    main()
