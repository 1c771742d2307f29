"""Two Artemis brokers that are connected as a network: each has its own store and lock, and messages go from one to the other,
to where their reader is. The rows of the connector's tables that speak of a network of brokers are here: a client is connected
to one broker only (AMQ-1 or AMQ-2), the agent that it asks is at the other one, and so requests and answers are forwarded."""
import os
import sys
import unittest

from proton import Message

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from broker_groups import ArtemisNetwork  # noqa: E402
from instances import Instances, InstancesTest  # noqa: E402
from load import QUICK, SLOW, Load  # noqa: E402
from processes import eventually  # noqa: E402


class Network(InstancesTest):
    """SRC has instances on hosts gc1 and gc2, preferred on gc1, and is at AMQ-1; DST is at AMQ-2. Both brokers are in every list.
    Commands on gc1 know AMQ-1 only, those on gc2 AMQ-2."""

    def setUp(self):
        self.group = ArtemisNetwork()
        self.addCleanup(self.group.close)
        self.t = Instances(("gc1", "gc2"), properties={**QUICK, **SLOW}, other_agents=("DST",), broker=self.group)
        self.addCleanup(self.t.close)
        self.addCleanup(self.check_history, self.t)
        gc1, gc2 = self.t.place["gc1"], self.t.place["gc2"]
        self.group.reorder(gc1.config("DST"), "agentQMgr", (2, 1))
        for number, host in ((1, gc1), (2, gc2)):
            self.group.reorder(host.command_config(), "connectionQMgr", (number,))
            host.set_properties("SRC", {"instancePriority": str({1: 127, 2: 100}[number])})
        self.sent = 0

    def begin(self):
        self.t.start_on("gc1", "gc2")
        self.t.start("DST")

    def request(self, client, deadline_s=60):
        """A client at a site sends a request, which it waits for; who has processed it."""
        self.sent += 1
        source, arrived = self.t.path("in%d" % self.sent), self.t.path("out%d" % self.sent)
        with open(source, "wb") as out:
            out.write(os.urandom(3000000))
        done = self.t.place[client].transfer("-df", arrived, source, timeout_s=deadline_s)
        self.assertEqual(0, done.code, repr(done) + self.t.tails() + self.t.log("DST")[-2000:])
        with open(source, "rb") as a, open(arrived, "rb") as b:
            self.assertEqual(a.read(), b.read())
        ended = "Transfer %s has ended with result 0" % self.t.id_of(done)
        return next(name for name, host in self.t.place.items() if ended in host.log("SRC"))

    def on(self, number, queue):
        """(messages, consumers) of a queue at a broker."""
        about = self.group.members[number].queues()[queue]
        return int(about["messageCount"]), int(about["consumerCount"])

    def test_a_transfer_goes_over_and_its_clients_may_be_at_either_broker(self):
        self.begin()
        self.assertEqual((1, 0), (self.on(1, "SYSTEM.FTE.COMMAND.SRC")[1], self.on(2, "SYSTEM.FTE.COMMAND.SRC")[1]))
        self.assertEqual((0, 1), (self.on(1, "SYSTEM.FTE.DATA.DST")[1], self.on(2, "SYSTEM.FTE.DATA.DST")[1]))
        for client in ("gc1", "gc2"):
            self.assertEqual("gc1", self.request(client))
            for agent in ("SRC", "DST"):
                self.t.place[client].must("ftePingAgent", agent)

    def test_a_request_that_waits_at_one_broker_goes_to_its_agent_when_that_comes_to_the_other(self):
        """Redistribution: nobody reads COMMAND when the request is sent."""
        source, arrived = self.t.path("in"), self.t.path("out")
        with open(source, "w") as out:
            out.write("waits")
        transfer = self.t.id_of(self.t.place["gc2"].must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-df", arrived, source))
        self.assertEqual(1, sum(self.on(number, "SYSTEM.FTE.COMMAND.SRC")[0] for number in (1, 2)))
        self.begin()
        self.assertEqual(0, self.t.items_of(transfer)["resultCode"], self.t.tails())
        self.assertTrue(os.path.exists(arrived))

    def test_the_lock_and_the_state_stay_at_their_broker(self):
        """Else the token would be handed to a consumer at the other one, and the lock would go to and fro. Here an instance with
        the other broker first attaches there, with a lock of its own: that is what two locks are, and why all instances of
        an agent have the same list in the same order."""
        self.begin()
        for queue in ("SYSTEM.FTE.HA.SRC", "SYSTEM.FTE.STATE.SRC"):
            self.assertEqual((0, 0), self.on(2, queue))
        sender = self.group.members[2].stock_client()
        self.addCleanup(sender.close)
        for queue in ("SYSTEM.FTE.HA.SRC", "SYSTEM.FTE.STATE.SRC"):
            # Where it is sent it stays, although the readers are at the other broker, and what is sent after it is not.
            sender.create_sender(queue, name=queue).send(Message(body="stays", durable=True))
            self.assertEqual(1, self.on(2, queue)[0])
        self.assertEqual("gc1", self.request("gc2"))
        for queue in ("SYSTEM.FTE.HA.SRC", "SYSTEM.FTE.STATE.SRC"):
            self.assertEqual(1, self.on(2, queue)[0])
            self.group.members[2].empty(queue)

    def test_active_passive_7_gc_1_is_down_while_both_amqs_are_active(self):
        """The client at AMQ-2 is answered by GC-2 over AMQ-1, where both instances of SRC are. Active-active 6 is the same."""
        self.begin()
        self.t.kill_instance("gc1", for_good=True)
        self.t.wait_active("gc2")
        for client in ("gc1", "gc2"):
            self.assertEqual("gc2", self.request(client))

    def test_active_passive_2_amq_2_and_gc_1_are_down_while_amq_1_and_gc_2_are_up(self):
        """DST, which was at AMQ-2, comes to AMQ-1."""
        self.begin()
        self.group.kill(2)
        self.t.kill_instance("gc1", for_good=True)
        self.t.wait_active("gc2")
        eventually(lambda: self.on(1, "SYSTEM.FTE.COMMAND.DST")[1] == 1, lambda: "DST is at AMQ-1: %s" % self.t.log("DST")[-2000:])
        self.assertEqual("gc2", self.request("gc1"))

    def test_active_passive_1_amq_1_is_down_while_gc_1_is_active(self):
        """With transfers under way, through both brokers: they go on at AMQ-2, and again when AMQ-1 is back."""
        self.begin()
        load = Load(self.t)
        self.addCleanup(load.close)
        load.under_way()
        self.group.kill(1)
        load.moves()
        self.assertEqual(self.t.active(), self.request("gc2"))
        self.group.start(1)
        eventually(lambda: self.on(1, "SYSTEM.FTE.COMMAND.SRC")[1] == 1, lambda: "SRC is at AMQ-1 again: %s" % self.t.tails())
        self.assertEqual([], load.faults_at_the_end(), self.t.tails() + self.t.log("DST")[-4000:])
        self.assertEqual(self.t.active(), self.request("gc2"))

    def test_active_active_5_amq_1_restores_and_gc_1_is_still_down(self):
        """Client-App-1 asks at AMQ-1, GC-2 answers."""
        self.begin()
        self.group.kill(1)
        self.t.kill_instance("gc1", for_good=True)
        self.t.wait_active("gc2")
        self.group.start(1)
        self.assertEqual("gc2", self.request("gc1"))

    def test_active_active_7_gc_2_is_down_while_both_amqs_are_active(self):
        """Requests at AMQ-2 are redirected to AMQ-1, where GC-1 handles them."""
        self.begin()
        self.t.kill_instance("gc2", for_good=True)
        self.assertEqual("gc1", self.request("gc2"))


if __name__ == "__main__":
    unittest.main()
