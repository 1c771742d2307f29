"""A list of queue managers: agents, commands and coordination go on at the next one when one is killed, and back to the
first when it is up again. The two share nothing. BATON_BROKER: of another kind, for some of these tests."""
import os
import random
import re
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from brokers import KIND, KINDS  # noqa: E402
from instances import InstancesTest, LargeTransfer, write_large  # noqa: E402
from processes import eventually, pass_time  # noqa: E402
from qmgr_pair import BrokerPair, QmgrPair  # noqa: E402
from topology import Topology  # noqa: E402

QUICK = {"agentQMgrRetryInterval": "1", "transferAckTimeout": "3000", "recoverableTransferRetryInterval": "1000"}
SLOW = {"agentChunkSize": "65536", "agentWindowSize": "4", "agentDataDirect": "false", **QUICK}
BACK = "BFGAG0927I"


class ListTest(InstancesTest):
    def pair(self):
        pair = BrokerPair(KIND) if KIND in KINDS else QmgrPair()
        self.addCleanup(pair.close)
        return pair

    def topology(self, pair, properties=QUICK, **how):
        t = Topology(properties=properties, broker=pair, **how)
        self.addCleanup(t.close)
        return t

    def copy_small(self, t, name):
        os.makedirs(t.path("in"), exist_ok=True)
        with open(t.path("in", name), "w") as out:
            out.write(name)
        done = t.transfer("-dd", t.path("out"), t.path("in", name))
        self.assertEqual(0, done.code, repr(done) + t.log("SRC")[-3000:] + t.log("DST")[-3000:])
        with open(t.path("out", name)) as arrived:
            self.assertEqual(name, arrived.read())


class Agents(ListTest):
    def test_agents_and_commands_go_to_the_next_queue_manager_and_back_to_the_first(self):
        pair = self.pair()
        t = self.topology(pair).start()
        self.assertIn("BFGAG0925W", t.log("SRC"))
        self.copy_small(t, "before")
        pair.kill(1)
        for agent in t.agents:
            t.wait_for_log(agent, "BFGAG0059I", count=2)
        self.copy_small(t, "meanwhile")
        pair.start(1)
        for agent in t.agents:
            t.wait_for_log(agent, BACK)
            t.wait_for_log(agent, "BFGAG0059I", count=3)
        self.copy_small(t, "after")
        pair.kill(2)  # nobody needs it any more
        self.copy_small(t, "alone")

    def test_a_transfer_goes_on_at_the_next_queue_manager_and_goes_back_with_its_agents(self):
        pair = self.pair()
        t = self.topology(pair, SLOW).start()
        source, size = t.path("in/large"), 96 << 20
        transfer = LargeTransfer(t, source, size, write_large(source, size), ("-sd", "delete"), waits=False)
        self.addCleanup(transfer.close)
        self.assertTrue(transfer.until_it_has(size // 8))
        pair.kill(1)
        for agent in t.agents:
            t.wait_for_log(agent, "BFGAG0059I", count=2)
        t.wait_for_log("SRC", "BFGAG0929I")
        self.assertTrue(transfer.until_it_has(size // 3), "it goes on while the first one is down: " + t.log("SRC")[-3000:])
        pair.start(1)
        t.wait_for_log("SRC", BACK)
        self.assertEqual([], transfer.faults_at_the_end(), t.log("SRC")[-4000:] + t.log("DST")[-4000:])
        for number in (1, 2):
            for agent in t.agents:
                queue = "SYSTEM.FTE.STATE." + agent
                eventually(lambda: pair.depth(number, queue) == 0, lambda: "%s on %d: %s" % (queue, number, pair.depth(number, queue)))

    def test_each_queue_manager_is_killed_again_and_again_and_every_transfer_ends_well_and_once(self):
        seed = int(os.environ.get("BATON_SEED", random.randrange(1 << 30)))
        print("seed %d" % seed)
        chance = random.Random(seed)
        pair = self.pair()
        t = self.topology(pair, SLOW).start()
        source, size = t.path("in/large"), 160 << 20
        transfer = LargeTransfer(t, source, size, write_large(source, size), ("-bw", str(8 << 20), "-sd", "delete"), waits=False)
        self.addCleanup(transfer.close)
        os.makedirs(t.path("many"))
        for i in range(2000):
            with open(t.path("many", "f%04d" % i), "wb") as out:
                out.write(os.urandom(300))
        many = t.id_of(t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-bw", "40000", "-sd", "delete", "-dd", t.path("out"), t.path("many/*")))
        self.assertTrue(transfer.until_it_has(size // 32))
        for round in range(8):
            number = 1 + round % 2 if round < 6 else chance.choice((1, 2))
            pair.kill(number)
            pass_time(chance.uniform(0, 1.5))
            pair.start(number)
            pass_time(chance.uniform(0, 2.5))
        self.assertEqual([], transfer.faults_at_the_end(180), t.log("SRC")[-6000:] + t.log("DST")[-6000:])
        record = t.items_of(many)
        self.assertEqual(0, record["resultCode"], str(record)[:2000] + t.log("SRC")[-3000:])
        self.assertEqual(["f%04d" % i for i in range(2000)], sorted(os.listdir(t.path("out"))))
        self.assertEqual([], os.listdir(t.path("many")))

    def test_what_ended_at_the_next_queue_manager_is_not_begun_anew_at_the_first_after_a_restart(self):
        pair = self.pair()
        t = self.topology(pair, SLOW).start()
        source, size = t.path("in/large"), 32 << 20
        transfer = LargeTransfer(t, source, size, write_large(source, size), ("-bw", str(8 << 20)), waits=False)
        self.addCleanup(transfer.close)
        self.assertTrue(transfer.until_it_has(size // 4))
        pair.kill(1)
        self.assertEqual([], transfer.faults_at_the_end(), t.log("SRC")[-3000:])
        eventually(lambda: os.path.exists(t.home("SRC", "agent.ended")), "it is remembered")
        t.kill(t.pid("SRC"), signal.SIGKILL)
        t.wait_for_log("SRC", "BFGAG0059I", count=3)
        os.unlink(transfer.arrived)  # somebody has taken it
        pair.start(1)
        t.wait_for_log("SRC", "BFGAG0059I", count=4)
        eventually(lambda: pair.depth(1, "SYSTEM.FTE.STATE.SRC") == 0, lambda: "the old record goes: " + t.log("SRC")[-3000:])
        self.copy_small(t, "after")
        self.assertFalse(os.path.exists(transfer.arrived))

    def test_epochs_rise_over_queue_managers_that_share_nothing(self):
        pair = self.pair()
        t = self.topology(pair).start()
        for times in (1, 2):
            pair.kill(1)
            t.wait_for_log("SRC", "BFGAG0059I", count=2 * times)
            pair.start(1)
            t.wait_for_log("SRC", "BFGAG0059I", count=2 * times + 1)
        epochs = [int(line.split("epoch ")[1].split(";")[0]) for line in t.log("SRC").splitlines() if "BFGAG0915I" in line]
        self.assertEqual(5, len(epochs), t.log("SRC"))
        self.assertEqual(sorted(set(epochs)), epochs)

    def test_with_none_up_it_waits_without_burning_cpu_and_goes_on_with_whichever_comes(self):
        pair = self.pair()
        t = self.topology(pair).start()
        pair.kill(1)
        pair.kill(2)
        t.wait_for_log("SRC", "BFGAG0902W")
        pid = t.pid("SRC")
        tries = lambda: t.log("SRC").count("BFGAG0902W")  # noqa: E731
        before, cpu = tries(), self.cpu_ticks(pid)
        eventually(lambda: tries() >= before + 10, lambda: "it tries: " + t.log("SRC")[-2000:])
        self.assertLess(self.cpu_ticks(pid) - cpu, 50, "hundredths of a second for ten tries")
        pair.start(2)
        t.wait_for_log("SRC", "BFGAG0059I", count=2)
        t.wait_for_log("DST", "BFGAG0059I", count=2)
        self.copy_small(t, "late")

    @staticmethod
    def cpu_ticks(pid):
        with open("/proc/%d/stat" % pid) as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        return int(words[11]) + int(words[12])

    def test_a_list_beside_a_host_is_refused(self):
        pair = self.pair()
        t = self.topology(pair)
        t.set_properties("SRC", {"agentQMgrHost": "127.0.0.1"})
        done = t.run("fteStartAgent", "SRC")
        self.assertNotEqual(0, done.code, repr(done))
        self.assertIn("agentQMgrUrls and agentQMgrHost are both set", done.out + t.log("SRC"))
        done = t.run("fteCreateAgent", "-agentName", "X", "-agentQMgr", "Q", "-agentQMgrHost", "h", "-agentQMgrUrls", "amqp://h:1")
        self.assertEqual(1, done.code, repr(done))
        self.assertIn("takes the place of", done.out)
        done = t.run("fteCreateAgent", "-agentName", "X", "-agentQMgr", "Q", "-agentQMgrUrls", "http://h:1")
        self.assertIn("expected amqp://host:port or amqps://host:port", done.out)


class InstancesOfOne(ListTest):
    def test_the_active_instance_stays_the_active_one_when_its_queue_manager_is_lost(self):
        pair = self.pair()
        t = self.instances(broker=pair, properties=QUICK)
        t.start_on("one", "two")
        pair.kill(1)
        t.wait_active("one", count=2)
        eventually(lambda: t.roles("two") == 2, lambda: t.tails())
        self.assertFalse(t.is_active("two"))
        pair.start(1)
        t.wait_active("one", count=3)
        eventually(lambda: t.roles("two") == 3, lambda: t.tails())
        self.assertEqual("one", t.active())
        t.kill_instance("one", for_good=True)
        t.wait_active("two")  # it came along: it stands by where the active one was

    def test_an_instance_that_took_transfers_over_takes_them_along_to_the_first_queue_manager(self):
        pair = self.pair()
        t = self.instances(broker=pair, properties=SLOW, other_agents=("DST",))
        t.start_on("one", "two")
        t.start("DST")
        pair.kill(1)
        t.wait_active("one", count=2)
        transfers = []
        for i in range(5):
            source, size = t.path("in/large%d" % i), 24 << 20
            transfers.append(LargeTransfer(t, source, size, write_large(source, size), ("-bw", str(2 << 20)), waits=False))
            self.addCleanup(transfers[-1].close)
        for transfer in transfers:
            self.assertTrue(transfer.until_it_has(1 << 20))
        t.kill_instance("one", for_good=True)
        t.wait_active("two")
        pair.start(1)
        t.place["two"].wait_for_log("SRC", BACK)
        t.wait_active("two", count=2)
        for transfer in transfers:
            self.assertEqual([], transfer.faults_at_the_end(), t.tails() + t.log("DST")[-3000:])


class Coordination(ListTest):
    def test_the_coordination_service_hears_agents_on_whichever_queue_manager_they_publish(self):
        pair = self.pair()
        t = self.topology(pair, all_there=True).start()
        t.run("fteListAgents")
        pair.kill(1)
        for agent in t.agents:
            t.wait_for_log(agent, "BFGAG0059I", count=2)
        self.copy_small(t, "meanwhile")
        eventually(lambda: "meanwhile" in str(self.history(t)), lambda: "the transfer is in the history: %s" % self.history(t))
        pair.start(1)
        publish = lambda: pair.queue(1, "SYSTEM.FTE").get("producers")  # noqa: E731
        eventually(lambda: publish() == len(t.agents), lambda: "they publish to the first one again: %s" % publish())

    @staticmethod
    def history(t):
        shown = t.run("fteListTransfers", "--json")
        return shown.out + "".join(t.run("fteShowTransfer", word, "--json").out for word in set(re.findall("[0-9a-f]{48}", shown.out)))


if __name__ == "__main__":
    unittest.main()
