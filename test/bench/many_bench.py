"""Many files, and a very large one: time for each, and the most memory that each process has had.

Trees of files of 1 KiB, each ten times the one before, in directories of 1,000; then a sparse file. Where the files are,
TMPDIR says: in memory a file of 1 KiB takes about 6 KiB on each side.

BATON_BENCH_FILES: of the largest tree (1000000). BATON_BENCH_GIB: of the sparse file (64).
"""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from topology import Topology

FILES = int(os.environ.get("BATON_BENCH_FILES", "1000000"))
SPARSE_BYTES = int(os.environ.get("BATON_BENCH_GIB", "64")) << 30
GOAL_MIB = 64


def make_tree(root, count):
    block = os.urandom(1 << 20)
    for i in range(count):
        directory = os.path.join(root, "d%04d" % (i // 1000))
        if i % 1000 == 0:
            os.makedirs(directory)
        with open(os.path.join(directory, "f%07d" % i), "wb", buffering=0) as out:
            at = i * 7 % (1 << 19)
            out.write(block[at:at + 1024])


def show(t, what, seconds, each):
    peaks = ", ".join("%s %.1f" % (agent, t.peak_memory_mib(agent)) for agent in ("SRC", "DST"))
    print("%-28s %9.1f s %10s   peak memory in MiB: %s (goal %d)" % (what, seconds, each, peaks, GOAL_MIB))


def move(t, source, destination, *words):
    began = time.monotonic()
    t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-w", *words, destination, source, timeout_s=7200)
    return time.monotonic() - began


def main():
    sys.stdout.reconfigure(line_buffering=True)
    t = Topology(properties={"agentStatusPublishRateLimit": "30"})
    try:
        t.start()
        print("== many")
        count = max(FILES // 100, 1)
        while count <= FILES:
            source, destination = t.path("in-%d" % count), t.path("out-%d" % count)
            make_tree(source, count)
            took = move(t, source, destination, "-r", "-dd")
            show(t, "%d files of 1 KiB" % count, took, "%.0f us each" % (took / count * 1e6))
            subprocess.run(["diff", "-rq", source, destination], check=True)
            shutil.rmtree(source)
            shutil.rmtree(destination)
            count *= 10
        source, destination = t.path("sparse"), t.path("arrived")
        with open(source, "wb") as out:
            for at in range(0, SPARSE_BYTES, SPARSE_BYTES // 64):
                out.seek(at)
                out.write(os.urandom(4096))
            out.truncate(SPARSE_BYTES)
        took = move(t, source, destination, "-df")
        show(t, "sparse, %d GiB" % (SPARSE_BYTES >> 30), took, "%.1f GiB/s" % (SPARSE_BYTES / took / (1 << 30)))
        subprocess.run(["cmp", source, destination], check=True)
        print("%-28s %d MiB on disk at the source, %d MiB at the destination"
              % ("", os.stat(source).st_blocks >> 11, os.stat(destination).st_blocks >> 11))
    finally:
        t.close()


if __name__ == "__main__":
    main()
