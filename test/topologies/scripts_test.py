"""The scripts under scripts/topologies start what they say; each is used, broken and used again."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from topology_scripts import TopologyScripts  # noqa: E402


class Topologies(TopologyScripts):
    def test_simplex(self):
        said = self.start("simplex")
        self.assertIn("BFGRP0032I", said)
        self.assertEqual(0, self.script("start").returncode, "a second start finds it running")
        self.send("host", "SRC", "DST")
        self.assertEqual(0, self.script("stop").returncode)
        self.assertEqual(0, self.script("start").returncode)

    def test_active_passive(self):
        self.start("active-passive")
        self.active_is("site2", "SRC", "site1")
        self.kill("site1", "qmgrs/AMQ1/qmgr.pid")
        self.kill_instance("site1", "SRC")
        self.active_is("site2", "SRC", "site2")
        self.send("site2", "SRC", "DST")
        done = self.script("start")  # site1 returns
        self.assertEqual(0, done.returncode, done.stdout)
        self.active_is("site2", "SRC", "site1")

    def test_active_active(self):
        self.start("active-active")
        self.active_is("host2", "ONE", "host1")
        self.active_is("host2", "TWO", "host2")
        for agent in ("ONE", "TWO"):
            self.kill_instance("host1", agent)
        self.active_is("host2", "ONE", "host2")
        self.active_is("host2", "TWO", "host2")
        self.send("host2", "ONE", "DST1")


if __name__ == "__main__":
    unittest.main()
