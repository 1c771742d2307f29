"""Transfers go on from their last checkpoint, with nothing but STATE and the file systems, and nothing is lost on the way.

Seen to fail with what they guard taken out:
- kill of the destination: when destination records are not saved, it goes on at byte 0;
- lost data folders: when parts of the plan are not put together, the source waits and says BFGTR0031W;
- deleting: when what the record says is being deleted is not adopted, sources that are gone are reported as missing.
- lost result: when the file that is there is replaced by one with the same bytes, it is another inode.
- left behind: when the end of the transfer names no directories, the parts stay.
The tests with paused agents have no such proof yet: with one instance an agent meets nobody but itself.
"""
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from processes import SANITIZED  # noqa: E402
from relay import Relay  # noqa: E402
from topology import Topology, eventually  # noqa: E402

PROPERTIES = {"agentQMgrRetryInterval": "1", "transferAckTimeout": "3000", "recoverableTransferRetryInterval": "2000",
              "maxRestartCount": "50", "agentCheckpointInterval": "1"}
LARGE_BYTES = (96 if SANITIZED else 768) << 20  # some seconds either way


class Recovery(unittest.TestCase):
    PROPERTIES = PROPERTIES

    def setUp(self):
        self.t = Topology(properties=self.PROPERTIES)
        self.addCleanup(self.t.close)
        os.makedirs(self.t.path("in"))

    def start_direct(self, agent):
        before = self.t.log(agent).count("BFGAG0059I")
        self.t.launch(agent)
        eventually(lambda: self.t.log(agent).count("BFGAG0059I") > before, lambda: "agent %s is ready; its exit code is %s: %s" % (agent, self.t.launched[agent].poll(), self.t.log(agent)[-4000:]))


class LargeFile(Recovery):
    def start_large(self):
        """Begins a transfer of one large file and waits until some of it has been written."""
        block = os.urandom(1 << 20)
        with open(self.t.path("in/large"), "wb") as out:
            for i in range(LARGE_BYTES >> 20):
                out.write(i.to_bytes(8, "big") + block[8:])
        self.transfer = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-df", self.t.path("out/large"), self.t.path("in/large")))
        self.until_part_has(LARGE_BYTES // 8)

    def part_bytes(self):
        try:
            return max([os.path.getsize(self.t.path("out", n)) for n in os.listdir(self.t.path("out")) if n.endswith(".part")], default=0)
        except FileNotFoundError:
            return 0

    def until_part_has(self, size):
        eventually(lambda: self.part_bytes() >= size, "data arrives")

    def kill_in_the_middle(self, agent, share):
        """When that share has been written, and records of most of it have reached the queue manager: an agent's answer
        comes behind what it sent before."""
        self.until_part_has(LARGE_BYTES * share)
        with self.t.frozen("DST" if agent == "SRC" else "SRC"):
            self.t.must("ftePingAgent", agent)
            self.assertFalse(os.path.exists(self.t.path("out/large")), "it was still under way")
            self.t.kill_launched(agent)

    def assert_arrived(self):
        record = self.t.items_of(self.transfer)
        self.assertEqual(0, record["resultCode"], str(record)[:2000] + self.t.log("SRC")[-3000:] + self.t.log("DST")[-3000:])
        subprocess.run(["cmp", self.t.path("in/large"), self.t.path("out/large")], check=True)
        self.assertEqual(["large"], os.listdir(self.t.path("out")))

    def assert_went_on_in_the_middle(self, agent):
        places = re.findall(r"BFGTR0027I: Transfer %s goes on at item (\d+), byte (\d+)" % self.transfer, self.t.log(agent))
        self.assertTrue(places, self.t.log(agent)[-3000:])
        self.assertGreater(int(places[-1][1]), 0, places)

    def test_a_killed_destination_goes_on_from_its_checkpoint(self):
        self.t.start("SRC")
        self.start_direct("DST")
        self.start_large()
        self.kill_in_the_middle("DST", 0.4)
        self.start_direct("DST")
        self.assert_arrived()
        self.assert_went_on_in_the_middle("DST")
        self.assertIn("BFGTR0028I", self.t.log("DST"))

    def test_a_source_and_then_a_destination_without_their_data_folders_go_on(self):
        for agent in ("SRC", "DST"):
            self.start_direct(agent)
        self.start_large()
        for agent, share in (("SRC", 0.3), ("DST", 0.6)):
            self.kill_in_the_middle(agent, share)
            shutil.rmtree(self.t.home(agent, "transfers"), ignore_errors=True)
            self.start_direct(agent)
        self.assert_arrived()
        self.assert_went_on_in_the_middle("SRC")
        self.assert_went_on_in_the_middle("DST")

    def test_a_paused_destination_harms_nothing(self):
        self.start_direct("SRC")
        self.t.start("DST")
        self.start_large()
        paused = self.t.pid("DST")
        os.kill(paused, signal.SIGSTOP)
        eventually(lambda: "BFGTR0005W" in self.t.log("SRC"), "the source misses its answers")
        os.kill(paused, signal.SIGCONT)
        self.assert_arrived()

    def test_a_paused_source_harms_nothing(self):
        self.t.start("SRC")  # with a controller: the queue manager drops who is silent, and a bindings agent then ends
        self.start_direct("DST")
        self.start_large()
        paused = self.t.pid("SRC")
        os.kill(paused, signal.SIGSTOP)
        self.assertNotEqual(0, self.t.run("ftePingAgent", "-w", "5", "SRC").code)  # which takes its time
        os.kill(paused, signal.SIGCONT)
        self.assert_arrived()


class LargeFileThroughTheQueue(LargeFile):
    PROPERTIES = dict(PROPERTIES, agentDataDirect="false")

    def assert_arrived(self):
        super().assert_arrived()
        self.assertNotIn("BFGTR0033I", self.t.log("SRC"), "data went past the queue")


class Deleting(Recovery):
    def test_no_source_is_lost_or_miscounted_when_its_agent_is_killed_while_deleting(self):
        seed = int(os.environ.get("BATON_SEED", random.randrange(1 << 30)))
        print("seed %d" % seed)
        chance = random.Random(seed)
        count, kills = 3000, 20
        content = {"f%04d" % i: b"%d " % i * chance.randrange(1, 300) for i in range(count)}
        for name, data in content.items():
            with open(self.t.path("in", name), "wb") as out:
                out.write(data)
        for agent in ("SRC", "DST"):
            self.start_direct(agent)
        done = self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-sd", "delete", "-dd", self.t.path("out"), self.t.path("in/f*"))
        transfer = self.t.id_of(done)
        left = lambda: len(os.listdir(self.t.path("in")))
        for at in sorted((chance.randrange(1, count) for _ in range(kills)), reverse=True):
            eventually(lambda: left() <= at, "fewer than %d sources are left: %s" % (at, self.t.log("SRC")[-2000:]))
            self.t.kill_launched("SRC")
            there = set(os.listdir(self.t.path("in"))) | set(os.listdir(self.t.path("out")))
            self.assertEqual(set(), set(content) - there)
            self.start_direct("SRC")
        record = self.t.items_of(transfer)
        self.assertEqual(0, record["resultCode"], str(record)[:3000])
        self.assertEqual(0, left())
        self.assertEqual(sorted(content), sorted(os.listdir(self.t.path("out"))))
        for name, data in content.items():
            with open(self.t.path("out", name), "rb") as arrived:
                self.assertEqual(data, arrived.read(), name)
        self.assertEqual([], [i for i in record["items_list"] if i["resultCode"] != 0])
        self.assertNotIn("BFGTR0022E", self.t.log("SRC"))


class LostResult(unittest.TestCase):
    """The destination is not heard any more from the middle of the item on, until it has given it its name: then its
    connection, and with it the result, is lost."""

    def test_an_item_whose_result_was_lost_appears_once_and_is_reported_once(self):
        t = Topology(properties=dict(PROPERTIES, agentDataDirect="false", agentWindowSize="200"))
        self.addCleanup(t.close)
        relay = Relay(t.qmgr_port())
        self.addCleanup(relay.close)
        t.set_properties("DST", {"agentQMgrHost": "127.0.0.1", "agentQMgrPort": str(relay.port)})
        t.start()
        with open(t.path("source"), "wb") as out:
            out.write(os.urandom(2 << 20))  # less than the window, so that no acknowledgement is needed for the rest
        arrived = t.path("out/arrived")
        done = t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-bw", str(1 << 20), "-df", arrived, t.path("source"))
        eventually(lambda: os.path.isdir(t.path("out")) and os.listdir(t.path("out")), "data arrives")
        relay.hold_clients()
        self.assertFalse(os.path.exists(arrived), "its result is still to come")
        eventually(lambda: os.path.exists(arrived), lambda: "all of it arrives: %s" % t.log("DST")[-2000:])
        before = os.stat(arrived)
        relay.cut()
        relay.release()
        record = t.items_of(t.id_of(done))
        self.assertEqual((0, 1, 1), (record["resultCode"], record["items"], len(record["items_list"])), record)
        self.assertIn("BFGTR0027I", t.log("DST"), "it went on behind the loss")
        self.assertEqual(before.st_ino, os.stat(arrived).st_ino, "it is the one that had arrived")
        subprocess.run(["cmp", t.path("source"), arrived], check=True)
        self.assertEqual(["arrived"], os.listdir(t.path("out")))


class LeftBehind(Recovery):
    PROPERTIES = dict(PROPERTIES, agentCheckpointInterval="1000")  # so that nothing of it is on STATE

    def parts(self):
        return sorted(os.path.join(at, name) for at, _, names in os.walk(self.t.path("out")) for name in names if name.endswith(".part"))

    def test_a_destination_that_died_leaves_no_parts_of_what_was_cancelled_meanwhile(self):
        for name in ("one", "two"):
            os.makedirs(self.t.path("in", name))
            with open(self.t.path("in", name, "file"), "wb") as out:
                out.write(os.urandom(1 << 20))
        for agent in ("SRC", "DST"):
            self.start_direct(agent)
        transfer = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-bw", str(1 << 17), "-r", "-dd", self.t.path("out"), self.t.path("in")))
        eventually(self.parts, "data arrives")
        self.t.kill_launched("DST")
        self.assertTrue(self.parts(), "it was killed in the middle")
        of_another = self.parts()[0].replace(transfer[:12], "0123456789ab")
        with open(of_another, "wb"):
            pass
        self.t.must("fteCancelTransfer", "-a", "SRC", transfer)
        self.assertNotEqual(0, self.t.items_of(transfer)["resultCode"])
        self.start_direct("DST")
        eventually(lambda: self.parts() == [of_another], lambda: "they are gone: %s" % self.parts())


if __name__ == "__main__":
    unittest.main(verbosity=2)
