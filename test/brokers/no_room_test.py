"""A queue manager that has no room: its disk is full, or a limit makes senders wait or refuses what they send. The agent says
once what is the matter and what to do, tries again after waits that are bounded, and goes on in the same process when it
is mended; so does what was under way.

Seen to fail with an agent that does not watch what becomes of what it sends."""
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from brokers import KIND, KINDS, SCRIPT, broker
from instances import Instances
from processes import ROOT, alive, eventually
from small_disk import SmallDisk

BROKER = broker()
PROPERTIES = {"agentQMgrRetryInterval": "1", "transferAckTimeout": "3000", "recoverableTransferRetryInterval": "1000", "maxRestartCount": "50"}
DISK_MIB = {"embedded": 60, "rabbitmq": 60, "artemis": 300, "qpid": 600}
NOT_TAKEN, TAKEN = "BFGAG0940W: Queue manager", "BFGAG0941I"
ADVICE = "See whether its disk or its memory is full, and the limits of the queue."


class NoRoom(unittest.TestCase):
    def start(self, on):
        self.t = Instances(("one",), ("SRC", "DST"), PROPERTIES, highly_available=True, broker=on)
        self.addCleanup(self.t.close)

    def begin(self):
        """A transfer that takes some seconds; data has arrived."""
        with open(self.t.path("large"), "wb") as out:
            out.write(os.urandom(12 << 20))
        done = self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-bw", str(2 << 20), "-df", self.t.path("out/large"), self.t.path("large"))
        eventually(lambda: os.path.isdir(self.t.path("out")) and os.listdir(self.t.path("out")), "data arrives")
        self.transfer = self.t.id_of(done)

    def restart_source(self):
        """A new process, which finds what is the matter, also where an old connection has credit left; its pid."""
        before = self.t.pid("SRC")
        os.kill(before, 9)
        eventually(lambda: not alive(before), "it has ended")
        self.earlier = len(self.t.log("SRC"))
        return eventually(lambda: self.t.pid("SRC"), "the controller starts it again")

    def said(self):
        """By the new process."""
        return self.t.log("SRC")[self.earlier:]

    def assert_told(self, pid, *how):
        eventually(lambda: NOT_TAKEN in self.said(), lambda: "%s: %s" % (NOT_TAKEN, self.said()))
        line = next(line for line in self.said().splitlines() if NOT_TAKEN in line)
        for word in ("SYSTEM.FTE.", ADVICE, *how):
            self.assertIn(word, line)
        self.assertEqual(pid, self.t.pid("SRC"), "it goes on trying")

    def assert_goes_on(self, pid):
        eventually(lambda: TAKEN in self.said(), lambda: "%s: %s" % (TAKEN, self.said()))
        record = self.t.items_of(self.transfer)
        self.assertEqual(0, record["resultCode"], str(record) + self.t.log("SRC")[-3000:])
        subprocess.run(["cmp", self.t.path("large"), self.t.path("out/large")], check=True)
        self.assertEqual(["large"], os.listdir(self.t.path("out")))
        self.assertEqual(pid, self.t.pid("SRC"), "it was not started again")
        log = self.said()
        self.assertEqual((1, 1), (log.count(NOT_TAKEN), log.count(TAKEN)), log[-5000:])
        self.assertEqual(0, self.t.transfer("-df", self.t.path("next"), self.t.path("large")).code)

    def asks_in_vain(self, code, *words):
        asked = self.t.run("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-w", "20", "-df", self.t.path("refused"), self.t.path("large"))
        self.assertEqual(code, asked.code, repr(asked))
        for word in words:
            self.assertIn(word, asked.out)


@unittest.skipUnless(os.geteuid() == 0, "mounting needs root")
class FullDisk(NoRoom):
    def of_a_broker(self):
        name = BROKER.name + "-small"
        home = os.path.join(ROOT, "build/brokers", KIND, name)
        shutil.rmtree(home, ignore_errors=True)
        self.addCleanup(shutil.rmtree, home, ignore_errors=True)
        self.disk = SmallDisk(self, os.path.join(home, BROKER.data), DISK_MIB[KIND])
        subprocess.run([SCRIPT, KIND, "start", name], check=True, capture_output=True, timeout=150, env=dict(os.environ, BATON_ARTEMIS_DISK_PERCENT="90"))
        self.addCleanup(subprocess.run, [SCRIPT, KIND, "stop", name], timeout=150)
        on = KINDS[KIND](name)
        self.start(on)
        self.t.start()
        return on

    @unittest.skipUnless(KIND in ("artemis", "qpid"), "other kinds than Artemis and Broker-J do not stop before their disk is full")
    def test_one_that_stops_senders_before_its_disk_is_full(self):
        self.of_a_broker()
        self.begin()
        self.disk.fill_to(0.95)
        # Artemis looks every 5 s, Broker-J every 30 s.
        eventually(lambda: self.t.run("ftePingAgent", "-w", "2", "SRC").code != 0, "it takes nothing")
        pid = self.restart_source()
        self.assert_told(pid, "it has not answered for one in 2.0 s")
        self.asks_in_vain(2, "BFGCL0903E: SYSTEM.FTE.COMMAND.SRC: the queue manager is connected and has not taken the message within 5000 ms", "disk")
        self.disk.empty()
        self.assert_goes_on(pid)

    @unittest.skipUnless(KIND == "rabbitmq", "only RabbitMQ ends when its disk is full")
    def test_one_that_ends_when_its_disk_is_full(self):
        on = self.of_a_broker()
        self.begin()
        pid, ending = self.t.pid("SRC"), on.pid()
        self.disk.fill()
        self.t.wait_for_log("SRC", "BFGAG0902W")
        eventually(lambda: not alive(ending), "it has ended")
        self.disk.empty()
        on.start_again()
        record = self.t.items_of(self.transfer)
        self.assertEqual(0, record["resultCode"], str(record) + self.t.log("SRC")[-3000:])
        subprocess.run(["cmp", self.t.path("large"), self.t.path("out/large")], check=True)
        self.assertEqual(pid, self.t.pid("SRC"), "it was not started again")

    @unittest.skipUnless(KIND == "embedded", "the embedded queue manager refuses messages when its disk is full")
    def test_one_that_refuses_messages_when_its_disk_is_full(self):
        self.start(None)
        store, copy = self.t.path("data/qmgrs", self.t.QMGR), self.t.path("copy")
        self.t.must("fteStopQMgr", "-i", self.t.QMGR)
        eventually(lambda: self.t.qmgr_pid() is None, "it has ended")
        shutil.copytree(store, copy)
        self.disk = SmallDisk(self, store, DISK_MIB[KIND])
        self.addCleanup(self.t.close)  # before its disk goes, where the queue manager's pid is
        shutil.copytree(copy, store, dirs_exist_ok=True)
        self.t.must("fteStartQMgr", self.t.QMGR, "-p", "0")
        self.t.start()
        self.begin()
        self.disk.fill()
        pid = self.restart_source()
        self.assert_told(pid, "it refuses them")
        self.asks_in_vain(1, "the queue manager refused the message", "disk")
        self.disk.empty()
        self.assert_goes_on(pid)


class Limits(NoRoom):
    def limited(self, policy, how):
        self.start(BROKER)
        BROKER.limit()
        self.t.start()
        self.begin()
        self.addCleanup(BROKER.limit)
        BROKER.limit(maxSizeBytes=2, pageSizeBytes=1, addressFullMessagePolicy=policy)
        pid = self.restart_source()
        self.assert_told(pid, how)
        BROKER.limit(maxSizeBytes=-1, pageSizeBytes=10485760, addressFullMessagePolicy="PAGE")
        self.assert_goes_on(pid)

    @unittest.skipUnless(KIND == "artemis", "only Artemis has limits that stop senders or refuse messages")
    def test_a_full_address_that_lets_senders_wait(self):
        self.limited("BLOCK", "it has not answered for one in 2.0 s")

    @unittest.skipUnless(KIND == "artemis", "only Artemis has limits that stop senders or refuse messages")
    def test_a_full_address_that_refuses_messages(self):
        self.limited("FAIL", "SYSTEM.FTE.")

    @unittest.skipUnless(KIND == "rabbitmq", "only RabbitMQ has alarms that stop nobody")
    def test_alarms_of_rabbitmq_stop_no_sender_of_amqp_1(self):
        """RabbitMQ 3.10 means to stop senders when it is short of memory or disk, and does not stop these: when this fails a
        newer one does, and is to be tested as the others are."""
        self.start(BROKER)
        self.t.start()
        for words, mended in ((("set_disk_free_limit", "100000000000000"), ("set_disk_free_limit", "50000000")),
                              (("set_vm_memory_high_watermark", "0.00001"), ("set_vm_memory_high_watermark", "0.4"))):
            self.addCleanup(BROKER.control, *mended)
            BROKER.control(*words)
            self.begin()
            self.assertEqual(0, self.t.items_of(self.transfer)["resultCode"])
            os.unlink(self.t.path("out/large"))
            BROKER.control(*mended)
        self.assertNotIn(NOT_TAKEN, self.t.log("SRC"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
