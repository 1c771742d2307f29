"""Where the processor's time goes while files move: one large file directly and through the queue manager, and many small
ones, in memory. Needs `perf` (Debian: linux-perf) and the right to look at all processes.

For each: seconds of processor time of each of the three processes, how long both processors had nothing to do, and what the
most time was spent in, as a share of all.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from topology import Topology
from transfer_bench import LARGE_BYTES, SMALL_FILES, make_large, make_small

OURS = ("baton-agent", "baton-qmgr")
LINES = 12


def processor_seconds(pid):
    with open("/proc/%d/stat" % pid) as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shares(recorded):
    """(share in percent, process, symbol), the largest first."""
    shown = subprocess.run(["perf", "report", "-i", recorded, "--no-children", "--sort", "comm,sym", "-g", "none", "--stdio"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    found = re.findall(r"^\s*([\d.]+)%\s+(\S+)\s+\[(.)\] (.+?)\s*$", shown, re.M)
    return [(float(share), process, ("kernel: " if kind == "k" else "") + symbol[:60]) for share, process, kind, symbol in found]


def profile(title, make, properties):
    t = Topology(properties={"agentStatusPublishRateLimit": "30", **properties})
    try:
        t.start()
        make(t.path("source"))
        words = ["fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-w", "-r", "-dd"]
        t.must(*words, t.path("first"), t.path("source"), timeout_s=600)  # memory and caches are warm from now on
        shutil.rmtree(t.path("first"))
        who = {"SRC": t.pid("SRC"), "DST": t.pid("DST"), "queue manager": t.qmgr_pid()}
        before = {name: processor_seconds(pid) for name, pid in who.items()}
        recorder = subprocess.Popen(["perf", "record", "-q", "-a", "-F", "499", "-o", t.path("perf.data")], stderr=subprocess.DEVNULL)
        began = time.monotonic()
        t.must(*words, t.path("second"), t.path("source"), timeout_s=600)
        took = time.monotonic() - began
        recorder.terminate()
        recorder.wait()
        print("\n== profile: %s: %.2f s" % (title, took))
        print("processor time: " + ", ".join("%s %.2f s" % (name, processor_seconds(pid) - before[name]) for name, pid in who.items()))
        all_shares = shares(t.path("perf.data"))
        print("idle: %.0f %%" % sum(share for share, process, _ in all_shares if process == "swapper"))
        for share, process, symbol in [one for one in all_shares if one[1] in OURS][:LINES]:
            print("%6.1f %%  %-12s %s" % (share, process, symbol))
    finally:
        t.close()


def main():
    sys.stdout.reconfigure(line_buffering=True)
    if shutil.which("perf") is None:
        sys.exit("profile: perf is not installed (Debian: linux-perf)")
    tempfile.tempdir = "/dev/shm"
    profile("%.2f GiB, directly" % (LARGE_BYTES / 1024**3), make_large, {})
    profile("%.2f GiB, through the queue manager" % (LARGE_BYTES / 1024**3), make_large, {"agentDataDirect": "false"})
    profile("%d files of 4 KiB" % SMALL_FILES, make_small, {})


if __name__ == "__main__":
    main()
