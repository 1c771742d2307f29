"""kill -9 of an agent or of the queue manager just before a step that others can see: a write, a sync, a rename, something
that is sent. Each transfer ends all the same, right and once.

For each case the steps of one transfer are counted first; then it is done again for some of them, chosen at random, and
whoever was killed is started again. BATON_STEPS: how many for each case (5), or all. BATON_TEST_SEED: the same ones again.
"""
import json
import mmap
import os
import random
import shutil
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from proton import Message
from proton.utils import BlockingConnection

from processes import ROOT, alive, eventually
from topology import Topology

LIBRARY = os.environ.get("BATON_DIES_AT_STEP", os.path.join(ROOT, "build", "release", "test", "steps", "libdies_at_step.so"))
STEPS = os.environ.get("BATON_STEPS", "5")
NEVER = (1 << 64) - 1
MESSAGES = 40
PROPERTIES = {"enableQueueInputOutput": "true", "agentQMgrRetryInterval": "1", "transferAckTimeout": "3000",
              "recoverableTransferRetryInterval": "1000", "agentWindowSize": "2"}
FILES = {"empty": b"", "small": b"content\n", "large": os.urandom(600000), "directory/other": b"other\n"}


class Sheet:
    """What dies_at_step.cpp counts, and before which step it kills."""
    def __init__(self, path):
        self.path = path
        with open(path, "wb") as out:
            out.write(bytes(64))
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 64)

    def arm(self, step):
        self.shared[16:64] = bytes(48)
        self.shared[0:16] = struct.pack("QQ", 0, step)

    def disarm(self):
        self.shared[8:16] = bytes(8)

    def count(self):
        return struct.unpack("Q", self.shared[0:8])[0]

    def name(self):
        return self.shared[16:64].rstrip(b"\0").decode()

    def environment(self):
        """A sanitizer wants to be the first library, and need not be."""
        return {"LD_PRELOAD": LIBRARY, "BATON_STEPS_SHEET": self.path,
                "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}


class Steps(unittest.TestCase):
    def setUp(self):
        self.t = t = Topology(properties=PROPERTIES)
        self.addCleanup(t.close)
        self.sheets = {who: Sheet(t.path("steps-" + who)) for who in ("SRC", "DST", "QMGR")}
        self.port = t.qmgr_port()
        t.kill(t.qmgr_pid(), 15)
        eventually(lambda: t.qmgr_pid() is None, "the queue manager has ended")
        for who in ("QMGR", "SRC", "DST"):
            self.begin(who)
        seed = int(os.environ.get("BATON_TEST_SEED", random.randrange(1 << 30)))
        print("\nseed", seed, flush=True)
        self.order = random.Random(seed)

    def begin(self, who):
        t, before = self.t, self.t.env
        ready = t.log(who).count("BFGAG0059I")
        t.env = {**before, **self.sheets[who].environment()}
        try:
            if who == "QMGR":
                return t.must("fteStartQMgr", t.QMGR, "-p", str(self.port))
            if who in t.launched:
                t.kill_launched(who)
            t.launch(who)
        finally:
            t.env = before
        t.wait_for_log(who, "BFGAG0059I", count=ready + 1)

    def pid(self, who):
        return self.t.qmgr_pid() if who == "QMGR" else self.t.pid(who)

    def one(self, case, victim, step):
        """One transfer, with the victim killed before that step of its own; whether it was."""
        sheet, pid = self.sheets[victim], self.pid(victim)
        case.prepare()
        # All steps are behind the request, which the command knows to be accepted.
        with self.t.frozen("SRC"):
            self.transfer = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", *case.words()))
            sheet.arm(step)
        eventually(lambda: not alive(pid) or self.has_ended(), lambda: "it goes on: %s" % self.logs())
        sheet.disarm()
        died = not alive(pid)
        if died:
            self.begin(victim)
            if victim == "QMGR":  # agents that are not highly available end with it, and their controllers start them again
                for agent in ("SRC", "DST"):
                    self.t.launched[agent].wait(60)
                    self.begin(agent)
        record = self.t.items_of(self.transfer)
        what = "%s killed before its step %d, %s" % (victim, step, sheet.name()) if died else "%s not killed" % victim
        self.assertEqual((0, case.ITEMS, case.ITEMS), (record["resultCode"], record["items"], len(record["items_list"])), (what, record, self.logs()))
        case.check(what)
        return died

    def has_ended(self):
        shown = self.t.run("fteShowTransfer", self.transfer, "--json")
        return shown.code == 0 and json.loads(shown.out)["resultCode"] != -1

    def logs(self):
        return "".join("\n--- %s\n%s" % (who, self.t.log(who)[-3000:]) for who in ("SRC", "DST"))

    def each(self, case, victim):
        self.assertFalse(self.one(case, victim, NEVER))
        total = self.sheets[victim].count()
        self.assertGreater(total, 10, "steps were counted")
        steps = list(range(1, total + 1))
        if STEPS != "all":
            steps = sorted(self.order.sample(steps, min(int(STEPS), total)))
        died = [step for step in steps if self.one(case, victim, step)]
        print("%s of %s: %d steps, killed before %d of them" % (victim, type(case).__name__, total, len(died)), flush=True)
        self.assertTrue(died, "it was killed at all")


class FromQueue:
    """Messages become a file, and leave their queue."""
    ITEMS = 1

    def __init__(self, test):
        self.t, self.test, self.number = test.t, test, 0
        self.t.must("fteDefineQueue", "-m", self.t.QMGR, "-type", "shared", "NUMBERS")

    def prepare(self):
        self.number += 1
        self.target = self.t.path("out", "file%d" % self.number)
        connection = BlockingConnection("127.0.0.1:%d" % self.t.qmgr_port(), timeout=60)
        sender = connection.create_sender("NUMBERS")
        for number in range(MESSAGES):
            sender.send(Message(body="%d" % number, durable=True, id="%d-%d" % (self.number, number)))
        connection.close()

    def words(self):
        return ("-sq", "NUMBERS", "-sqdt", "\n", "-df", self.target)

    def check(self, what):
        with open(self.target) as lines:
            self.test.assertEqual(list(range(MESSAGES)), [int(line) for line in lines], what)
        eventually(lambda: self.t.depth("NUMBERS") == 0, lambda: "%s: %d messages are left" % (what, self.t.depth("NUMBERS")))
        self.test.assertEqual(["file%d" % number for number in range(1, self.number + 1)],
                              sorted(os.listdir(self.t.path("out")), key=lambda name: (len(name), name)), what)


class OfFiles:
    """Files of a tree move: the sources are deleted."""
    ITEMS = len(FILES)

    def __init__(self, test):
        self.t, self.test = test.t, test

    def prepare(self):
        self.source, self.target = self.t.path("in"), self.t.path("out")
        shutil.rmtree(self.target, ignore_errors=True)
        for name, content in FILES.items():
            path = os.path.join(self.source, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(content)

    def words(self):
        return ("-sd", "delete", "-r", "-dd", self.target, self.source)

    @staticmethod
    def found(root):
        return sorted(os.path.relpath(os.path.join(at, name), root) for at, _, names in os.walk(root) for name in names)

    def check(self, what):
        self.test.assertEqual((sorted(FILES), []), (self.found(self.target), self.found(self.source)), what)
        for name, content in FILES.items():
            with open(os.path.join(self.target, name), "rb") as arrived:
                self.test.assertEqual(content, arrived.read(), (what, name))


class QueueBecomesFile(Steps):
    def test_the_reader_dies(self):
        self.each(FromQueue(self), "SRC")

    def test_the_destination_dies(self):
        self.each(FromQueue(self), "DST")

    def test_the_queue_manager_dies(self):
        self.each(FromQueue(self), "QMGR")


class FilesMove(Steps):
    def test_the_source_dies(self):
        self.each(OfFiles(self), "SRC")

    def test_the_destination_dies(self):
        self.each(OfFiles(self), "DST")

    def test_the_queue_manager_dies(self):
        self.each(OfFiles(self), "QMGR")


if __name__ == "__main__":
    unittest.main(verbosity=2)
