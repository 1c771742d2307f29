"""What an instance does when it starts, by what it finds: the table of the documents, row by row, with the lines of the
log that people look for."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from instances import ACTIVE, EMBEDDED, STANDBY, InstancesTest  # noqa: E402
from processes import eventually  # noqa: E402

SHORT = {"agentQMgrRetryInterval": "1"}


class StartUp(InstancesTest):
    def test_the_first_instance_is_active_and_the_next_ones_stand_by(self):
        t = self.instances(("one", "two", "three")).start_on("one", "two", "three")
        self.assertIn(ACTIVE, t.place["one"].log("SRC"))
        self.assertIn("BFGAG0059I", t.place["one"].log("SRC"))
        for name in ("two", "three"):
            self.assertIn(STANDBY, t.place[name].log("SRC"))
            self.assertIn("BFGAG0191I", t.place[name].log("SRC"))
            self.assertNotIn("BFGAG0059I", t.place[name].log("SRC"))

    def test_a_second_instance_that_is_not_highly_available_waits_for_the_command_queue(self):
        t = self.instances(properties=SHORT, highly_available=False)
        one, two = t.place["one"], t.place["two"]
        one.must("fteStartAgent", "SRC")
        one.wait_for_log("SRC", "BFGAG0059I")
        two.run("fteStartAgent", "-t", "1", "SRC")
        two.wait_for_log("SRC", "BFGMQ1045I: Agent's system queue 'SYSTEM.FTE.COMMAND.SRC' is configured as either NOSHARE or "
                         "DEFSOPT(EXCL).", "BFGAG0035W: The agent received MQI reason code 2042 when trying to open queue "
                         "'SYSTEM.FTE.COMMAND.SRC'", count=2)
        self.assertNotIn("BFGAG0059I", two.log("SRC"))
        t.kill_instance("one", for_good=True)
        two.wait_for_log("SRC", "BFGAG0059I")

    def test_one_that_is_not_highly_available_ends_when_a_highly_available_one_is_active(self):
        t = self.instances()
        t.place["two"].set_properties("SRC", {"highlyAvailable": "false"})
        t.start_on("one")
        two = t.place["two"]
        two.run("fteStartAgent", "-t", "1", "SRC")
        two.wait_for_log("SRC", "BFGAG0194E: An instance of this agent is already running elsewhere. Hence this instance "
                         "cannot continue and will end.")
        eventually(lambda: two.pid("SRC", "controller.pid") is None, "its controller does not start it again")
        self.assertEqual(1, two.log("SRC").count("BFGAG0194E"))
        self.assertIsNone(two.pid("SRC"))

    def test_a_highly_available_one_waits_for_one_that_is_not(self):
        t = self.instances(properties=SHORT)
        one, two = t.place["one"], t.place["two"]
        one.set_properties("SRC", {"highlyAvailable": "false"})
        one.must("fteStartAgent", "SRC")
        one.wait_for_log("SRC", "BFGAG0059I")
        two.run("fteStartAgent", "-t", "1", "SRC")
        two.wait_for_log("SRC", "BFGMQ1045I", "BFGAG0035W")
        self.assertNotIn(ACTIVE, two.log("SRC"))
        t.kill_instance("one", for_good=True)
        t.wait_active("two")

    @unittest.skipUnless(EMBEDDED, "a queue declared otherwise is a conflict on this broker")
    def test_where_a_second_consumer_is_refused_the_wait_is_raised_and_reset(self):
        t = self.instances(properties={"standbyPollInterval": "200", "consumerSleepTime": "700"})
        t.must("fteDeleteQueue", "-m", t.QMGR, "SYSTEM.FTE.HA.SRC")
        t.must("fteDefineQueue", "-m", t.QMGR, "--type", "exclusive", "SYSTEM.FTE.HA.SRC")
        t.start_on("one", "two")
        two = t.place["two"]
        two.wait_for_log("SRC", "BFGAG0912W: The queue 'SYSTEM.FTE.HA.SRC' is in exclusive use by another instance. The "
                         "consumer wait time is increased to 700 ms.")
        self.assertIn(STANDBY, two.log("SRC"))
        t.kill_instance("one", for_good=True)
        t.wait_active("two")
        self.assertEqual(1, two.log("SRC").count("BFGAG0912W"))
        self.assertEqual(1, two.log("SRC").count("BFGAG0913I"))

    def test_combinations_that_make_no_sense_are_refused_with_the_sum(self):
        t = self.instances(("one",), properties={"lockLease": "2000", "lockRenewInterval": "1000",
                                                 "standbyStatusDiscardTime": "599"})
        started = t.run("fteStartAgent", "SRC")
        self.assertEqual(1, started.code, started)
        t.wait_for_log("SRC", "3 x 1000 = 3000 ms", "2 x 300 = 600 s")

    @unittest.skipUnless(EMBEDDED, "nothing is sent to a broker")
    def test_the_scheme_must_be_amqp(self):
        t = self.instances(("one",))
        t.set_properties("SRC", {"agentQMgrHost": "https://broker.example"})
        started = t.run("fteStartAgent", "SRC")
        self.assertEqual(1, started.code, started)
        t.wait_for_log("SRC", "highlyAvailable=true needs a queue manager over AMQP")


if __name__ == "__main__":
    unittest.main(verbosity=2)
