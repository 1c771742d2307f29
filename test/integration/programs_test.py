"""Programs that transfers run at their source agent: each once, whatever dies on the way.

Seen to fail with what they guard taken out: when nothing is recorded before a program begins, it is run again after a
kill (IT33894, IT35398 of the field's product were the same at a second attempt).
"""
import contextlib
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from processes import eventually  # noqa: E402
from topology import Topology, TopologyTest  # noqa: E402


class Programs(TopologyTest):
    PROPERTIES = {"agentQMgrRetryInterval": "1", "transferAckTimeout": "3000", "recoverableTransferRetryInterval": "1000",
                  "senderTransferRetryInterval": "200", "maxRestartCount": "50", "maxCommandWait": "20"}

    @classmethod
    def setUpClass(cls):
        cls.t = Topology(cls.AGENTS, cls.PROPERTIES)
        cls.addClassCleanup(cls.t.close)
        os.makedirs(cls.t.path("programs"))
        cls.t.set_properties("SRC", {"commandPath": "/nowhere:" + cls.t.path("programs")})
        cls.t.start()

    def program(self, name, script):
        """Its own first line in `runs` each time that it is run."""
        path = self.t.path("programs", "%s-%s" % (self.id().rsplit(".", 1)[1], name))
        with open(path, "w") as out:
            out.write("#!/bin/sh\necho $$ > %s\necho %s \"$@\" $BATON_TRANSFER_ID >> %s\n%s\n" % (self.place("pid"), name, self.place("runs"), script))
        os.chmod(path, 0o755)
        os.makedirs(self.place(), exist_ok=True)
        self.addCleanup(self.end_program)
        return os.path.basename(path)

    def end_program(self):
        """One whose agent was killed goes on."""
        with contextlib.suppress(OSError):
            os.killpg(int(self.read(self.place("pid"))), signal.SIGKILL)

    def runs(self):
        return self.read(self.place("runs")).decode().split("\n")[:-1] if os.path.exists(self.place("runs")) else []

    def large(self):
        os.makedirs(self.place("in"), exist_ok=True)
        with open(self.place("in/large"), "wb") as out:
            out.write(os.urandom(16 << 20))
        return self.place("in/large")

    def begin(self, *words):
        return self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", *words))

    def kill_source(self):
        ready = self.t.log("SRC").count("BFGAG0059I")
        os.kill(self.t.pid("SRC"), signal.SIGKILL)
        eventually(lambda: self.t.log("SRC").count("BFGAG0059I") > ready, "SRC is back")

    def test_one_before_and_one_after(self):
        before = self.program("before", "test ! -e " + self.place("out/a"))
        after = self.program("after", "test -e " + self.place("out/a"))
        done = self.t.transfer("-presrc", before + "(a b,c\\,d)", "-postsrc", "executable:" + after, "-df", self.place("out/a"), self.write("a"))
        self.assert_result(0, done)
        self.assertEqual(["before a b c,d " + self.t.id_of(done), "after " + self.t.id_of(done)], self.runs())
        self.assertRegex(self.t.log("SRC"), "BFGTR0043I: Program %s of transfer %s ended with exit code 0 after" % (before, self.t.id_of(done)))

    def test_nothing_moves_when_the_one_before_fails(self):
        before, after = self.program("before", "echo what is wrong; exit 3"), self.program("after", "")
        done = self.t.transfer("-presrc", before, "-postsrc", after, "-df", self.place("out/a"), self.write("a"))
        self.assert_result(40, done)
        self.assertIn("BFGTR0041E: Program %s ended with exit code 3. what is wrong" % before, done.out)
        self.assertFalse(os.path.exists(self.place("out")))
        self.assertEqual(1, len(self.runs()))

    def test_files_stay_when_the_one_after_fails(self):
        done = self.t.transfer("-postsrc", self.program("after", "exit 1"), "-df", self.place("out/a"), self.write("a"))
        self.assert_result(20, done)
        self.assertIn("ended with exit code 1", done.out)
        self.assertEqual(b"content\n", self.read(self.place("out/a")))

    def test_the_one_after_is_left_out_when_files_failed(self):
        after = self.program("after", "")
        self.assert_result(40, self.t.transfer("-postsrc", after, "-df", self.place("out/a"), self.place("missing")))
        self.assertEqual([], self.runs())

    def test_one_that_is_tried_again(self):
        before = self.program("before", "test $(wc -l < %s) = 3" % self.place("runs"))
        self.assert_result(0, self.t.transfer("-presrc", before + ",5,0", "-df", self.place("out/a"), self.write("a")))
        self.assertEqual(3, len(self.runs()))
        self.assert_result(40, self.t.transfer("-presrc", before + ",1", "-df", self.place("out/b"), self.write("a")))
        self.assertEqual(5, len(self.runs()))

    def test_what_may_not_be_run_is_refused(self):
        for bad in ("../../bin/true", "/bin/true", "missing"):
            done = self.t.transfer("-presrc", bad, "-df", self.place("out/a"), self.write("a"))
            self.assert_result(40, done)
            self.assertIn("BFGTR0040E: Program %s cannot be run" % bad, done.out)
        for bad in ("", "antscript:x", "x(y", "x,many"):
            done = self.t.transfer("-presrc", bad, "-df", self.place("out/a"), self.write("a"))
            self.assert_result(1, done)
            self.assertIn("-presrc", done.out)

    def test_it33894_a_second_attempt_does_not_run_it_again(self):
        self.t.set_properties("DST", {"maxDestinationTransfers": "1"})
        self.t.must("fteStopAgent", "-i", "DST")
        self.t.start("DST")
        try:
            first = self.begin("-bw", "4000000", "-df", self.place("out/large"), self.large())
            eventually(lambda: "BFGTR0003I: Transfer " + first in self.t.log("DST"), "the place is taken")
            second = self.begin("-presrc", self.program("before", ""), "-df", self.place("out/a"), self.write("a"))
            eventually(lambda: "BFGTR0012I" in self.t.log("SRC").partition(second)[2], "it has to wait")
            for transfer in (first, second):
                self.assertEqual(0, self.t.items_of(transfer)["resultCode"])
            self.assertEqual(1, len(self.runs()))
        finally:
            self.t.set_properties("DST", {"maxDestinationTransfers": "25"})
            self.t.must("fteStopAgent", "-i", "DST")
            self.t.start("DST")

    def test_it35398_a_takeover_does_not_run_it_again(self):
        before, after = self.program("before", ""), self.program("after", "")
        transfer = self.begin("-presrc", before, "-postsrc", after, "-bw", "6000000", "-df", self.place("out/large"), self.large())
        eventually(lambda: os.path.isdir(self.place("out")) and os.listdir(self.place("out")), "data arrives")
        self.kill_source()
        self.assertEqual(0, self.t.items_of(transfer)["resultCode"])
        self.assertEqual(["before", "after"], [run.split()[0] for run in self.runs()])

    def test_one_that_was_interrupted_before_data_moves_is_not_run_again(self):
        transfer = self.begin("-presrc", self.program("before", "sleep 1000"), "-df", self.place("out/a"), self.write("a"))
        eventually(self.runs, "it runs")
        self.kill_source()
        record = self.t.items_of(transfer)
        self.assertEqual(40, record["resultCode"])
        self.assertIn("BFGTR0042E", record["supplement"])
        self.assertEqual(1, len(self.runs()))
        self.assertFalse(os.path.exists(self.place("out")))

    def test_one_that_was_interrupted_after_all_arrived_is_not_run_again(self):
        transfer = self.begin("-sd", "delete", "-postsrc", self.program("after", "sleep 1000"), "-df", self.place("out/a"), self.write("a"))
        eventually(self.runs, "it runs")
        self.kill_source()
        record = self.t.items_of(transfer)
        self.assertEqual(20, record["resultCode"])
        self.assertIn("BFGTR0042E", record["supplement"])
        self.assertEqual((1, 0), (record["items"], record["failed"]))
        self.assertEqual(1, len(self.runs()))
        self.assertEqual(b"content\n", self.read(self.place("out/a")))

    def test_a_cancelled_transfer_ends_its_program(self):
        transfer = self.begin("-presrc", self.program("before", "sleep 1000"), "-df", self.place("out/a"), self.write("a"))
        eventually(self.runs, "it runs")
        pid = int(self.read(self.place("pid")))
        self.t.must("fteCancelTransfer", "-a", "SRC", transfer)
        self.assertEqual(41, self.t.items_of(transfer)["resultCode"])
        eventually(lambda: not os.path.exists("/proc/%d" % pid), "it has ended")

    def test_an_agent_that_is_stopped_ends_its_program(self):
        transfer = self.begin("-presrc", self.program("before", "sleep 1000"), "-df", self.place("out/a"), self.write("a"))
        eventually(self.runs, "it runs")
        pid = int(self.read(self.place("pid")))
        self.t.must("fteStopAgent", "-i", "SRC")
        eventually(lambda: not os.path.exists("/proc/%d" % pid), "it has ended")
        self.t.start("SRC")
        self.assertEqual(40, self.t.items_of(transfer)["resultCode"])

    def test_one_that_hangs_holds_up_nobody(self):
        hangs = self.begin("-presrc", self.program("before", "sleep 1000"), "-df", self.place("out/a"), self.write("a"))
        eventually(self.runs, "it runs")
        self.assert_result(0, self.t.transfer("-df", self.place("out/b"), self.write("b")))
        record = self.t.items_of(hangs)
        self.assertEqual(40, record["resultCode"])
        self.assertIn("was stopped after 20.0 s (maxCommandWait)", record["supplement"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
