"""How long a transfer stands still when the queue manager that its agents are on is killed and another one with the same
state takes over: the takeover of the queue manager itself, and from then until data arrives again. All properties of agents
as they are by default; the source agent has two instances.

A file of 2 GiB moves from SRC to DST, again and again. In each round the member that serves is killed with kill -9; that another
one serves is seen by connecting to it, that data arrives by the part file. Then the killed one comes back.

BATON_BENCH_ROUNDS: rounds for each kind (10). BATON_BENCH_GROUPS: of embedded, artemis; both unless said.
"""
import os
import statistics
import sys
import threading
import time

import takeover_bench
from broker_groups import ArtemisPair, QmgrInstances
from processes import eventually

ROUNDS = int(os.environ.get("BATON_BENCH_ROUNDS", "10"))
GOAL_MS = 2000
GROUPS = {"embedded": (QmgrInstances, {"instanceLease": 5000, "instanceRenewInterval": 1000}, "three instances of the embedded one"),
          "artemis": (ArtemisPair, {}, "Artemis live and backup, one store")}


class Failovers(takeover_bench.Bench):
    def __init__(self, group):
        self.group = group
        super().__init__("SRC", group, waits=False)

    def watch(self):
        """From the kill until another member serves."""
        eventually(lambda: any(self.group.serves(number) for number in self.group.ports if number != self.gone), "another member serves")
        self.served = time.time()

    def round(self):
        """(seconds until another member served, from then until data arrived)."""
        def kill(_):
            self.gone = self.group.serving()
            self.killed = time.time()
            self.group.kill(self.gone)
            self.watcher = threading.Thread(target=self.watch)
            self.watcher.start()
        _, resumed = self.measure(kill)
        self.watcher.join()
        return self.served - self.killed, self.killed + resumed - self.served if resumed else None

    def back(self):
        before = self.t.log("DST").count("BFGAG0059I")
        self.group.start(self.gone)
        if self.group.FAILS_BACK:
            eventually(lambda: self.group.serving() == self.gone and self.t.log("DST").count("BFGAG0059I") > before, "agents are at the first again")
        self.t.wait_for_an_active()


def show(what, taken, goal=""):
    taken = sorted(one * 1e3 for one in taken)
    print("%-64s %7.0f  %7.0f  %7.0f  %4d  %s" % (what, statistics.median(taken), taken[-1], taken[0], len(taken), goal))


def main():
    sys.stdout.reconfigure(line_buffering=True)
    print("== broker-failover, in milliseconds")
    print("%-64s %7s  %7s  %7s  %4s  %s" % ("", "median", "max", "least", "n", "goal"))
    for word in os.environ.get("BATON_BENCH_GROUPS", ",".join(GROUPS)).split(","):
        make, properties, what = GROUPS[word]
        group = make(**properties)
        try:
            bench = Failovers(group)
            try:
                found = []
                for _ in range(ROUNDS):
                    found.append(bench.round())
                    bench.back()
                bench.end_transfer()
            finally:
                bench.close()
        finally:
            group.close()
        show(what + ": kill -9 until another serves", [one[0] for one in found])
        show(what + ": from then until data arrives", [one[1] for one in found if one[1] is not None], GOAL_MS)


if __name__ == "__main__":
    main()
