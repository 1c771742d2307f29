"""How long an agent is without an active instance, and a transfer without data, when the active one dies, is stopped or
freezes; and what a standby costs while it waits. All properties as they are by default.

One file of 2 GiB moves from SRC to DST, again and again. SRC has two instances, then DST. Times are seen from outside:
from the signal to the line in the log of the other instance, and to the first byte at the destination behind the place where
the transfer goes on.

BATON_BENCH_RUNS: kills (50); a tenth as many processes are frozen, since each freeze takes seconds.
BATON_BROKER=KIND, BATON_BROKER_NAME=NAME: on one that scripts/broker started.
"""
import os
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from instances import EMBEDDED, KIND, Instances, LargeTransfer, write_large
from processes import BIN, eventually

RUNS = int(os.environ.get("BATON_BENCH_RUNS", "50"))
SIZE = int(2 * 1024**3 * float(os.environ.get("BATON_BENCH_SCALE", "1")))
IDLE_S = 20
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class NewLines:
    """What is appended to the logs of an agent's instances, read once."""

    def __init__(self, hosts, agent):
        self.files = {host.home(agent, "logs", "output0.log"): 0 for host in hosts}
        self.read()

    def read(self):
        text = ""
        for path, seen in self.files.items():
            with open(path, errors="replace") as log:
                log.seek(seen)
                text += log.read()
                self.files[path] = log.tell()
        return text


class Bench:
    """`broker`: see brokers.py. With one that fails nobody can wait for the transfer: `waits` is false."""

    def __init__(self, agent, broker=None, waits=True):
        self.agent, self.waits = agent, waits
        self.other = "DST" if agent == "SRC" else "SRC"
        self.t = Instances(agents=(agent,), other_agents=(self.other,), broker=broker)
        self.t.launch_on("one", "two", agent=agent)
        self.t.start(self.other)
        self.checksum = write_large(self.t.path("in/large"), SIZE)
        self.transfer = None

    def close(self):
        if self.transfer:
            self.transfer.close()
        self.t.close()

    def under_way(self):
        """A transfer that has moved some data and has still some to move."""
        while True:
            if self.transfer is None or not self.transfer.under_way() or self.transfer.bytes() > SIZE * 0.8:
                self.end_transfer()
                self.transfer = LargeTransfer(self.t, self.t.path("in/large"), SIZE, self.checksum, waits=self.waits)
            if self.transfer.until_it_has(self.transfer.bytes() + SIZE // 50) and self.transfer.part():
                return

    def end_transfer(self):
        if self.transfer is None:
            return
        faults = self.transfer.faults_at_the_end()
        self.transfer.close()
        self.transfer = None
        if faults:
            raise RuntimeError("\n".join(faults) + self.t.tails("SRC") + self.t.tails("DST"))

    def measure(self, disturb):
        """(seconds to active, seconds to the first byte) of one disturbance in the middle of a transfer."""
        self.under_way()
        name = self.t.wait_for_an_active(self.agent)
        lines = NewLines(self.t.place.values() if self.agent == "DST" else [self.t], "DST")
        began = time.time()
        disturb(name)
        resumed = self.first_byte(lines, began)
        active = eventually(lambda: self.t.active_after(began, self.agent), "another instance says that it is active")
        return active, resumed

    def first_byte(self, lines, began):
        """None when the transfer has ended before."""
        seen = ""

        def goes_on():
            nonlocal seen
            seen += lines.read()
            return "BFGTR0027I" in seen or not self.transfer.under_way()

        eventually(goes_on, lambda: "the transfer goes on: %s" % self.t.tails(self.agent))
        part = self.transfer.part()

        def written():
            now = self.transfer.part()
            return now is None or part is None or now.st_mtime_ns != part.st_mtime_ns

        eventually(written, "data arrives")
        return time.time() - began if part else None

    def again(self, name):
        """The instance that went comes back as a standby."""
        self.t.launch_on(name, agent=self.agent)

    def kills(self):
        def kill(name):
            self.killed = name
            self.t.kill_instance(name, self.agent)
        found = []
        for _ in range(RUNS):
            found.append(self.measure(kill))
            self.again(self.killed)
        return found

    def handovers(self):
        def stop(name):
            self.stopped = name
            self.command = subprocess.Popen([os.path.join(BIN, "fteStopAgent"), "-i", self.agent], env=self.t.place[name].env,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        found = []
        for _ in range(RUNS):
            found.append(self.measure(stop))
            self.command.wait()
            self.t.place[self.stopped].launched.pop(self.agent).wait()
            self.again(self.stopped)
        return found

    def freezes(self):
        def freeze(name):
            self.frozen = name
            self.t.pause(name, self.agent)
        found = []
        for _ in range(max(RUNS // 10, 1)):
            found.append(self.measure(freeze))
            roles = self.t.roles(self.frozen, self.agent)
            self.t.go_on(self.frozen, self.agent)
            eventually(lambda: self.t.roles(self.frozen, self.agent) > roles, "it stands by")
        return found

    def standby(self):
        """(CPU in percent over a while, RSS, PSS and private memory in MiB, threads) of a process that only waits."""
        self.end_transfer()
        active = self.t.wait_for_an_active(self.agent)
        name = next(name for name in self.t.place if name != active)
        self.t.kill_instance(name, self.agent)
        self.again(name)
        pid = self.t.place[name].pid(self.agent)
        before, began = cpu_seconds(pid), time.monotonic()
        eventually(lambda: time.monotonic() - began >= IDLE_S, "some idle time", IDLE_S + 10)
        used = (cpu_seconds(pid) - before) / (time.monotonic() - began) * 100
        return (used,) + memory(pid)


def cpu_seconds(pid):
    """By the scheduler's own count, which is finer than the ticks of stat; of all threads."""
    total = 0
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, thread)) as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def memory(pid):
    with open("/proc/%d/smaps_rollup" % pid) as rollup:
        kib = {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB", rollup.read(), re.M)}
    with open("/proc/%d/status" % pid) as status:
        threads = int(re.search(r"Threads:\s+(\d+)", status.read()).group(1))
    return kib["Rss"] / 1024, kib["Pss"] / 1024, (kib["Private_Clean"] + kib["Private_Dirty"]) / 1024, threads


def show(what, taken, goal=""):
    taken = sorted(one for one in taken if one is not None)
    if not taken:
        return print("%-52s none" % what)
    late = taken[min(int(len(taken) * 0.99), len(taken) - 1)]
    print("%-52s %7.0f  %7.0f  %7.0f  %4d  %s" % (what, statistics.median(taken) * 1e3, late * 1e3, taken[0] * 1e3, len(taken), goal))


def main():
    sys.stdout.reconfigure(line_buffering=True)
    print("== takeover: %s, in milliseconds" % KIND)
    print("%-52s %7s  %7s  %7s  %4s  %s" % ("", "median", "p99", "least", "n", "goal of the median"))
    goals = ("50", "100") if EMBEDDED else ("300", "")
    for agent in ("SRC", "DST"):
        bench = Bench(agent)
        try:
            for word, found, goal in (("kill -9 of", bench.kills(), goals), ("fteStopAgent -i of", bench.handovers(), ("", "")),
                                      ("SIGSTOP of", bench.freezes(), ("5000", ""))):
                show("%s the active %s, to active" % (word, agent), [one[0] for one in found], goal[0])
                show("%s the active %s, to the first byte" % (word, agent), [one[1] for one in found], goal[1])
            if agent == "SRC":
                print("a standby of SRC over %d s: %.3f %% CPU (goal 0.1), RSS %.1f MiB (goal 10), PSS %.1f MiB, private %.1f MiB, "
                      "%d threads" % ((IDLE_S,) + bench.standby()))
        finally:
            bench.close()


if __name__ == "__main__":
    main()
