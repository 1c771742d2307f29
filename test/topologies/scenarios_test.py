"""The failures of a connector's deployment guide, one test for each row of its two tables, with real processes: what is a
connector there (GC-1, GC-2) is an agent's instance, a broker (AMQ-1, AMQ-2) an embedded queue manager, and a client who
sends a request somebody who runs fteCreateTransfer. The two queue managers share nothing and do not forward to each other:
where the guide has messages go from one broker through the other, agents and clients have both in their lists. A response
is the transfer's result, which the client waits for."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from instances import Instances, InstancesTest, LargeTransfer, write_large  # noqa: E402
from processes import eventually  # noqa: E402
from qmgr_pair import QmgrPair  # noqa: E402
from relay import Relay  # noqa: E402

QUICK = {"agentQMgrRetryInterval": "1", "transferAckTimeout": "3000", "recoverableTransferRetryInterval": "1000"}
SLOW = {"agentChunkSize": "65536", "agentWindowSize": "4", "agentDataDirect": "false"}
PACE = ("-bw", str(12 << 20))
BACK_AT_FIRST = "BFGAG0927I"


class Scenario(InstancesTest):
    """Hosts gc1 and gc2."""
    PRIORITIES = {}  # agent -> (on gc1, on gc2)
    OTHERS = ()
    PROPERTIES = {}
    REVERSED = ()  # agents with AMQ-2 first

    def setUp(self):
        self.pair = QmgrPair()
        self.addCleanup(self.pair.close)
        self.t = Instances(("gc1", "gc2"), agents=tuple(self.PRIORITIES), other_agents=self.OTHERS,
                           properties={**QUICK, **SLOW, **self.PROPERTIES}, broker=self.pair)
        self.addCleanup(self.t.close)
        self.split = False
        self.addCleanup(lambda: self.split or self.check_history(self.t))
        for agent, priorities in self.PRIORITIES.items():
            for name, priority in zip(("gc1", "gc2"), priorities):
                self.t.place[name].set_properties(agent, {"instancePriority": str(priority)})
        for agent in self.REVERSED:
            for host in self.t.hosts:
                self.lists(host, agent, self.pair.urls(2, 1))
        self.sent = 0

    @staticmethod
    def lists(host, agent, urls):
        with open(host.config(agent)) as old:
            text = re.sub("(?m)^agentQMgrUrls=.*$", lambda _: "agentQMgrUrls=" + urls, old.read())
        with open(host.config(agent), "w") as new:
            new.write(text)

    def active_is(self, name, agent="SRC"):
        eventually(lambda: self.t.active(agent) == name, lambda: "%s on %s is active: %s" % (agent, name, self.t.tails(agent)))

    def request(self, agent="SRC", to="DST", client="gc1"):
        """A client at a site sends a request and gets its response; who has processed it."""
        self.sent += 1
        source, arrived = self.t.path("in", str(self.sent)), self.t.path("out", str(self.sent))
        os.makedirs(os.path.dirname(source), exist_ok=True)
        with open(source, "w") as out:
            out.write("request %d" % self.sent)
        done = self.t.place[client].transfer("-df", arrived, source, source=agent, destination=to)
        self.assertEqual(0, done.code, repr(done) + self.t.tails(agent) + self.t.log(to)[-2000:])
        with open(arrived) as content:
            self.assertEqual("request %d" % self.sent, content.read())
        ended = "Transfer %s has ended with result 0" % self.t.id_of(done)
        for name, host in self.t.place.items():
            if eventually(lambda: any(ended in h.log(agent) for h in self.t.place.values()), "it is in a log") and ended in host.log(agent):
                return name

    def at(self, agent, number, host=None):
        """Until the agent, or its instance on a host, has gone to this queue manager last."""
        where = self.t.place[host] if host else self.t

        def there():
            found = re.findall(r"BFGAG0901I: .*:(\d+)\)", where.log(agent))
            return found and int(found[-1]) == self.pair.ports[number]
        eventually(there, lambda: "%s is at queue manager %d: %s" % (agent, number, where.log(agent)[-3000:]))

    def kill_host(self, name):
        """All connectors of a site."""
        for agent in self.PRIORITIES:
            self.t.kill_instance(name, agent, for_good=True)

    def start_host(self, name):
        for agent in self.PRIORITIES:
            self.t.start_on(name, agent=agent)

    def large(self, agent="SRC", to="DST"):
        source, size = self.t.path("in-large/large"), 96 << 20
        transfer = LargeTransfer(self.t, source, size, write_large(source, size), PACE, waits=False)
        self.addCleanup(transfer.close)
        self.assertTrue(transfer.until_it_has(size // 16))
        return transfer

    def cut_link(self, agent):
        """From the start there is a network between the sites, that is, between gc1 and AMQ-2 and between gc2 and AMQ-1.
        Gives the function that cuts it and the one that mends it."""
        ways = {"gc1": (self.pair.ports[1], None), "gc2": (None, self.pair.ports[2])}
        relays = {}
        for name, far in (("gc1", 2), ("gc2", 1)):
            relays[name] = Relay(self.pair.ports[far])
            ports = {1: relays[name].port if far == 1 else ways[name][0], 2: relays[name].port if far == 2 else ways[name][1]}
            order = (2, 1) if agent in self.REVERSED else (1, 2)
            self.lists(self.t.place[name], agent, ",".join("amqp://127.0.0.1:%d" % ports[number] for number in order))
        self.addCleanup(lambda: [relay.close() for relay in relays.values()])

        def cut():
            for relay in relays.values():
                relay.close()

        def mend():
            for name, far in (("gc1", 2), ("gc2", 1)):
                relays[name] = Relay(self.pair.ports[far], relays[name].port)
        return cut, mend


class ActivePassive(Scenario):
    """GC-1 has priority 127, GC-2 100; both have AMQ-1 first. The lock goes back to GC-1 when it returns."""
    PRIORITIES = {"SRC": (127, 100)}
    OTHERS = ("DST",)
    PROPERTIES = {"failBack": "true", "failBackDelay": "1"}

    def begin(self):
        self.start_host("gc1")
        self.start_host("gc2")
        self.t.start("DST")
        self.active_is("gc1")

    def test_active_passive_1_amq_1_is_down_while_gc_1_is_active(self):
        """Requests go through AMQ-2 and GC-1 processes them. For files: also a transfer that was under way goes on there."""
        self.begin()
        transfer = self.large()
        self.pair.kill(1)
        self.t.wait_active("gc1", count=2)
        self.at("SRC", 2, "gc1")
        self.assertEqual("gc1", self.request())
        self.assertEqual([], transfer.faults_at_the_end(), self.t.tails())
        self.active_is("gc1")

    def test_active_passive_2_amq_2_and_gc_1_are_down_while_amq_1_and_gc_2_are_up(self):
        """Requests go through AMQ-1 and GC-2 processes them, also what GC-1 had begun."""
        self.begin()
        transfer = self.large()
        self.pair.kill(2)
        self.kill_host("gc1")
        self.active_is("gc2")
        self.assertEqual("gc2", self.request())
        self.at("SRC", 1, "gc2")
        self.assertEqual([], transfer.faults_at_the_end(), self.t.tails())

    def test_active_passive_3_both_amq_1_and_gc_1_are_down(self):
        """AMQ-2 and GC-2 take requests. For files: what GC-1 had begun is known to AMQ-1 alone; it waits for it, and is
        not lost."""
        self.begin()
        transfer = self.large()
        self.pair.kill(1)
        self.kill_host("gc1")
        self.active_is("gc2")
        self.at("SRC", 2, "gc2")
        self.assertEqual("gc2", self.request())
        self.assertTrue(transfer.under_way())
        self.pair.start(1)
        self.assertEqual([], transfer.faults_at_the_end(), self.t.tails())

    def test_active_passive_4_gc_1_restores(self):
        """GC-1 processes requests, with the transfers that GC-2 has under way; GC-2 stands by."""
        self.begin()
        self.kill_host("gc1")
        self.active_is("gc2")
        transfer = self.large()
        self.start_host("gc1")
        self.active_is("gc1")
        self.assertTrue(transfer.under_way())
        self.assertEqual("gc1", self.request())
        self.assertEqual([], transfer.faults_at_the_end(), self.t.tails())
        eventually(lambda: self.t.roles("gc2") >= 3 and not self.t.is_active("gc2"), lambda: self.t.tails())

    def test_active_passive_5_the_link_between_the_sites_is_down(self):
        """Both function independently: each is active at the queue manager of its site. When the link is back there is one
        active instance again, at AMQ-1."""
        self.split = True
        cut, mend = self.cut_link("SRC")
        self.begin()
        cut()
        eventually(lambda: self.t.is_active("gc1") and self.t.is_active("gc2"), lambda: self.t.tails())
        self.assertEqual("gc1", self.request())  # the destination and this client are at AMQ-1
        mend()
        eventually(lambda: not self.t.is_active("gc2") or not self.t.is_active("gc1"), lambda: self.t.tails())
        self.active_is("gc1")
        epochs = self.t.epochs()
        self.assertEqual(len(epochs), len(set(epochs)))

    def test_active_passive_6_amq_1_restores_while_gc_1_is_still_down(self):
        """AMQ-2 is in use. Every request is processed by GC-2, before, while and after AMQ-1 comes back; then GC-2 and
        the destination are at AMQ-1 again, for clients try that first."""
        self.begin()
        self.pair.kill(1)
        self.kill_host("gc1")
        self.active_is("gc2")
        self.at("DST", 2)
        self.assertEqual("gc2", self.request())
        transfer = self.large()
        self.pair.start(1)
        self.t.place["gc2"].wait_for_log("SRC", BACK_AT_FIRST)
        self.at("SRC", 1, "gc2")
        self.at("DST", 1)
        self.assertEqual("gc2", self.request())
        self.assertEqual([], transfer.faults_at_the_end(), self.t.tails())

    def test_active_passive_7_gc_1_is_down_while_both_amqs_are_active(self):
        """GC-2 processes requests. There is nothing to forward: it is at AMQ-1 too."""
        self.begin()
        transfer = self.large()
        self.kill_host("gc1")
        self.active_is("gc2")
        self.at("SRC", 1, "gc2")
        self.assertEqual("gc2", self.request())
        self.assertEqual([], transfer.faults_at_the_end(), self.t.tails())

    def test_active_passive_8_gc_2_is_down_while_both_amqs_are_active(self):
        """No effect: not even an interruption of a transfer."""
        self.begin()
        transfer = self.large()
        self.kill_host("gc2")
        self.assertEqual("gc1", self.request())
        self.assertEqual([], transfer.faults_at_the_end(), self.t.tails())
        self.assertEqual(0, self.t.items_of(transfer.id)["retryCount"])


class ActiveActive(Scenario):
    """Two agents. ONE is preferred on host gc1 and has AMQ-1 first, TWO on gc2 and AMQ-2. Their destinations are where they
    are. Nothing fails back."""
    PRIORITIES = {"ONE": (127, 100), "TWO": (100, 127)}
    OTHERS = ("DST1", "DST2")
    REVERSED = ("TWO", "DST2")
    PROPERTIES = {"failBack": "false"}

    def begin(self):
        for agent, names in (("ONE", ("gc1", "gc2")), ("TWO", ("gc2", "gc1"))):
            self.t.start_on(*names, agent=agent)
        self.t.start("DST1", "DST2")
        self.served_by("gc1", "gc2")

    def served_by(self, one, two):
        """Requests of the clients of each connector are processed there."""
        self.active_is(one, "ONE")
        self.active_is(two, "TWO")
        self.assertEqual(one, self.request("ONE", "DST1"))
        self.assertEqual(two, self.request("TWO", "DST2"))

    def test_active_active_1_amq_1_is_down_while_gc_1_is_active(self):
        """AMQ-2 takes over, GC-1 goes on; clients of GC-2 do not notice."""
        self.begin()
        self.pair.kill(1)
        self.t.wait_active("gc1", count=2, agent="ONE")
        self.at("ONE", 2, "gc1")
        self.at("DST1", 2)
        self.served_by("gc1", "gc2")
        self.assertEqual(1, len(self.t.epochs("TWO")))

    def test_active_active_2_both_amq_1_and_gc_1_are_down(self):
        self.begin()
        self.pair.kill(1)
        self.kill_host("gc1")
        self.at("DST1", 2)
        self.served_by("gc2", "gc2")
        self.at("ONE", 2, "gc2")

    def test_active_active_3_gc_1_restores(self):
        """GC-2 goes on with the requests of both until it is down."""
        self.begin()
        self.kill_host("gc1")
        self.served_by("gc2", "gc2")
        self.start_host("gc1")
        self.served_by("gc2", "gc2")
        self.kill_host("gc2")
        self.served_by("gc1", "gc1")

    def test_active_active_4_the_link_between_the_sites_is_down(self):
        """Both serve their clients: each agent is active at least where it is preferred, at the queue manager there."""
        self.split = True
        cuts = [self.cut_link(agent) for agent in self.PRIORITIES]
        self.begin()
        for cut, _ in cuts:
            cut()
        # A standby that cannot reach the agent's queue manager any more runs at its own site.
        eventually(lambda: self.t.is_active("gc2", "ONE") and self.t.is_active("gc1", "TWO"), lambda: self.t.tails("ONE"))
        self.assertTrue(self.t.is_active("gc1", "ONE") and self.t.is_active("gc2", "TWO"))
        self.assertEqual("gc1", self.request("ONE", "DST1"))
        self.assertEqual("gc2", self.request("TWO", "DST2", client="gc2"))
        for _, mend in cuts:
            mend()
        eventually(lambda: not self.t.is_active("gc2", "ONE") and not self.t.is_active("gc1", "TWO"), lambda: self.t.tails("ONE"))
        self.served_by("gc1", "gc2")

    def test_active_active_5_amq_1_restores_while_gc_1_is_still_down_and_amq_2_is_also_down(self):
        self.begin()
        self.pair.kill(1)
        self.kill_host("gc1")
        self.served_by("gc2", "gc2")
        self.pair.kill(2)
        self.pair.start(1)
        for agent, host in (("ONE", "gc2"), ("TWO", "gc2"), ("DST1", None), ("DST2", None)):
            self.at(agent, 1, host)
        self.served_by("gc2", "gc2")

    def test_active_active_6_gc_1_is_down_while_both_amqs_are_active(self):
        """As 5: requests at AMQ-1 are processed by GC-2, which is connected there itself."""
        self.begin()
        self.kill_host("gc1")
        self.served_by("gc2", "gc2")
        self.at("ONE", 1, "gc2")

    def test_active_active_7_gc_2_is_down_while_both_amqs_are_active(self):
        """GC-1 processes the requests at AMQ-2. There is nothing to forward: its instance of TWO is there."""
        self.begin()
        self.kill_host("gc2")
        self.served_by("gc1", "gc1")
        self.at("TWO", 2, "gc1")


if __name__ == "__main__":
    unittest.main()
