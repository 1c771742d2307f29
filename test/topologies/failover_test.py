"""Transfers under way while the queue manager that agents are on fails, and another one that shares its state takes over:
they go on, each ends well, and each file is reported once. Then the first one returns."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
from broker_groups import ArtemisPair, ArtemisReplicated, QmgrInstances, RabbitMqCluster  # noqa: E402
from instances import Instances, InstancesTest  # noqa: E402
from load import QUICK, SLOW, Load  # noqa: E402
from processes import eventually  # noqa: E402



class Failover:
    """Two instances of SRC and one of DST on a group of queue managers that are one."""
    GROUP = None

    def begin(self, order=None, **load):
        """`order`: of the members in the lists of each of the agents' instances; all have the first one first unless said."""
        self.group = self.GROUP()
        self.addCleanup(self.group.close)
        self.t = Instances(properties={**QUICK, **SLOW}, other_agents=("DST",), broker=self.group)
        self.addCleanup(self.t.close)
        self.addCleanup(self.check_history, self.t)
        for (host, agent), numbers in (order or {}).items():
            self.group.reorder(self.t.place[host].config(agent), "agentQMgr", numbers)
        self.t.start_on("one", "two")
        self.t.start("DST")
        self.load = Load(self.t, **load)
        self.addCleanup(self.load.close)
        self.load.under_way()

    def ready(self, agent):
        """How often an instance of it was."""
        return sum(host.log(agent).count("BFGAG0059I") for host in self.t.hosts)

    def lost(self):
        """The member that serves is killed: until another one serves, and agents are there."""
        before = {agent: self.ready(agent) for agent in ("SRC", "DST")}
        gone = self.group.serving()
        self.group.kill(gone)
        other = eventually(lambda: self.group.serving(), "another member serves")
        for agent, count in before.items():
            eventually(lambda: self.ready(agent) > count, lambda: "%s is ready: %s%s" % (agent, self.t.tails("SRC"), self.t.log("DST")[-2000:]))
        return gone, other

    def test_transfers_go_on_over_a_failover_and_when_the_killed_one_returns(self):
        self.begin()
        gone, _ = self.lost()
        self.load.moves()
        before = self.ready("DST")
        self.group.start(gone)
        if self.group.FAILS_BACK:
            eventually(lambda: self.ready("DST") > before, lambda: "DST is back at the first: %s" % self.t.log("DST")[-3000:])
        self.load.ask("-df", self.t.path("last"), self.t.path("single0"))
        self.assertEqual([], self.load.faults_at_the_end(), self.t.tails("SRC") + self.t.log("DST")[-4000:])
        eventually(lambda: os.path.exists(self.t.path("last")), lambda: "a transfer asked for after that: %s" % self.t.tails("SRC"))
        # Nothing was brought along: what was accepted before is there. A single instance sees that by its own lock.
        self.assertIn("BFGAG0932I", self.t.log("DST"))
        for agent in ("SRC", "DST"):
            for host in self.t.hosts:
                self.assertNotIn("BFGAG0929I", host.log(agent))


class ArtemisSharedStore(Failover, InstancesTest):
    GROUP = ArtemisPair


class ArtemisReplicatedStore(Failover, InstancesTest):
    GROUP = ArtemisReplicated


class InstancesOfAQueueManager(Failover, InstancesTest):
    """The embedded one: nothing fails back, so agents stay where they are when the killed instance returns."""
    GROUP = QmgrInstances


class RabbitMqQuorumQueues(Failover, InstancesTest):
    """The node is killed that agents are at and that leads the queues."""
    GROUP = RabbitMqCluster

    def test_agents_at_different_nodes_go_on_when_any_node_is_killed(self):
        """Also one that no agent is at, and the one that leads the queues."""
        self.begin({("one", "SRC"): (1, 2, 3), ("two", "SRC"): (2, 3, 1), ("one", "DST"): (3, 1, 2)}, large=256 << 20)
        for number in (2, 1, 3):
            self.load.moves()
            self.group.kill(number)
            self.load.moves()
            self.group.start(number)
        self.assertEqual([], self.load.faults_at_the_end(), self.t.tails("SRC") + self.t.log("DST")[-4000:])
        self.quorum_queues()

    def test_with_one_node_left_nothing_goes_on_and_with_two_again_everything(self):
        self.begin()
        for number in (2, 3):
            self.group.kill(number)
        self.t.place["one"].wait_for_log("SRC", "BFGAG0914W")  # it does not hear of its lock any more
        self.assertIsNone(self.t.active())
        self.group.start(3)
        self.load.moves()
        self.group.start(2)
        self.assertEqual([], self.load.faults_at_the_end(), self.t.tails("SRC") + self.t.log("DST")[-4000:])

    def quorum_queues(self):
        kinds = {queue["type"] for name, queue in self.group.members[1].queues().items() if name.startswith("SYSTEM.FTE.")}
        self.assertEqual({"quorum"}, kinds)


if __name__ == "__main__":
    unittest.main()
