"""The direct channel between two agents: used when it can be, never needed, and nothing for strangers."""
import os
import random
import re
import signal
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from namespaces import Namespace
from processes import SANITIZED, eventually, pass_time
from topology import Topology, TopologyTest

DIRECT, QUEUED, STRANGER = "BFGTR0033I", "BFGTR0034W", "BFGTR0035W"
PORT = 4711  # in a namespace of its own
CUTS = int(os.environ.get("BATON_CUTS", "3"))  # scripts/chaos cut has more
CUTS_OF_ONE = 4  # of one transfer at most: each that a new channel meets doubles the time until the next
CUT_S = 8.0  # the longest; silence is noticed after 5
WINDOW_MIB = 16  # of chunks through the queue manager
BACK_S = 150


def write_large(path, mebibytes):
    with open(path, "wb") as out:
        for _ in range(mebibytes):
            out.write(os.urandom(1 << 20))
    return path


class Direct(TopologyTest):
    def large(self, mebibytes=20):
        os.makedirs(self.place(), exist_ok=True)
        return write_large(self.place("large"), mebibytes)

    def data_port(self):
        """Of DST, by the log of SRC."""
        self.assert_result(0, self.t.transfer("-df", self.place("for-the-port"), self.large()))
        return int(re.findall(DIRECT + r": .* at 127\.0\.0\.1:(\d+) \(clear text\)", self.t.log("SRC"))[-1])

    def test_large_transfers_go_directly_and_small_ones_do_not(self):
        large = self.t.transfer("-df", self.place("out/large"), self.large())
        self.assert_result(0, large)
        self.assertIn("%s: Transfer %s sends its data directly to DST" % (DIRECT, self.t.id_of(large)), self.t.log("SRC"))
        self.assertEqual(self.read(self.place("large")), self.read(self.place("out/large")))
        small = self.t.transfer("-df", self.place("out/small"), self.write("small"))
        self.assert_result(0, small)
        self.assertNotIn("%s: Transfer %s" % (DIRECT, self.t.id_of(small)), self.t.log("SRC"))

    def test_a_limit_holds_back_its_transfer_and_no_other(self):
        source = self.large()
        limited = self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-bw", "20000", "-df", self.place("limited"), source)
        self.t.wait_for_log("SRC", "%s: Transfer %s" % (DIRECT, self.t.id_of(limited)))
        for name in ("one", "two", "three"):
            self.assert_result(0, self.t.transfer("-df", self.place(name), source))
        self.assertFalse(os.path.exists(self.place("limited")))
        self.assertNotIn("Transfer %s has ended" % self.t.id_of(limited), self.t.log("SRC"))
        self.t.must("fteCancelTransfer", "-a", "SRC", self.t.id_of(limited))
        self.t.wait_for_log("SRC", "Transfer %s has ended with result 41" % self.t.id_of(limited))

    def stranger(self, port, words, told=True):
        """What a stranger that says this is answered."""
        before = self.t.log("DST").count(STRANGER)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
            try:
                peer.sendall(words)
                answer = peer.recv(1000)
            except ConnectionError:
                answer = b""
        if told:
            eventually(lambda: self.t.log("DST").count(STRANGER) > before, "the stranger is in the log")
        return answer

    def test_strangers_get_nothing(self):
        port = self.data_port()
        process, memory = self.t.pid("DST"), self.t.peak_memory_mib("DST")
        for words in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + b" " * 40, b"BTNC\x01" + os.urandom(32),
                      b"BTNC\x02" + os.urandom(32), os.urandom(100), b""):
            self.assertEqual(b"", self.stranger(port, words), words)
        zeros = bytes(1 << 20)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
            with self.assertRaises(ConnectionError):
                for _ in range(1024):
                    peer.sendall(zeros)
        silent = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(300)]
        self.addCleanup(lambda: [one.close() for one in silent])
        if not SANITIZED:  # which keeps what was freed
            self.assertLess(self.t.peak_memory_mib("DST"), memory + 8)
        # A source that finds the door crowded goes another way.
        self.assert_result(0, self.t.transfer("-df", self.place("meanwhile"), self.large()))
        for one in silent:
            try:
                self.assertEqual(b"", one.recv(100))
            except ConnectionError:
                pass
        self.assertEqual(process, self.t.pid("DST"))
        if not SANITIZED:
            self.assertLess(self.t.peak_memory_mib("DST"), memory + 8 + WINDOW_MIB)
        self.assertLess(self.t.log("DST").count(STRANGER), 50)


class SwitchedOff(unittest.TestCase):
    def test_at_one_side_is_off_and_is_no_trouble(self):
        for agent in ("SRC", "DST"):
            t = Topology()
            self.addCleanup(t.close)
            t.set_properties(agent, {"agentDataDirect": "false"})
            t.start()
            source = write_large(t.path("large"), 5)
            done = t.transfer("-df", t.path("out"), source)
            self.assertEqual(0, done.code, repr(done))
            self.assertNotIn(DIRECT, t.log("SRC"))
            self.assertNotIn(QUEUED, t.log("SRC"))

    def test_a_port_that_is_taken_is_said_and_the_queue_is_used(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            t = Topology()
            self.addCleanup(t.close)
            t.set_properties("DST", {"agentDataPort": str(other.getsockname()[1])})
            t.start()
            self.assertIn("BFGTR0036W", t.log("DST"))
            done = t.transfer("-df", t.path("out"), write_large(t.path("large"), 5))
            self.assertEqual(0, done.code, repr(done))
            self.assertNotIn(DIRECT, t.log("SRC"))

    def test_clear_text_for_other_hosts_has_to_be_asked_for(self):
        t = Topology()
        self.addCleanup(t.close)
        t.set_properties("DST", {"agentDataHost": "10.1.2.3"})
        done = t.run("fteStartAgent", "DST")
        self.assertNotEqual(0, done.code)
        self.assertIn("agentDataAllowPlain=true", done.out + t.log("DST"))


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class CutCable(unittest.TestCase):
    def setUp(self):
        self.space = Namespace()
        self.addCleanup(self.space.close)
        self.t = Topology(inside=self.space.inside())
        self.addCleanup(self.t.close)
        self.t.set_properties("DST", {"agentDataPort": str(PORT)})
        self.t.set_properties("SRC", {"agentBandwidthLimit": "3000000"})
        self.t.start()

    def transfer_while(self, happens, mebibytes=200):
        source = write_large(self.t.path("large"), mebibytes)
        done = self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-df", self.t.path("out"), source)
        happens()
        self.t.set_properties("SRC", {"agentBandwidthLimit": "0"})
        os.kill(self.t.pid("SRC"), signal.SIGHUP)
        record = self.t.items_of(self.t.id_of(done))
        self.assertEqual(0, record["resultCode"], self.t.log("SRC")[-3000:] + self.t.log("DST")[-3000:])
        with open(source, "rb") as a, open(self.t.path("out"), "rb") as b:
            self.assertEqual(a.read(), b.read())

    def parts(self):
        return [name for name in os.listdir(self.t.root) if name.endswith(".part")]

    def test_a_channel_that_breaks_is_done_without_and_taken_again(self):
        def cut_and_mend():
            for how in ("tcp-reset", "DROP"):
                eventually(lambda: DIRECT in self.t.log("SRC") and self.parts(), "data moves directly")
                before = self.t.log("SRC").count(DIRECT)
                lost = self.t.log("SRC").count(QUEUED)
                with self.t.frozen("DST"):
                    self.space.cut(PORT, how)
                self.t.wait_for_log("SRC", QUEUED, count=lost + 1)
                self.space.mend()
                self.t.wait_for_log("SRC", DIRECT, count=before + 1)
        self.transfer_while(cut_and_mend)

    def test_cuts_at_random(self):
        seed = int(os.environ.get("BATON_SEED", random.randrange(1 << 30)))
        print("seed %d" % seed, file=sys.stderr)
        chance = random.Random(seed)

        def cut_and_mend(times):
            for _ in range(times):
                pass_time(chance.uniform(0, 2))
                self.space.cut(PORT, chance.choice(("tcp-reset", "DROP")), chance.choice(("--dport", "--sport")))
                pass_time(chance.uniform(0, CUT_S))
                self.space.mend()
            # Whenever the last cut is noticed: the better way is found again.
            eventually(self.is_direct, lambda: "data moves directly again: %s" % self.t.log("SRC")[-3000:], BACK_S)

        for done in range(0, CUTS, CUTS_OF_ONE):
            self.transfer_while(lambda: cut_and_mend(min(CUTS_OF_ONE, CUTS - done)), 700)
            os.unlink(self.t.path("out"))
            self.t.set_properties("SRC", {"agentBandwidthLimit": "3000000"})
            os.kill(self.t.pid("SRC"), signal.SIGHUP)

    def is_direct(self):
        """By what the transfer's progress says."""
        shown = self.t.run("fteListTransfers", "--json")
        return shown.code == 0 and '"direct"' in shown.out

    def test_a_channel_that_cannot_be_made(self):
        self.space.cut(PORT)
        self.transfer_while(lambda: None)
        self.assertIn(QUEUED, self.t.log("SRC"))
        self.assertNotIn(DIRECT, self.t.log("SRC"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
