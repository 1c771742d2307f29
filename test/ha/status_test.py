"""What people see of the instances, and how they drive them."""
import json
import os
import sys
import unittest

from proton import Message

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from instances import ACTIVE, STANDBY, InstancesTest  # noqa: E402
from processes import eventually  # noqa: E402

QUICK = {"standbyStatusPublishInterval": "1", "standbyStatusDiscardTime": "5"}


class Status(InstancesTest):
    def shown(self, t, agent="SRC"):
        rows = t.json("fteShowAgentDetails", agent)
        return {i["instance"]: i for i in rows[0]["status"]["instances"]} if rows else {}

    def test_every_instance_is_shown_by_the_active_one(self):
        t = self.instances(("one", "two", "three")).start_on("one", "two", "three")
        eventually(lambda: len(self.shown(t)) == 3, lambda: "three instances: %s" % self.shown(t))
        shown = self.shown(t)
        self.assertEqual({"one": "active", "two": "standby", "three": "standby"}, {n: i["role"] for n, i in shown.items()})
        self.assertEqual(1, shown["one"]["epoch"])
        self.assertEqual(t.place["two"].pid("SRC"), shown["two"]["pid"])
        text = t.must("fteShowAgentDetails", "-v", "SRC").out
        self.assertIn("Agent Instances:", text)
        self.assertIn("Takeovers:", text)
        self.assertIn("one (active, 100)", t.must("fteListAgents", "-v").out)

    def test_a_standby_that_ends_or_is_silent_goes_from_the_list(self):
        t = self.instances(("one", "two", "three"), properties=QUICK).start_on("one", "two", "three")
        eventually(lambda: len(self.shown(t)) == 3, "three instances")
        t.place["two"].must("fteStopAgent", "SRC")
        eventually(lambda: set(self.shown(t)) == {"one", "three"}, lambda: "two has said goodbye: %s" % self.shown(t))
        t.pause("three")  # or it would say goodbye when its controller goes
        t.kill_instance("three", for_good=True)
        eventually(lambda: set(self.shown(t)) == {"one"}, "three is missed")
        t.wait_for_log("SRC", "BFGAG0919I", "BFGAG0920W", "BFGAG0921I")

    def test_requests_overtake_standby_statuses(self):
        """20 statuses wait with 500 requests behind them: all the requests are taken first."""
        t = self.instances(("one",)).start_on("one")
        t.must("fteStopAgent", "-i", "SRC")
        status = {"version": 1, "instance": "ghost", "role": "standby", "host": "h", "agentVersion": "0.1.0"}
        request = {"version": 1, "sourceAgent": "OTHER", "destinationAgent": "DST"}
        self.send(t, [("agent.standby", dict(status, pid=n), 0) for n in range(20)] +
                  [("transfer.request", dict(request, id="%048x" % n), 4) for n in range(500)])
        t.start_on("one")
        t.wait_for_log("SRC", "%048x" % 499, "BFGAG0919I")
        log = t.log("SRC")
        self.assertEqual(500, log.count("BFGTR0006E"))
        self.assertLess(log.rindex("BFGTR0006E"), log.index("BFGAG0919I"))

    def send(self, t, messages):
        connection = t.stock_client()
        sender = connection.create_sender(t.address("SYSTEM.FTE.COMMAND.SRC"))
        for subject, body, priority in messages:
            sender.send(Message(body=json.dumps(body).encode(), subject=subject, durable=True,
                                priority=t.broker.priority(priority) if t.broker else priority))
        connection.close()


class Driving(InstancesTest):
    def test_one_of_several_is_stopped_by_name(self):
        t = self.instances().start_on("one", "two")
        wrong = t.run("fteStopAgent", "-in", "two", "SRC")
        self.assertNotEqual(0, wrong.code)
        self.assertIn("BFGCH0904E", wrong.out)
        t.place["two"].must("fteStopAgent", "-in", "two", "SRC")
        eventually(lambda: t.place["two"].pid("SRC") is None and t.place["two"].pid("SRC", "controller.pid") is None, "the standby has ended")
        self.assertIsNotNone(t.place["one"].pid("SRC"))
        t.start_on("two")
        t.must("fteStopAgent", "-i", "-in", "one", "SRC")
        t.wait_active("two")

    def test_what_waits_for_its_queues_is_stopped_where_it_is(self):
        t = self.instances(highly_available=False)
        one, two = t.place["one"], t.place["two"]
        one.must("fteStartAgent", "SRC")
        two.run("fteStartAgent", "-t", "1", "SRC")
        two.wait_for_log("SRC", "BFGAG0035W")
        two.must("fteStopAgent", "-i", "SRC")
        self.assertIsNone(two.pid("SRC"))
        self.assertIsNotNone(one.pid("SRC"))
        self.assertNotIn("BFGAG0071I", one.log("SRC"))

    def test_the_active_one_is_stopped_from_the_host_of_a_standby(self):
        t = self.instances().start_on("one", "two")
        t.place["two"].must("fteStopAgent", "-i", "-in", "one", "SRC")
        t.wait_active("two")
        eventually(lambda: t.place["one"].pid("SRC") is None, "it has ended")

    def test_queues_are_not_taken_from_under_another_host(self):
        t = self.instances().start_on("one")
        for command in (["fteDeleteAgent", "SRC"], ["fteCleanAgent", "-all", "SRC"]):
            refused = t.place["two"].run(*command)
            self.assertEqual(1, refused.code, refused)
            self.assertIn("instance one of the agent SRC is active", refused.out)

    def test_an_agent_is_moved_in_and_out(self):
        t = self.instances(highly_available=False)
        t.must("fteStartAgent", "SRC")
        self.assertNotIn(ACTIVE, t.log("SRC"))
        refused = t.run("fteModifyAgent", "-agentName", "SRC", "-x", "true")
        self.assertEqual(1, refused.code)
        self.assertIn("is running", refused.out)
        t.must("fteStopAgent", "-i", "SRC")
        for name, host in t.place.items():
            host.must("fteModifyAgent", "-agentName", "SRC", "-x", "true", "-instanceName", name)
        t.start_on("one", "two")
        self.assertIn(STANDBY, t.place["two"].log("SRC"))
        for name in ("one", "two"):
            t.place[name].must("fteStopAgent", "-i", "SRC")
            t.place[name].must("fteModifyAgent", "-agentName", "SRC", "-x", "false")
        t.must("fteStartAgent", "SRC")
        self.assertEqual(2, t.log("SRC").count("BFGAG0059I") - t.log("SRC").count(ACTIVE))

    def test_an_agent_is_created_highly_available(self):
        t = self.instances(("one",))
        t.must("fteCreateAgent", "-agentName", "NEW", "-agentQMgr", t.QMGR, "-x", "-instanceName", "first")
        with open(t.config("NEW")) as properties:
            text = properties.read()
        self.assertIn("highlyAvailable=true", text)
        self.assertIn("instanceName=first", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
