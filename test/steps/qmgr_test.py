"""kill -9 of the queue manager just before a step of an agent; it is started again, and the transfer ends all the same, right and
once. What was on its way is given to the next activation once more, or never came.

BATON_STEPS and BATON_TEST_SEED as in single_test.py. BATON_BROKER: which kind of queue manager.
"""
import os
import sys
import unittest

from steps import NEVER, PROPERTIES, FromQueue, OfFiles, Sheet, Steps

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from instances import Instances
from processes import alive, eventually

AGENTS = ("SRC", "DST")


class QueueManagerDies(Steps):
    def setUp(self):
        self.begin_with(Instances(("one",), agents=AGENTS, properties={**PROPERTIES, "lockLease": "1000", "lockRenewInterval": "200", "agentQMgrIdleTimeout": "2000"}))
        self.sheets = {}
        for agent in AGENTS:
            sheet = self.sheets[agent] = Sheet(self.t.path("steps-" + agent))
            before = self.t.env
            self.t.env = {**before, **sheet.environment()}
            self.t.start_on("one", agent=agent)
            self.t.env = before

    def start_dead(self, pid, port):
        eventually(lambda: not alive(pid), "it is gone")
        if not self.t.broker:
            eventually(lambda: self.t.qmgr_pid() is None, "nobody has its files")
        self.t.start_qmgr(port)

    def one(self, case, agent, step):
        """One transfer, with the queue manager killed before that step of the agent; whether it was."""
        for one in AGENTS:
            self.t.wait_for_an_active(one)
        case.prepare()
        sheet, pid, port = self.sheets[agent], self.t.agents_qmgr_pid(), self.t.agents_qmgr_port()
        with self.t.frozen("SRC"):
            transfer = self.send(case)
            sheet.arm(step, pid)
        eventually(lambda: sheet.name() or self.has_ended(transfer), lambda: "it goes on: %s" % self.logs())
        sheet.disarm()
        died = bool(sheet.name())
        if died:
            self.start_dead(pid, port)
        what = "the queue manager killed before step %d of %s, %s" % (step, agent, sheet.name()) if died else "nobody killed"
        self.assert_arrived(case, transfer, what)
        return died

    def logs(self):
        return self.t.tails("SRC", 5000) + self.t.tails("DST", 5000)

    def each(self, case, agent):
        self.assertFalse(self.one(case, agent, NEVER))
        total = self.sheets[agent].count()
        died = [step for step in self.chosen(total) if self.one(case, agent, step)]
        print("%s of %s: %d steps, the queue manager killed before %d of them" % (agent, type(case).__name__, total, len(died)), flush=True)
        self.assertTrue(died, "it was killed at all")

    def test_at_a_step_of_the_source(self):
        self.each(OfFiles(self), "SRC")

    def test_at_a_step_of_the_destination(self):
        self.each(OfFiles(self), "DST")

    def test_at_a_step_of_the_reader_of_a_queue(self):
        self.each(FromQueue(self), "SRC")

    def test_at_a_step_of_the_destination_of_messages(self):
        self.each(FromQueue(self), "DST")


if __name__ == "__main__":
    unittest.main(verbosity=2)
