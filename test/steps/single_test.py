"""kill -9 of an agent or of the queue manager just before a step that others can see: a write, a sync, a rename, something
that is sent. Each transfer ends all the same, right and once.

For each case the steps of one transfer are counted first; then it is done again for some of them, chosen at random, and
whoever was killed is started again. BATON_STEPS: how many for each case (5), or all. BATON_TEST_SEED: the same ones again.
"""
import os
import sys
import unittest

from steps import NEVER, PROPERTIES, FromQueue, OfFiles, Sheet, Steps

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from processes import alive, eventually
from topology import Topology


class Single(Steps):
    def setUp(self):
        self.begin_with(Topology(properties=PROPERTIES))
        t = self.t
        self.sheets = {who: Sheet(t.path("steps-" + who)) for who in ("SRC", "DST", "QMGR")}
        self.port = t.qmgr_port()
        t.kill(t.qmgr_pid(), 15)
        eventually(lambda: t.qmgr_pid() is None, "the queue manager has ended")
        for who in ("QMGR", "SRC", "DST"):
            self.begin(who)

    def begin(self, who):
        t, before = self.t, self.t.env
        ready = t.log(who).count("BFGAG0059I")
        t.env = {**before, **self.sheets[who].environment()}
        try:
            if who == "QMGR":
                return t.must("fteStartQMgr", t.QMGR, "-p", str(self.port))
            if who in t.launched:
                t.kill_launched(who)
            t.launch(who)
        finally:
            t.env = before
        t.wait_for_log(who, "BFGAG0059I", count=ready + 1)

    def pid(self, who):
        return self.t.qmgr_pid() if who == "QMGR" else self.t.pid(who)

    def one(self, case, victim, step):
        """One transfer, with the victim killed before that step of its own; whether it was."""
        sheet, pid = self.sheets[victim], self.pid(victim)
        case.prepare()
        # All steps are behind the request, which the command knows to be accepted.
        with self.t.frozen("SRC"):
            transfer = self.send(case)
            sheet.arm(step)
        eventually(lambda: sheet.name() or self.has_ended(transfer), lambda: "it goes on: %s" % self.logs())
        sheet.disarm()
        died = bool(sheet.name())
        if died:
            eventually(lambda: not alive(pid), "it is gone")
            self.begin(victim)
            if victim == "QMGR":  # agents that are not highly available end with it, and their controllers start them again
                for agent in ("SRC", "DST"):
                    self.t.launched[agent].wait(60)
                    self.begin(agent)
        what = "%s killed before its step %d, %s" % (victim, step, sheet.name()) if died else "%s not killed" % victim
        self.assert_arrived(case, transfer, what)
        return died

    def logs(self):
        return "".join("\n--- %s\n%s" % (who, self.t.log(who)[-3000:]) for who in ("SRC", "DST"))

    def each(self, case, victim):
        self.assertFalse(self.one(case, victim, NEVER))
        total = self.sheets[victim].count()
        died = [step for step in self.chosen(total) if self.one(case, victim, step)]
        print("%s of %s: %d steps, killed before %d of them" % (victim, type(case).__name__, total, len(died)), flush=True)
        self.assertTrue(died, "it was killed at all")


class QueueBecomesFile(Single):
    def test_the_reader_dies(self):
        self.each(FromQueue(self), "SRC")

    def test_the_destination_dies(self):
        self.each(FromQueue(self), "DST")

    def test_the_queue_manager_dies(self):
        self.each(FromQueue(self), "QMGR")


class FilesMove(Single):
    def test_the_source_dies(self):
        self.each(OfFiles(self), "SRC")

    def test_the_destination_dies(self):
        self.each(OfFiles(self), "DST")

    def test_the_queue_manager_dies(self):
        self.each(OfFiles(self), "QMGR")


if __name__ == "__main__":
    unittest.main(verbosity=2)
