"""Many agents on one embedded queue manager on one machine, each with two instances of which one stands by: until all have
found their role, what they cost while nothing happens, and how long one is without an active instance when that is killed.

BATON_BENCH_AGENTS: how many processes of agents, in turns (10,100,1000). Idle times are of 20 s.
"""
import os
import re
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from instances import Instances
from processes import eventually, pass_time

SIZES = [int(size) for size in os.environ.get("BATON_BENCH_AGENTS", "10,100,1000").split(",")]
IDLE_S = 20
TAKEOVERS = 20
READY_S = 120
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid) as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / CLOCK_TICKS


def memory_kib(pid, name):
    with open("/proc/%d/smaps_rollup" % pid) as shown:
        return int(re.search(r"^%s:\s+(\d+) kB" % name, shown.read(), re.M).group(1))


class Waiting:
    """Instances that have not said what they are. Looks at one at a time, since looking costs time, too."""

    def __init__(self, t, agents):
        self.files = [host.home(agent, "agent.role") for host in t.place.values() for agent in agents]

    def over(self):
        while self.files and self.says(self.files[-1]):
            self.files.pop()
        return not self.files

    @staticmethod
    def says(path):
        try:
            with open(path) as role:
                return role.read().split()[:1] in (["active"], ["standby"])
        except FileNotFoundError:
            return False


def measure(processes):
    agents = ["A%03d" % number for number in range(max(processes // 2, 1))]
    began = time.monotonic()
    t = Instances(agents=agents, properties={"agentStatusPublishRateLimit": "30"})
    try:
        configured = time.monotonic() - began
        began = time.monotonic()
        for host in t.place.values():
            for agent in agents:
                host.launch(agent)
        waiting = Waiting(t, agents)
        eventually(waiting.over, lambda: "%d of %d have a role" % (2 * len(agents) - len(waiting.files), 2 * len(agents)), deadline_s=READY_S)
        ready = time.monotonic() - began
        pids = [process.pid for host in t.place.values() for process in host.launched.values()]
        pass_time(IDLE_S)  # what a start leaves to be done is done
        before = processor_seconds(pids), processor_seconds([t.qmgr_pid()])
        pass_time(IDLE_S)
        after = processor_seconds(pids), processor_seconds([t.qmgr_pid()])
        idle = [100 * (b - a) / IDLE_S for a, b in zip(before, after)]
        resident = statistics.mean(memory_kib(pid, "Rss") for pid in pids) / 1024
        own = statistics.mean(memory_kib(pid, "Pss") for pid in pids) / 1024
        qmgr = memory_kib(t.qmgr_pid(), "Rss") / 1024
        taken = []
        for agent in agents[:TAKEOVERS]:
            name = t.wait_for_an_active(agent)
            killed = time.time()
            t.kill_instance(name, agent)
            taken.append(1000 * eventually(lambda: t.active_after(killed, agent), "another instance of %s is active" % agent))
        print("%9d %14.1f %8.1f %13.1f %13.1f %11.1f %9.1f %11.1f %11.0f %9.0f"
              % (len(pids), configured, ready, idle[0], idle[1], resident, own, qmgr, statistics.median(taken), max(taken)))
    finally:
        t.close()


def main():
    sys.stdout.reconfigure(line_buffering=True)
    print("== scale: agents with two instances each, on one embedded queue manager; goals for 1,000: ready 60 s, idle 25 %, 10 MiB, 250 ms")
    print("%9s %14s %8s %13s %13s %11s %9s %11s %11s %9s" % ("processes", "configured s", "ready s", "agents' CPU %", "qmgr's CPU %", "RSS MiB", "PSS MiB", "qmgr's MiB",
                                                     "takeover ms", "longest"))
    for processes in SIZES:
        measure(processes)


if __name__ == "__main__":
    main()
