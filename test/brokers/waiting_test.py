"""A command that waits for its transfer (-w) while the queue manager is killed and started again: it tells the true result
all the same, within the time that it was given. BATON_BROKER: on another kind of queue manager.

Seen to fail with a command that ends when its connection is lost."""
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from instances import EMBEDDED, Instances  # noqa: E402
from processes import BIN, DEADLINE_S, eventually  # noqa: E402

PROPERTIES = {"agentQMgrRetryInterval": "1", "transferAckTimeout": "3000", "recoverableTransferRetryInterval": "1000", "maxRestartCount": "50"}


class Waiting(unittest.TestCase):
    def setUp(self):
        self.t = Instances(("one",), ("SRC", "DST"), PROPERTIES, highly_available=False)
        self.addCleanup(self.t.close)
        self.t.start()
        for i in range(4):
            path = self.t.path("in/f%d" % i)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(os.urandom(2 << 20))

    def begin(self, *words):
        """A transfer that takes some seconds; it is under way."""
        command = subprocess.Popen([os.path.join(BIN, "fteCreateTransfer"), "-sa", "SRC", "-da", "DST", "-r", "-bw", str(2 << 20), *words,
                                    "-dd", self.t.path("out"), self.t.path("in")],
                                   env=self.t.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(lambda: (command.kill(), command.communicate()))
        eventually(lambda: any(name.endswith(".part") for _, _, names in os.walk(self.t.path("out")) for name in names), "data arrives")
        self.assertIsNone(command.poll(), "it is under way")
        return command

    def kill(self, start_again):
        port = self.t.kill_qmgr()
        again = lambda: self.t.start_qmgr(port)
        if start_again:
            again()
        elif not EMBEDDED:
            self.addCleanup(again)  # a broker outlives the topology

    def end_of(self, command):
        said, _ = command.communicate(timeout=2 * DEADLINE_S)
        return command.returncode, said

    def test_the_result_is_told_when_the_queue_manager_is_back(self):
        command = self.begin("-w")
        self.kill(start_again=True)
        code, said = self.end_of(command)
        self.assertEqual((0, 1, 0), (code, said.count("BFGCL0943W"), said.count("BFGCL0941E")), said + self.t.log("SRC")[-3000:])
        self.assertIn("BFGRP0032I", said)
        self.assertIn("4 files, 0 failed, 8.0 MiB", said)
        subprocess.run(["diff", "-r", self.t.path("in"), self.t.path("out")], check=True)

    def test_a_result_that_is_no_success_is_told_as_it_is(self):
        os.makedirs(self.t.path("out"))
        with open(self.t.path("out/f3"), "w") as out:
            out.write("there before")
        command = self.begin("-w", str(int(2 * DEADLINE_S)))
        self.kill(start_again=True)
        code, said = self.end_of(command)
        self.assertEqual(20, code, said)
        self.assertRegex(said, r"BFGRP0033I.*4 files, 1 failed")

    def test_it_waits_no_longer_than_it_was_told(self):
        command = self.begin("-w", "5")
        self.kill(start_again=False)
        code, said = self.end_of(command)
        self.assertEqual(2, code, said)
        # With the queue manager the embedded coordination service has gone, too.
        self.assertTrue(re.search("BFGCL0941E" if EMBEDDED else "BFGCL0940E", said), said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
