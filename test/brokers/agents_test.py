"""Agents whose queues are on a broker that is not Baton's; coordination is on an embedded queue manager."""
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from brokers import AGENT_QUEUES, broker
from processes import eventually
from relay import Relay
from topology import InterruptedTransfer, Topology, TopologyTest

BROKER = broker()
# What makes queues what they are, in the broker's own words: of all, by the kind of queue, and of SYSTEM.FTE.
DECLARED = {
    "rabbitmq": (lambda queue: dict(queue["arguments"], durable=queue["durable"]), {"durable": True, "x-single-active-consumer": True},
                 {"COMMAND": {"x-max-priority": 10}, "EVENT": {"x-single-active-consumer": None}, "HA": {"x-max-length": None}},
                 {"x-max-length": 100000, "x-overflow": "drop-head"}),
    "artemis": (lambda queue: queue, {"durable": "true", "routingType": "ANYCAST", "purgeOnNoConsumers": "false", "maxConsumers": "1", "exclusive": "false"},
                {"EVENT": {"maxConsumers": "-1"}, "HA": {"maxConsumers": "-1", "exclusive": "true", "ringSize": "-1"}}, {"ringSize": "100000"}),
    "qpid": (lambda queue: queue, {"durable": True, "exclusive": "LINK", "type": "standard", "maximumDeliveryAttempts": 0},
             {"COMMAND": {"type": "priority", "priorities": 10}, "EVENT": {"exclusive": "NONE"},
              "HA": {"exclusive": "NONE", "messageGroupType": "STANDARD", "maximumQueueDepthMessages": -1}},
             {"maximumQueueDepthMessages": 100000, "overflowPolicy": "RING"}),
}


def purge_agents():
    """What an earlier run left: the broker outlives the topologies."""
    BROKER.remove_all_queues()


class OnTheBroker(TopologyTest):
    @classmethod
    def setUpClass(cls):
        purge_agents()
        cls.t = Topology(cls.AGENTS, cls.PROPERTIES, BROKER)
        cls.addClassCleanup(cls.t.close)
        cls.t.start()

    def assert_a_tree_arrives(self):
        for i in range(200):
            self.write("tree/d%d/file %d" % (i % 7, i), os.urandom(i * 300))
        self.write("tree/large", os.urandom(30 << 20))
        self.assert_result(0, self.t.transfer("-r", "-dd", self.place("out"), self.place("tree")))
        self.assert_same_tree(self.place("tree"), self.place("out"))
        self.assert_no_part_files(self.place("out"))


class ThroughTheQueue(OnTheBroker):
    PROPERTIES = {"agentDataDirect": "false"}

    def test_data_through_the_queue(self):
        self.assert_a_tree_arrives()
        self.assertNotIn("BFGTR0033I", self.t.log("SRC"))


class Transfers(OnTheBroker):
    def test_data_past_the_queue(self):
        self.assert_a_tree_arrives()
        self.assertIn("BFGTR0033I", self.t.log("SRC"))

    def test_commands_reach_agents(self):
        self.t.must("ftePingAgent", "SRC")
        rows = eventually(lambda: len(self.t.json("fteListAgents")) == 2 and self.t.json("fteListAgents"), "both are listed")
        self.assertEqual({"READY"}, {row["shownStatus"] for row in rows})

    def test_an_unknown_agent_is_said_to_be_unknown(self):
        for words in (("ftePingAgent", "NOBODY"), ("fteCreateTransfer", "-sa", "NOBODY", "-da", "DST", "-dd", "/x", "/y")):
            done = self.t.run(*words, timeout_s=5)
            self.assert_result(1, done)
            self.assertIn("there is no agent NOBODY", done.out)

    def test_an_unknown_destination_agent_fails_the_transfer(self):
        done = self.t.transfer("-dd", self.place("out"), self.write("a"), destination="NOBODY", timeout_s=30)
        self.assertNotEqual(0, done.code, repr(done))
        self.assertIn("NOBODY", done.out)

    def test_an_agent_killed_after_the_end_of_a_transfer_tells_it_again_and_sends_nothing(self):
        """The log does not answer, so that the record is still there when who waited has the result and takes the file."""
        source, arrived = self.write("once/a"), self.place("once-arrived/a")
        with self.t.frozen_process(self.t.qmgr_pid()):
            result = self.t.transfer("-df", arrived, source)
            self.assert_result(0, result)
            os.kill(self.t.pid("SRC"), signal.SIGKILL)
            os.unlink(arrived)
            os.unlink(source)
        transfer = self.t.id_of(result)
        self.t.wait_for_log("SRC", "BFGTR0021I: Transfer %s" % transfer)
        self.t.wait_for_log("SRC", "BFGTR0002I: Transfer %s has ended with result 0: 1 items, 0 failed" % transfer, count=2)
        eventually(lambda: BROKER.depth("SYSTEM.FTE.STATE.SRC") == 0, "the record is gone")
        self.assertFalse(os.path.exists(arrived))
        record = self.t.items_of(transfer)
        self.assertEqual((0, 0), (record["resultCode"], record["failed"]), record)

    def test_commands_leave_no_queues_behind(self):
        self.t.must("ftePingAgent", "SRC")
        known = {"SYSTEM.FTE.%s.%s" % (kind, agent) for kind in AGENT_QUEUES for agent in self.AGENTS}
        others = lambda: [name for name in BROKER.queues() if name not in known and "management" not in name and "$" not in name and name not in ("DLQ", "ExpiryQueue")]
        eventually(lambda: not others(), lambda: "reply queues are gone: %s" % others())

    def test_agents_stop_and_start_again(self):
        """The stop request, accepted just before the end, must not come again."""
        for _ in range(3):
            self.t.must("fteStopAgent", "DST")
            eventually(lambda: self.t.pid("DST", "controller.pid") is None, "the agent has ended")
            self.t.start("DST")
            self.t.must("ftePingAgent", "DST")


class Queues(unittest.TestCase):
    def setUp(self):
        purge_agents()
        self.t = Topology(("SRC",), broker=BROKER)
        self.addCleanup(self.t.close)

    def names(self):
        return sorted(name for name in BROKER.queues() if name.startswith("SYSTEM.FTE"))

    def script(self, end):
        return subprocess.run(["sh", self.t.config("SRC", "SRC_%s.sh" % end)], capture_output=True, text=True, timeout=60,
                              env=BROKER.script_environment())

    def assert_declared(self):
        attributes, of_all, of_some, _ = DECLARED[BROKER.kind]
        there = BROKER.queues()
        for kind in AGENT_QUEUES:
            found = attributes(there["SYSTEM.FTE.%s.SRC" % kind])
            wanted = dict(of_all, **of_some.get(kind, {}))
            self.assertEqual(wanted, {name: found.get(name) for name in wanted}, kind)
        if BROKER.kind == "artemis":
            found = BROKER.settings("SYSTEM.FTE.HA.SRC")
            self.assertEqual((-1, "", False), (found["maxDeliveryAttempts"], found["expiryAddress"], found["autoCreateAddresses"]))

    def test_create_declares_and_delete_removes(self):
        self.assertEqual(sorted("SYSTEM.FTE.%s.SRC" % kind for kind in AGENT_QUEUES), self.names())
        self.assert_declared()
        self.t.must("fteCleanAgent", "-all", "SRC")
        self.t.must("fteDeleteAgent", "SRC")
        self.assertEqual([], self.names())

    def test_the_scripts_do_the_same(self):
        before = self.names()
        for end in ("delete", "delete"):  # queues that do not exist are passed over
            done = self.script(end)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual([], self.names())
        for _ in range(2):  # and those that exist are left alone
            done = self.script("create")
            self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(before, self.names())
        self.assert_declared()
        self.t.start()  # and not "exists with other attributes"

    def test_an_agent_makes_queues_that_are_missing(self):
        self.assertEqual(0, self.script("delete").returncode)
        self.t.start()
        self.assertIn("BFGAG0910I", self.t.log("SRC"))

    def test_a_host_is_needed(self):
        done = self.t.run("fteCreateAgent", "-agentName", "X", "-agentQMgr", "QM1", "-agentQMgrType", BROKER.kind)
        self.assertEqual(1, done.code, repr(done))
        self.assertIn("-agentQMgrType %s needs -agentQMgrHost" % BROKER.kind, done.out)


class NothingEmbedded(unittest.TestCase):
    def test_coordination_is_on_the_broker_too(self):
        purge_agents()
        t = Topology(broker=BROKER, all_there=True)
        self.addCleanup(t.close)
        t.start()
        os.makedirs(t.path("in"))
        with open(t.path("in/a"), "w") as out:
            out.write("x")
        done = t.transfer("-r", "-dd", t.path("out"), t.path("in"))
        self.assertEqual(0, done.code, repr(done))
        self.assertEqual(0, t.items_of(t.id_of(done))["resultCode"])
        attributes, _, _, wanted = DECLARED[BROKER.kind]
        found = attributes(BROKER.queues()["SYSTEM.FTE"])
        self.assertEqual(wanted, {name: found.get(name) for name in wanted})
        self.assertIsNone(t.qmgr_pid())


class GoingOn(InterruptedTransfer):
    def setUp(self):
        purge_agents()

    def test_the_source_agent_is_killed(self):
        t = self.interrupted(lambda topology: self.kill_agent(topology, "SRC"), BROKER)
        self.assertIn("BFGTR0021I", t.log("SRC"))

    def test_the_connections_are_cut(self):
        relay = Relay(int(BROKER.about["port"]))
        self.addCleanup(relay.close)

        def cut(t):
            readiness = [t.log(a).count("BFGAG0059I") for a in t.agents]
            self.assertGreaterEqual(relay.cut(), 4)  # two of each agent
            eventually(lambda: all(t.log(a).count("BFGAG0059I") > n for a, n in zip(t.agents, readiness)), "agents are back")
        t = self.interrupted(cut, BROKER.through(relay.port))
        for agent in t.agents:
            self.assertNotIn("by signal", t.log(agent, "pcevent0.log"))


if __name__ == "__main__":
    unittest.main()
