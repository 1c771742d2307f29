"""The scripts under scripts/topologies that start brokers which are not Baton's."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from topology_scripts import TopologyScripts  # noqa: E402


class Brokers(TopologyScripts):
    def test_artemis_pair(self):
        self.assertIn("BFGRP0032I", self.start("artemis-pair"))
        self.kill_broker("artemis", "live")
        self.send("host2", "SRC", "DST")
        done = self.script("start")  # the live one returns
        self.assertEqual(0, done.returncode, done.stdout)
        self.send("host1", "SRC", "DST")

    def test_rabbitmq_cluster(self):
        self.assertIn("BFGRP0032I", self.start("rabbitmq-cluster"))
        self.kill_broker("rabbitmq", "node1")
        self.send("host2", "SRC", "DST")
        done = self.script("start")
        self.assertEqual(0, done.returncode, done.stdout)
        self.kill_broker("rabbitmq", "node2")
        self.send("host1", "SRC", "DST")

    def test_artemis_network(self):
        self.assertIn("BFGRP0032I", self.start("artemis-network"))
        self.send("host2", "SRC", "DST")
        self.kill_instance("host1", "SRC")
        self.active_is("host1", "SRC", "host2")
        self.send("host1", "SRC", "DST")


if __name__ == "__main__":
    unittest.main()
