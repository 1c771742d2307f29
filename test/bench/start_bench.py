"""How long until an agent is ready, and what a command takes. Medians of RUNS; times in milliseconds."""
import datetime
import os
import re
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from topology import Topology

RUNS = int(os.environ.get("BATON_BENCH_START_RUNS", "20"))
STAMP = r"\[(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d:\d{3}) UTC\][^\n]*BFGAG0059I"


def ready_at(log):
    """When the log says that the agent was started for the last time, in seconds of the wall clock."""
    stamp = re.findall(STAMP, log)[-1]
    told = datetime.datetime.strptime(stamp, "%d/%m/%Y %H:%M:%S:%f")
    return told.replace(tzinfo=datetime.timezone.utc).timestamp()


def measure_start(topology):
    """(until the log says so, until the command is back) of each start."""
    ready, back = [], []
    for _ in range(RUNS):
        began_wall, began = time.time(), time.monotonic()
        topology.must("fteStartAgent", "SRC")
        back.append(time.monotonic() - began)
        ready.append(ready_at(topology.log("SRC")) - began_wall)
        topology.must("fteStopAgent", "SRC")
    return ready, back


def measure_command(topology, *words):
    taken = []
    for _ in range(RUNS):
        began = time.monotonic()
        topology.must(*words)
        taken.append(time.monotonic() - began)
    return taken


def show(what, taken, goal_ms=None):
    goal = "" if goal_ms is None else "  goal %d ms" % goal_ms
    print("%-46s %7.1f  %7.1f  %7.1f%s" % (what, statistics.median(taken) * 1e3, min(taken) * 1e3, max(taken) * 1e3, goal))


def main():
    sys.stdout.reconfigure(line_buffering=True)
    topology = Topology(["SRC"])
    try:
        print("== start: %d times each, in milliseconds" % RUNS)
        print("%-46s %7s  %7s  %7s" % ("", "median", "least", "most"))
        ready, back = measure_start(topology)
        show("fteStartAgent, until BFGAG0059I is in the log", ready, 150)
        show("fteStartAgent, until it is back", back)
        topology.start("SRC")
        show("ftePingAgent", measure_command(topology, "ftePingAgent", "SRC"), 50)
        show("fteListAgents", measure_command(topology, "fteListAgents"), 50)
    finally:
        topology.close()


if __name__ == "__main__":
    main()
