"""kill -9 of the active instance of an agent just before one of its steps, and then of the instance that took over before one
of its own, while it adopts what the first one left or goes on with it. Each transfer ends all the same, right and once.

BATON_STEPS and BATON_TEST_SEED as in single_test.py; with `all` each step of the first, and one by chance of the second.
"""
import os
import sys
import unittest

from steps import NEVER, PROPERTIES, FromQueue, OfFiles, Sheet, Steps

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from instances import Instances
from processes import eventually

NAMES = ("one", "two")
QUICK_LEASE = {"lockLease": "1000", "lockRenewInterval": "200", "agentQMgrIdleTimeout": "2000"}


class Pairs(Steps):
    def setUp(self):
        self.begin_with(Instances(NAMES, agents=("SRC", "DST"), properties={**PROPERTIES, **QUICK_LEASE}))
        self.sheets = {(agent, name): Sheet(self.t.path("steps-%s-%s" % (agent, name))) for agent in ("SRC", "DST") for name in NAMES}
        for agent, name in self.sheets:
            self.begin(agent, name)

    def begin(self, agent, name):
        host = self.t.place[name]
        before = host.env
        host.env = {**before, **self.sheets[agent, name].environment()}
        try:
            if agent in host.launched:
                host.kill_launched(agent)
            self.t.launch_on(name, agent=agent)
        finally:
            host.env = before

    def begin_dead(self, agent):
        """Those that were killed, as standbys; how they died."""
        died = []
        for name in NAMES:
            if self.t.place[name].launched[agent].poll() is not None:
                sheet = self.sheets[agent, name]
                sheet.disarm()
                died.append("%s of %s before its step %d, %s" % (name, agent, sheet.count(), sheet.name()))
                self.begin(agent, name)
        return died

    def one(self, case, agent, first, second):
        """A transfer with the active instance killed before its step `first`, and the next one before its step `second`;
        how they died, and how many steps the second one had."""
        active = self.t.wait_for_an_active(agent)
        standby = next(name for name in NAMES if name != active)
        case.prepare()
        died = []
        source = self.t.place[self.t.wait_for_an_active("SRC")]
        with source.frozen("SRC"):
            transfer = self.send(case)
            self.sheets[agent, active].arm(first)
            self.sheets[agent, standby].arm(second)
        def ended():
            died.extend(self.begin_dead(agent))
            return self.has_ended(transfer)
        eventually(ended, lambda: "%s: it goes on: %s" % (died, self.logs()))
        for name in NAMES:
            self.sheets[agent, name].disarm()
        died.extend(self.begin_dead(agent))
        self.assert_arrived(case, transfer, died)
        return died, self.sheets[agent, standby].count()

    def logs(self):
        return self.t.tails("SRC") + self.t.tails("DST")

    def each(self, case, agent):
        self.assertEqual([], self.one(case, agent, NEVER, NEVER)[0])
        total = max(self.sheets[agent, name].count() for name in NAMES)
        kills = 0
        for step in self.chosen(total):
            died, steps = self.one(case, agent, step, NEVER)
            kills += len(died)
            if died and steps:
                kills += len(self.one(case, agent, step, self.order.randint(1, steps))[0])
        print("%s of %s: %d steps, %d kills" % (agent, type(case).__name__, total, kills), flush=True)
        self.assertTrue(kills, "it was killed at all")


class QueueBecomesFile(Pairs):
    def test_the_readers_die(self):
        self.each(FromQueue(self), "SRC")

    def test_the_destinations_die(self):
        self.each(FromQueue(self), "DST")


class FilesMove(Pairs):
    def test_the_sources_die(self):
        self.each(OfFiles(self), "SRC")

    def test_the_destinations_die(self):
        self.each(OfFiles(self), "DST")


if __name__ == "__main__":
    unittest.main(verbosity=2)
