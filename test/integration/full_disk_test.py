"""A full disk under what an agent and its queue manager keep for themselves: what cannot be begun is refused, what was
accepted goes on when there is room again, and nobody has to start anything again. (A full destination: room_test.py.)"""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from processes import BIN, eventually, pass_time  # noqa: E402
from small_disk import SmallDisk  # noqa: E402
from topology import Topology  # noqa: E402


@unittest.skipUnless(os.geteuid() == 0, "mounting needs root")
class FullDisk(unittest.TestCase):
    def topology(self):
        t = Topology(properties={"agentQMgrRetryInterval": "1", "recoverableTransferRetryInterval": "1000", "transferAckTimeout": "3000"})
        self.addCleanup(t.close)
        return t

    def source(self, t, count=3, size=5000):
        os.makedirs(t.path("in"), exist_ok=True)
        for i in range(count):
            with open(t.path("in/%04d%s" % (i, "x" * 100)), "wb") as out:
                out.write(os.urandom(size))
        return t.path("in/*")

    def assert_same(self, t, out):
        done = subprocess.run(["diff", "-r", t.path("in"), out], capture_output=True, text=True)
        self.assertEqual((0, ""), (done.returncode, done.stdout[:1000]))

    def test_a_plan_that_has_no_room_fails_its_transfer_alone(self):
        t = self.topology()
        disk = SmallDisk(self, t.home("SRC", "transfers"), 1)
        t.start()
        disk.fill()
        before = t.pid("SRC")
        refused = t.transfer("-dd", t.path("out"), self.source(t, 50, 10))
        self.assertEqual(40, t.items_of(t.id_of(refused))["resultCode"], repr(refused))
        self.assertIn("No space left", refused.out)
        disk.empty()
        self.assertEqual(0, t.transfer("-dd", t.path("out"), t.path("in/*")).code)
        self.assert_same(t, t.path("out"))
        self.assertEqual(before, t.pid("SRC"))

    def is_lost(self, t, source, i):
        """The end of a transfer, from the log."""
        done = t.transfer("-dd", t.path("out%d" % i), source)
        self.assertEqual(0, done.code, repr(done))
        return "BFGTR0002I: Transfer " + t.id_of(done) not in t.log("SRC")

    def test_a_log_that_has_no_room_stops_nothing_and_goes_on(self):
        t = self.topology()
        disk = SmallDisk(self, t.home("SRC", "logs"), 1)
        t.start()
        disk.fill()
        source = self.source(t)
        self.assertTrue(any(self.is_lost(t, source, i) for i in range(30)), "what there is room for on the last page comes to its end")
        disk.empty()
        seen = t.transfer("-dd", t.path("last"), source)
        self.assertEqual(0, seen.code, repr(seen))
        t.wait_for_log("SRC", "BFGTR0002I: Transfer " + t.id_of(seen))

    def test_a_host_that_is_full_goes_on_with_room(self):
        mounted = tempfile.mkdtemp(prefix="baton-test-")
        self.addCleanup(os.rmdir, mounted)
        disk = SmallDisk(self, mounted, 200)
        whole, tempfile.tempdir = tempfile.gettempdir(), mounted
        self.addCleanup(setattr, tempfile, "tempdir", whole)
        t = self.topology()
        tempfile.tempdir = whole
        t.start()
        source = self.source(t, 20, 1 << 20)
        accepted = t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-bw", "4000000", "-dd", t.path("out"), source)
        eventually(lambda: os.path.isdir(t.path("out")) and len(os.listdir(t.path("out"))) > 2, "data arrives")
        disk.fill()
        asked = subprocess.Popen([os.path.join(BIN, "fteCreateTransfer"), "-sa", "SRC", "-da", "DST", "-w", "-dd",
                                  t.path("out2"), source], env=t.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        pass_time(6)
        disk.empty()
        record = t.items_of(t.id_of(accepted))
        self.assertEqual(0, record["resultCode"], str(record)[:2000] + t.log("SRC")[-2000:] + t.log("DST")[-2000:])
        self.assert_same(t, t.path("out"))
        self.assertEqual(20, len(record["items_list"]))
        said, _ = asked.communicate(timeout=120)
        # It was accepted, or refused with a reason; either way the next one is served.
        self.assertTrue(asked.returncode == 0 or "BFG" in said, said)
        self.assertEqual(0, t.transfer("-dd", t.path("out3"), source).code)
        self.assert_same(t, t.path("out3"))


class FullQueue(unittest.TestCase):
    """The queue for records takes no more: what was asked for meanwhile is taken when it does.

    Seen to fail with what it guards taken out: when a refused record is not offered again, its request lies on COMMAND for ever."""

    def test_requests_whose_records_are_refused_go_on_when_there_is_room(self):
        t = Topology(properties={"maxSourceTransfers": "1"})
        self.addCleanup(t.close)
        t.start()
        t.must("fteStopAgent", "-i", "SRC")
        t.must("fteDeleteQueue", "-m", t.QMGR, "SYSTEM.FTE.STATE.SRC")
        t.must("fteDefineQueue", "-m", t.QMGR, "-type", "exclusive", "-max", "5", "SYSTEM.FTE.STATE.SRC")
        t.start("SRC")
        with open(t.path("in"), "wb") as out:
            out.write(os.urandom(3 << 20))

        def ask(name, *words):
            return t.id_of(t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", *words, "-df", t.path("out", name), t.path("in")))
        slow = ask("slow", "-bw", str(1 << 19))
        eventually(lambda: os.path.isdir(t.path("out")) and os.listdir(t.path("out")), "data moves")
        behind = [ask(str(i)) for i in range(5)]
        t.must("ftePingAgent", "SRC")  # behind the requests
        refused = lambda one: "BFGSS0901E: The queue manager did not keep a record of transfer " + one in t.log("SRC")  # noqa: E731
        self.assertEqual([False, True], [refused(behind[0]), refused(behind[-1])], t.log("SRC")[-3000:])
        for one in behind[:2]:
            t.must("fteCancelTransfer", "-a", "SRC", one)
        for one in [slow] + behind[2:]:
            record = t.items_of(one)
            self.assertEqual(0, record["resultCode"], str(record)[:1000] + t.log("SRC")[-3000:])


if __name__ == "__main__":
    unittest.main(verbosity=2)
