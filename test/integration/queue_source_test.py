"""Queues as sources: their messages become files, each once and in order, whoever dies."""
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from proton import Message
from proton.utils import BlockingConnection

from processes import eventually, pass_time
from relay import Relay
from topology import Topology, TopologyTest

PROPERTIES = {"enableQueueInputOutput": "true", "agentStatusPublishRateLimit": "0", "agentQMgrRetryInterval": "1",
              "transferAckTimeout": "3000", "recoverableTransferRetryInterval": "1000", "maxRestartCount": "100"}


def fill(t, queue, bodies, ids=True):
    connection = BlockingConnection("127.0.0.1:%d" % t.qmgr_port(), timeout=60)
    sender = connection.create_sender(queue)
    deliveries = []
    for number, body in enumerate(bodies):
        deliveries.append(sender.link.send(Message(body=body, durable=True, id="%s-%d" % (queue, number) if ids else None)))
        if len(deliveries) == 500 or number == len(bodies) - 1:
            connection.wait(lambda: all(d.settled for d in deliveries), msg="messages are accepted")
            deliveries = []
    connection.close()


def depth(t, queue):
    return {one["name"]: one["depth"] for one in t.json("fteShowQMgrDetails", t.QMGR)["queues"]}[queue]


def stored(t, text):
    """A durable message of the queue manager has this text."""
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % os.path.join(t.data, "qmgrs", t.QMGR, "store.db"), uri=True)) as store:
        return store.execute("SELECT count(*) FROM messages WHERE instr(body, ?) > 0", (text.encode(),)).fetchone()[0] > 0


class QueueSourceTest(TopologyTest):
    PROPERTIES = dict(PROPERTIES, maxInputOutputMessageLength="100000", maxMessagesForTransfer="2000", consumerSleepTime="300", standbyPollInterval="200")

    def queue(self, kind="shared"):
        name = "APP." + self.id().rsplit(".", 1)[1].upper()
        self.t.must("fteDefineQueue", "-m", self.t.QMGR, "-type", kind, name)
        return name

    # More messages than may be on their way to the spool at once: an end to them while it waits is not the queue's.
    MANY = 1500

    def on_a_full_disk(self, *words):
        """A transfer whose spool waits for room: its queue, its id, what is said of it, and what takes the room."""
        queue = self.queue()
        mount = self.t.home("SRC", "transfers")
        os.makedirs(mount, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", mount], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", mount])
        filler = os.path.join(mount, "filler")
        with open(filler, "wb") as out:
            out.write(bytes(3 << 20))
        self.bodies = ["%05d" % number + 2000 * "x" for number in range(self.MANY)]
        fill(self.t, queue, self.bodies)
        transfer = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-sq", queue, "-df", self.place("out"), *words))
        said = "BFGTR0038W: Transfer %s has no room here and waits: %s" % (transfer, mount)
        self.t.wait_for_log("SRC", said)
        return queue, transfer, said, filler

    def assert_all_moved(self, queue, transfer):
        self.assertEqual(0, self.t.items_of(transfer)["resultCode"], self.t.log("SRC")[-3000:])
        self.assertEqual("".join(self.bodies).encode(), self.read(self.place("out")))
        eventually(lambda: depth(self.t, queue) == 0, "no message is left")


class QueueSource(QueueSourceTest):
    def moved(self, queue, *words, source="SRC"):
        return self.t.transfer("-sq", queue, "-df", self.place("out"), "-sqdt", "\n", *words, source=source)

    def test_messages_become_a_file_and_leave_the_queue(self):
        queue = self.queue()
        fill(self.t, queue, ["message %d" % i for i in range(500)])
        done = self.moved(queue)
        self.assert_result(0, done)
        self.assertEqual("".join("message %d\n" % i for i in range(500)).encode(), self.read(self.place("out")))
        self.assertEqual(0, depth(self.t, queue))
        self.assert_no_part_files(self.place())

    def test_bytes_between_messages_come_before_or_behind(self):
        queue = self.queue()
        fill(self.t, queue, [b"a  ", b"", b"\x00c"])
        self.assert_result(0, self.t.transfer("-sq", queue + "@" + self.t.QMGR, "-df", self.place("out"), "-sqdb", "0x0d,0x0A", "-sqdp", "prefix", "-skeep"))
        self.assertEqual(b"\r\na  \r\n\r\n\x00c", self.read(self.place("out")))

    def test_what_is_more_than_the_limit_stays_for_the_next(self):
        queue = self.queue()
        fill(self.t, queue, ["%d" % i for i in range(4100)])
        for number in range(3):
            self.assert_result(0, self.t.transfer("-sq", queue, "-df", self.place("out%d" % number), "-sqdt", " "))
        read = b"".join(self.read(self.place("out%d" % number)) for number in range(3))
        self.assertEqual(list(range(4100)), [int(word) for word in read.split()])
        self.assertEqual(2000, len(self.read(self.place("out0")).split()))

    def test_an_empty_queue_is_said(self):
        queue = self.queue()
        done = self.moved(queue)
        self.assert_result(40, done)
        self.assertIn("BFGTR0050E", done.out)
        self.assertFalse(os.path.exists(self.place("out")))

    def test_an_empty_queue_is_waited_on(self):
        queue = self.queue()
        before = self.t.log("SRC").count("BFGTR0053I")
        done = self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-sq", queue, "-df", self.place("out"), "-sqwt", "3")
        fill(self.t, queue, ["late"])
        record = self.t.items_of(self.t.id_of(done))
        self.assertEqual(0, record["resultCode"], record)
        self.assertEqual(b"late", self.read(self.place("out")))
        self.assertEqual(before + 1, self.t.log("SRC").count("BFGTR0053I"))

    def test_a_queue_that_does_not_exist_is_said(self):
        done = self.moved("APP.NOT.THERE")
        self.assert_result(40, done)
        self.assertIn("BFGTR0048E", done.out)

    def test_a_queue_of_another_queue_manager_is_refused(self):
        done = self.moved(self.queue() + "@OTHER")
        self.assert_result(40, done)
        self.assertIn("BFGTR0055E", done.out)

    def test_a_message_that_is_too_large_or_no_bytes_stays(self):
        for body in ("x" * 100001, {"a": "map"}):
            queue = self.queue()
            fill(self.t, queue, ["fits", body])
            done = self.moved(queue)
            self.assert_result(40, done)
            self.assertIn("BFGTR0049E", done.out)
            eventually(lambda: depth(self.t, queue) == 2, "both messages are on the queue")
            self.t.must("fteDeleteQueue", "-m", self.t.QMGR, queue)

    def test_a_destination_that_exists_leaves_the_messages(self):
        queue = self.queue()
        fill(self.t, queue, ["one", "two"])
        self.write("out", b"mine")
        done = self.moved(queue)
        self.assert_result(40, done)
        self.assertEqual(b"mine", self.read(self.place("out")))
        eventually(lambda: depth(self.t, queue) == 2, "both messages are on the queue")
        self.assert_result(0, self.moved(queue, "-de", "overwrite"))
        self.assertEqual(b"one\ntwo\n", self.read(self.place("out")))

    def fill_groups(self, queue, messages):
        """(group, number, last) each; the body is what they are."""
        connection = BlockingConnection("127.0.0.1:%d" % self.t.qmgr_port(), timeout=60)
        sender = connection.create_sender(queue)
        for group, number, last in messages:
            sender.send(Message(body="%s%d" % (group, number), durable=True, group_id=group or None, group_sequence=number,
                                properties={"JMS_IBM_Last_Msg_In_Group": True} if last else None))
        connection.close()

    def test_a_group_of_messages_becomes_a_file_in_its_order(self):
        queue = self.queue()
        # c is complete before b, whose first comes late; a lacks one, and one message is of no group.
        self.fill_groups(queue, [("a", 1, False), ("", 1, True), ("b", 2, False), ("b", 3, True), ("c", 1, True), ("b", 1, False)])
        self.assert_result(0, self.moved(queue, "-sqgi"))
        self.assertEqual(b"c1\n", self.read(self.place("out")))
        self.assert_result(0, self.moved(queue, "-sqgi", "-de", "overwrite"))
        self.assertEqual(b"b1\nb2\nb3\n", self.read(self.place("out")))
        done = self.moved(queue, "-sqgi", "-de", "overwrite")
        self.assert_result(40, done)
        self.assertIn("BFGTR0058E", done.out)
        eventually(lambda: depth(self.t, queue) == 2, "the others are on the queue")
        self.fill_groups(queue, [("a", 2, True)])
        self.assert_result(0, self.moved(queue, "-sqgi", "-de", "overwrite"))
        self.assertEqual(b"a1\na2\n", self.read(self.place("out")))
        self.assert_result(0, self.moved(queue, "-de", "overwrite"))
        self.assertEqual(b"1\n", self.read(self.place("out")))

    def test_a_complete_group_is_waited_for(self):
        queue = self.queue()
        self.fill_groups(queue, [("a", 1, False)])
        done = self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-sq", queue, "-sqgi", "-df", self.place("out"), "-sqwt", "10")
        consumers = lambda: {one["name"]: one["consumers"] for one in self.t.json("fteShowQMgrDetails", self.t.QMGR)["queues"]}[queue]  # noqa: E731
        eventually(lambda: consumers() == 1, "the queue is read")
        self.fill_groups(queue, [("a", 2, True)])
        record = self.t.items_of(self.t.id_of(done))
        self.assertEqual(0, record["resultCode"], record)
        self.assertEqual(b"a1a2", self.read(self.place("out")))

    def test_a_group_is_found_again_in_whatever_order_it_is_on_the_queue(self):
        queue = self.queue()
        order = list(range(1, 301))
        random.Random(1).shuffle(order)
        self.fill_groups(queue, [message for number in order for message in (("x", number, number == 300), ("y", number, False))])
        before = self.t.log("SRC").count("BFGTR0053I")
        with self.t.frozen("DST"):
            transfer = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-sq", queue, "-sqgi", "-df", self.place("out"), "-sqdt", " "))
            self.t.wait_for_log("SRC", "BFGTR0053I", count=before + 1)
            ready = self.t.log("SRC").count("BFGAG0059I")
            os.kill(self.t.pid("SRC"), signal.SIGKILL)
            eventually(lambda: not self.t.pid("SRC"), "the agent has ended")
            shutil.rmtree(self.t.home("SRC", "transfers"))  # as on another host
            self.t.wait_for_log("SRC", "BFGAG0059I", count=ready + 1)
        self.assertEqual(0, self.t.items_of(transfer)["resultCode"], self.t.log("SRC")[-3000:])
        self.assertEqual(["x%d" % number for number in range(1, 301)], self.read(self.place("out")).decode().split())
        eventually(lambda: depth(self.t, queue) == 300, lambda: "the other group is on the queue: %d" % depth(self.t, queue))

    def test_options_that_make_no_sense_are_refused(self):
        for words, said in ((["-sq", "Q", "-dd", "/tmp"], "-df"), (["-sq", "Q", "-df", "/tmp/x", "/tmp/y"], "only source"),
                            (["-sq", "Q", "-df", "/tmp/x", "-t", "text"], "-t text"), (["-sq", "Q", "-df", "/tmp/x", "-sd", "delete"], "-sd"),
                            (["-sq", "Q", "-df", "/tmp/x", "-cs", "none"], "checksum"), (["-sq", "Q", "-df", "/tmp/x", "-sqdb", "0x1"], "-sqdb"),
                            (["-sqwt", "1", "-df", "/tmp/x", "/tmp/y"], "-sqwt"), (["-sqgi", "-df", "/tmp/x", "/tmp/y"], "-sqgi"), (["-skeep", "-df", "/tmp/x", "/tmp/y"], "-skeep"), (["-sq", "@", "-df", "/tmp/x"], "QUEUE")):
            done = self.t.transfer(*words)
            self.assertNotEqual(0, done.code, words)
            self.assertIn(said, done.out)

    def test_transfers_on_one_queue_take_turns(self):
        """Seen to fail when the links to the queue's journal stay open from turn to turn: the third waits for ever."""
        queue, turns = self.queue(), 3
        fill(self.t, queue, ["%d" % i for i in range(5000)])
        ids = [self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-sq", queue, "-sqx", "-df", self.place("out%d" % n), "-sqdt", " "))
               for n in range(turns)]
        for one in ids:
            self.assertEqual(0, self.t.items_of(one)["resultCode"])
        self.assertEqual(list(range(5000)), [int(word) for n in range(turns) for word in self.read(self.place("out%d" % n)).split()])
        self.assertNotIn("BFGTR0045W", self.t.log("SRC"))

    def test_an_exclusive_queue_is_waited_for_and_taken_over(self):
        queue = self.queue()
        fill(self.t, queue, ["one"])
        holder = self.t.stock_client()
        receiver = holder.create_receiver(queue, credit=0)
        done = self.t.must("fteCreateTransfer", "-sa", "DST", "-da", "SRC", "-sq", queue, "-sqx", "-df", self.place("out"))
        said = "BFGTR0045W: Queue %s is in exclusive use. It is tried again every 300 ms" % queue
        self.t.wait_for_log("DST", said)
        receiver.close()
        holder.close()
        self.assertEqual(0, self.t.items_of(self.t.id_of(done))["resultCode"])
        self.t.wait_for_log("DST", "BFGTR0046I: Queue %s is free" % queue)
        self.assertEqual(b"one", self.read(self.place("out")))
        self.assertEqual(1, self.t.log("DST").count(said))

    def test_messages_stay_until_the_destination_has_them(self):
        queue = self.queue()
        fill(self.t, queue, ["%d" % i for i in range(300)])
        before = self.t.log("SRC").count("BFGTR0053I")
        with self.t.frozen("DST"):
            transfer = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-sq", queue, "-df", self.place("out"), "-sqdt", " "))
            self.t.wait_for_log("SRC", "BFGTR0053I", count=before + 1)
            pass_time(0.5)
            self.assertEqual(300, depth(self.t, queue))
            ready = self.t.log("SRC").count("BFGAG0059I")
            os.kill(self.t.pid("SRC"), signal.SIGKILL)
            eventually(lambda: not self.t.pid("SRC"), "the agent has ended")
            shutil.rmtree(self.t.home("SRC", "transfers"))  # as on another host
            self.t.wait_for_log("SRC", "BFGAG0059I", count=ready + 1)
            self.assertEqual(300, depth(self.t, queue))
        self.assertEqual(0, self.t.items_of(transfer)["resultCode"], self.t.log("SRC")[-3000:])
        self.assertEqual(list(range(300)), [int(word) for word in self.read(self.place("out")).split()])
        eventually(lambda: depth(self.t, queue) == 0, "no message is left")

    def test_a_full_disk_of_the_reader_is_waited_for(self):
        queue, transfer, said, filler = self.on_a_full_disk()
        pass_time(1)  # twice as long as a silence that ends a file elsewhere
        self.assertEqual(self.MANY, depth(self.t, queue))
        os.unlink(filler)
        self.assert_all_moved(queue, transfer)
        self.assertEqual(1, self.t.log("SRC").count(said), "it is said once")

    def test_a_waiting_transfer_can_be_cancelled(self):
        queue = self.queue()
        fill(self.t, queue, ["one"])
        holder = self.t.stock_client()
        receiver = holder.create_receiver(queue, credit=0)
        transfer = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "DST", "-da", "SRC", "-sq", queue, "-sqx", "-df", self.place("out")))
        eventually(lambda: queue in self.t.log("DST"), "it waits")
        self.t.must("fteCancelTransfer", "-a", "DST", transfer)
        self.assertEqual(41, self.t.items_of(transfer)["resultCode"])
        receiver.close()
        holder.close()
        self.assertEqual(1, depth(self.t, queue))


class LosesItsQueue(QueueSourceTest):
    """The connection to the queue ends, and that of the agent does not."""

    @classmethod
    def setUpClass(cls):
        cls.t = Topology(cls.AGENTS, cls.PROPERTIES)
        cls.addClassCleanup(cls.t.close)
        cls.relay = Relay(cls.t.qmgr_port())
        cls.addClassCleanup(lambda: cls.relay.close())
        cls.t.set_properties("SRC", {"agentQMgrHost": "127.0.0.1", "agentQMgrPort": str(cls.relay.port)})
        cls.t.start()

    def test_while_its_disk_is_full(self):
        queue, transfer, _, filler = self.on_a_full_disk("-sqx")
        agent = self.t.pid("SRC")
        os.unlink(filler)
        until = time.monotonic() + 2.5  # the spool looks for room once a second: nothing that comes of it may need the connection
        while time.monotonic() < until:
            self.relay.cut(b"SYSTEM.FTE.QUEUE." + queue.encode())  # its journal is read on the same connection
            pass_time(0.005)
        self.t.wait_for_log("SRC", "BFGTR0047W")
        self.assertEqual(agent, self.t.pid("SRC"), "the agent has gone on: " + self.t.log("SRC")[-3000:])
        self.assert_all_moved(queue, transfer)
        self.assertEqual(agent, self.t.pid("SRC"), "it was not started again")


class ReadersDie(unittest.TestCase):
    """Two agents read one queue exclusively, one file after the other. Who reads is killed, or the queue manager is. The
    files hold each number once, and each file in order. BATON_QUEUE_MESSAGES, BATON_QUEUE_KILLS: more than usual."""
    MESSAGES = int(os.environ.get("BATON_QUEUE_MESSAGES", "12000"))
    KILLS = int(os.environ.get("BATON_QUEUE_KILLS", "6"))
    READERS = ("ONE", "TWO")

    def read_all(self, kill):
        seed = int(os.environ.get("BATON_TEST_SEED", random.randrange(1 << 30)))
        print("seed", seed, flush=True)
        order = random.Random(seed)
        t = Topology((*self.READERS, "DST"), dict(PROPERTIES, exclusive="true", consumerSleepTime="1000", standbyPollInterval="200",
                                                  maxMessagesForTransfer="1000"))
        self.addCleanup(t.close)
        t.start()
        t.must("fteDefineQueue", "-m", t.QMGR, "-type", "shared", "NUMBERS")
        fill(t, "NUMBERS", ["%d" % number for number in range(self.MESSAGES)])
        running, asked = {}, []
        kills = 0
        while depth(t, "NUMBERS") > 0 or kills < self.KILLS and running:
            for reader in self.READERS:
                if reader in running and not self.ended(t, running[reader]):
                    continue
                running.pop(reader, None)
                if depth(t, "NUMBERS") == 0:
                    continue
                asked.append(t.path("out", "%s-%d" % (reader, len(asked))))
                running[reader] = t.id_of(t.must("fteCreateTransfer", "-sa", reader, "-da", "DST", "-sq", "NUMBERS", "-sqdt", "\n", "-df", asked[-1]))
            if kills < self.KILLS:
                pass_time(order.uniform(0, 0.9))
                kill(t, order)
                kills += 1
        for transfer in running.values():
            eventually(lambda: self.ended(t, transfer), "transfer %s ends" % transfer)
        return t, asked

    @staticmethod
    def ended(t, transfer):
        shown = t.run("fteShowTransfer", transfer, "--json")
        return shown.code == 0 and json.loads(shown.out)["resultCode"] != -1

    def assert_each_once(self, t, files):
        found = []
        for path in files:
            if not os.path.exists(path):
                continue  # there was nothing left for it, or its messages are in another file
            with open(path) as lines:
                numbers = [int(line) for line in lines]
            self.assertEqual(sorted(numbers), numbers, path)
            found += numbers
        twice = sorted({number for number in found if found.count(number) > 1}) if len(found) != len(set(found)) else []
        missing = sorted(set(range(self.MESSAGES)) - set(found))
        logs = "".join(line + "\n" for reader in self.READERS for line in t.log(reader).splitlines() if "BFGTR" in line)
        self.assertEqual(([], []), (missing[:20], twice[:20]), "%d missing, %d twice\n%s" % (len(missing), len(twice), logs[-6000:]))
        parts = lambda: [name for name in os.listdir(t.path("out")) if name.endswith(".part")]  # noqa: E731
        eventually(lambda: not parts(), lambda: "no part files: %s" % parts())

    def test_who_reads_is_killed(self):
        def kill(t, order):
            reader = order.choice(self.READERS)
            pid = t.pid(reader)
            if pid:
                os.kill(pid, signal.SIGKILL)
        t, files = self.read_all(kill)
        self.assert_each_once(t, files)

    def test_the_queue_manager_is_killed(self):
        def kill(t, order):
            pid = t.qmgr_pid()
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: t.run("fteStartQMgr", t.QMGR).code == 0, "the queue manager is back")
        t, files = self.read_all(kill)
        self.assert_each_once(t, files)


class Overtaken(unittest.TestCase):
    """A reader is stopped when all is settled but that the queue manager does not know it yet, and another one reads the
    queue meanwhile."""

    def test_messages_that_another_reader_took_meanwhile_are_not_in_two_files(self):
        t = Topology(("ONE", "TWO", "DST"), dict(PROPERTIES, exclusive="true", consumerSleepTime="500", standbyPollInterval="200",
                                                 transferAckTimeout="60000"))
        self.addCleanup(t.close)
        # What comes behind this on its connection is that the messages are settled.
        relay = Relay(t.qmgr_port(), swallows_behind=lambda content: b"queue.journal" in content and b'"sequence":0' not in content)
        self.addCleanup(relay.close)
        t.set_properties("ONE", {"agentQMgrHost": "127.0.0.1", "agentQMgrPort": str(relay.port)})
        t.start()
        t.must("fteDefineQueue", "-m", t.QMGR, "-type", "shared", "NUMBERS")
        fill(t, "NUMBERS", ["%d" % number for number in range(500)])
        move = lambda agent: t.id_of(t.must("fteCreateTransfer", "-sa", agent, "-da", "DST", "-sq", "NUMBERS", "-sqdt", "\n", "-df", t.path(agent)))  # noqa: E731
        first = move("ONE")
        self.assertTrue(relay.swallowed.wait(60), t.log("ONE")[-3000:])
        eventually(lambda: stored(t, '"messagesTaken":true'), "the record says that the messages are being taken off")
        self.assertEqual(500, depth(t, "NUMBERS"))
        with t.frozen("ONE"):
            second = move("TWO")
            self.assertEqual(0, t.items_of(second)["resultCode"], t.log("TWO")[-3000:])
        ended = t.items_of(first)
        with open(t.path("TWO")) as lines:
            self.assertEqual(["%d\n" % number for number in range(500)], list(lines))
        self.assertFalse(os.path.exists(t.path("ONE")), ended)
        self.assertEqual(40, ended["resultCode"], ended)
        self.assertIn("BFGTR0051E", t.log("ONE"))
        self.assertNotIn("BFGTR0052W", t.log("ONE"))


class NotEnabled(TopologyTest):
    def test_queues_are_not_read_unless_that_is_permitted(self):
        done = self.t.transfer("-sq", "ANY", "-df", self.place("out"))
        self.assert_result(40, done)
        self.assertIn("BFGTR0054E", done.out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
