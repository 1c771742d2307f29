"""How an active instance loses its place, and what becomes of it and of its transfers."""
import os
import signal
import sys
import time
import unittest

from proton import Message

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from instances import ACTIVE, EMBEDDED, STANDBY, InstancesTest  # noqa: E402
from link_numbers import Epoch  # noqa: E402
from processes import eventually  # noqa: E402

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
        t = self.instances(properties={"lockLease": "900", "lockRenewInterval": "100"}).start_on("one")
        active_since = time.monotonic()
        t.start_on("two")
        # The first one took over from nobody that it knows, so it cannot vouch for the past before a lease is over.
        eventually(lambda: time.monotonic() - active_since > 1, "a lease is over")
        t.place["one"].must("fteStopAgent", "-i", "SRC")
        t.wait_active("two")
        self.assertIn("BFGAG0916I", t.place["one"].log("SRC"))
        self.assertIn("which has given it back", t.place["two"].log("SRC"))

    def test_a_stop_without_i_lets_transfers_end_first(self):
        t = self.instances(other_agents=("DST",)).start_on("one", "two")
        t.start("DST")
        with open(t.path("large"), "wb") as out:
            out.truncate(1 << 30)
        transfer = t.id_of(t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-df", t.path("out"), t.path("large")))
        t.wait_for_log("DST", transfer)
        t.place["one"].run("fteStopAgent", "-t", "60", "SRC")
        t.wait_active("two")
        self.assertEqual(0, t.items_of(transfer)["resultCode"])
        self.assertNotIn(transfer, t.place["two"].log("SRC"))

    def test_a_paused_instance_does_nothing_with_its_old_epoch_and_says_so(self):
        t = self.instances().start_on("one", "two")
        one = t.place["one"]
        t.pause("one")
        t.wait_active("two")
        t.go_on("one")
        one.wait_for_log("SRC", "BFGAG0914W")
        one.wait_for_log("SRC", STANDBY)

    def test_a_standby_goes_on_when_the_queue_manager_was_away(self):
        t = self.instances(properties=FAST).start_on("one", "two")
        processes = {name: host.pid("SRC") for name, host in t.place.items()}
        t.start_qmgr(t.kill_qmgr())
        # One of them is active again and the other one stands by, whichever.
        eventually(lambda: t.roles("one") >= 2 and t.roles("two") >= 2, "both have a role again")
        self.assertEqual(2, sum(h.log("SRC").count(ACTIVE) for h in t.place.values()))
        # In bindings mode the process ends and competes again as a new one; in client mode it stays and reconnects.
        if EMBEDDED:
            self.assertIn("BFGAG0170W", t.place["one"].log("SRC"))
            self.assertNotEqual(processes["one"], t.place["one"].pid("SRC"))
        self.assertIn("BFGAG0183I", t.place["two"].log("SRC"))
        self.assertEqual(processes["two"], t.place["two"].pid("SRC"))


class DefectsOfTheField(InstancesTest):
    """What IBM's highly available agents got wrong; each with the number of its published defect."""

    def test_it35878_never_two_actives_when_the_queue_manager_comes_back(self):
        """Both reconnect at the same moment, five times: one is active, the epochs rise."""
        t = self.instances(("one", "two", "three"), properties=FAST).start_on("one", "two", "three")
        for round_number in range(5):
            t.start_qmgr(t.kill_qmgr())
            eventually(lambda: len(t.epochs()) >= round_number + 2, "somebody is active again")
        eventually(lambda: sum(1 for n in t.place if t.is_active(n)) == 1, lambda: "one is active: %s" % t.epochs())

    def test_it35599_a_standby_survives_a_queue_manager_that_stops_while_it_asks(self):
        """The queue manager is stopped for good while a standby finds out the version of the active one."""
        t = self.instances(properties=FAST).start_on("one")
        two = t.place["two"]
        process = t.agents_qmgr_pid()
        two.run("fteStartAgent", "-t", "1", "SRC")
        os.kill(process, signal.SIGSTOP)
        two.wait_for_log("SRC", "BFGAG0901I")
        t.kill_qmgr()
        self.addCleanup(self.there_again, t)
        two.wait_for_log("SRC", "BFGAG0902W") if "BFGAG0183I" not in two.log("SRC") else None
        self.assertIsNotNone(two.pid("SRC"), "the standby has not ended")

    def test_it38745_no_cpu_while_disconnected(self):
        t = self.instances(properties={"agentQMgrRetryInterval": "1"}).start_on("one", "two")
        t.kill_qmgr()
        self.addCleanup(self.there_again, t)
        t.place["two"].wait_for_log("SRC", "BFGAG0183I")
        before = {n: cpu_seconds(h.pid("SRC")) for n, h in t.place.items() if n == "two"}
        start = time.monotonic()
        eventually(lambda: time.monotonic() - start > 5, "five seconds")
        for name, seconds in before.items():
            used = (cpu_seconds(t.place[name].pid("SRC")) - seconds) / (time.monotonic() - start)
            self.assertLess(used, 0.02, "share of a processor that %s used" % name)

    def test_it17550_a_record_that_cannot_be_read_stops_nobody(self):
        t = self.instances(other_agents=("DST",)).start_on("one", "two")
        t.start("DST")
        self.spoil_state(t)
        t.wait_for_log("SRC", "BFGSS0034E", count=5)
        self.assertTrue(t.is_active("one"))
        # Nor one that finds them when it takes over.
        t.pause("one")
        self.spoil_state(t)
        t.kill_instance("one", for_good=True)
        two = t.place["two"]
        two.wait_for_log("SRC", ACTIVE)
        two.wait_for_log("SRC", "BFGSS0034E", count=5)
        with open(t.path("in"), "w") as out:
            out.write("x")
        done = two.transfer("-df", t.path("out"), t.path("in"))
        self.assertEqual(0, done.code, done)
        for host in (t, two):
            kept = os.listdir(os.path.join(host.data, "mqft/logs", t.QMGR, "agents/SRC/quarantine"))
            self.assertEqual(5, len(kept))

    @unittest.skipUnless(EMBEDDED, "queues are not taken from a consumer on this broker")
    def test_queues_that_a_dead_instance_still_seems_to_hold_are_taken(self):
        t = self.instances()
        t.launch_on("one")
        t.kill_instance("one")
        zombie = t.stock_client()
        self.addCleanup(zombie.close)
        held = [zombie.create_receiver("SYSTEM.FTE.%s.SRC" % name, name=name, options=Epoch(1)) for name in ("DATA", "COMMAND")]
        t.launch_on("two")
        t.place["two"].wait_for_log("SRC", "BFGAG0059I")
        self.assertNotIn("BFGMQ1045I", t.place["two"].log("SRC"))
        for one in held:
            with self.assertRaisesRegex(Exception, "amqp:link:stolen"):
                one.receive(timeout=5)

    @staticmethod
    def there_again(t):
        """A broker outlives the topology."""
        if t.broker:
            t.broker.start_again()

    def spoil_state(self, t):
        connection = t.stock_client()
        sender = connection.create_sender(t.address("SYSTEM.FTE.STATE.SRC"))
        for subject in ("state.source", "state.destination", "state.plan", "something", ""):
            sender.send(Message(body=b"not a record", subject=subject, durable=True))
        connection.close()


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main(verbosity=2)
