"""How an active instance loses its place, and what becomes of it and of its transfers."""
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from instances import ACTIVE, RABBITMQ, STANDBY, InstancesTest  # noqa: E402

FAST = {"transferAckTimeout": "3000", "recoverableTransferRetryInterval": "1000", "agentQMgrRetryInterval": "1"}


class Loss(InstancesTest):
    def test_a_killed_active_instance_is_replaced_and_comes_back_as_standby(self):
        t = self.instances().start_on("one", "two")
        t.kill_instance("one")
        t.wait_active("two")
        t.place["one"].wait_for_log("SRC", STANDBY)
        t.kill_instance("two")
        t.wait_active("one", count=2)

    def test_stop_at_once_hands_over_without_any_wait(self):
        t = self.instances().start_on("one", "two")
        t.place["one"].must("fteStopAgent", "-i", "SRC")
        t.wait_active("two")
        self.assertIn("BFGAG0916I", t.place["one"].log("SRC"))
        self.assertIn("which has given it back", t.place["two"].log("SRC"))

    def test_a_paused_instance_does_nothing_with_its_old_epoch_and_says_so(self):
        t = self.instances().start_on("one", "two")
        one = t.place["one"]
        process = one.pid("SRC")
        os.kill(process, signal.SIGSTOP)
        t.wait_active("two")
        os.kill(process, signal.SIGCONT)
        one.wait_for_log("SRC", "BFGAG0914W")
        one.wait_for_log("SRC", STANDBY)

    def test_a_standby_goes_on_when_the_queue_manager_was_away(self):
        if RABBITMQ:
            self.skipTest("the broker is shared by the tests")
        t = self.instances(properties=FAST).start_on("two")
        t.start_qmgr(t.kill_qmgr())  # the same port again, as a queue manager has it
        t.wait_active("two", count=2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
