"""What the tests beside this share: how somebody is killed just before one of its steps, and what is transferred."""
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

from processes import ROOT, eventually

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
            out.write(bytes(72))
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 72)

    def arm(self, step, whom=0):
        """That process is killed, and not the one that has the sheet."""
        self.shared[24:72] = bytes(48)
        self.shared[16:24] = struct.pack("Q", whom)
        self.shared[0:16] = struct.pack("QQ", 0, step)

    def disarm(self):
        self.shared[8:16] = bytes(8)

    def count(self):
        return struct.unpack("Q", self.shared[0:8])[0]

    def name(self):
        return self.shared[24:72].rstrip(b"\0").decode()

    def environment(self):
        """A sanitizer wants to be the first library, and need not be."""
        return {"LD_PRELOAD": LIBRARY, "BATON_STEPS_SHEET": self.path,
                "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}


class Steps(unittest.TestCase):
    def begin_with(self, topology):
        self.t = topology
        self.addCleanup(topology.close)
        seed = int(os.environ.get("BATON_TEST_SEED", random.randrange(1 << 30)))
        print("\nseed", seed, flush=True)
        self.order = random.Random(seed)

    def send(self, case):
        return self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", *case.words()))

    def has_ended(self, transfer):
        shown = self.t.run("fteShowTransfer", transfer, "--json")
        return shown.code == 0 and json.loads(shown.out)["resultCode"] != -1

    def assert_arrived(self, case, transfer, what):
        record = self.t.items_of(transfer)
        told = (record["resultCode"], record["items"], len(record["items_list"]))
        self.assertEqual((0, case.ITEMS, case.ITEMS), told, (what, record, self.logs()))
        case.check(what)

    def chosen(self, total):
        """Which of so many steps are tried."""
        self.assertGreater(total, 10, "steps were counted")
        steps = range(1, total + 1)
        return steps if STEPS == "all" else sorted(self.order.sample(steps, min(int(STEPS), total)))


class FromQueue:
    """Messages become a file, and leave their queue."""
    ITEMS = 1

    def __init__(self, test):
        self.t, self.test, self.number = test.t, test, 0
        self.queue = "APP.STEPS"
        if self.t.broker:
            self.t.broker.declare(self.queue)
            test.addCleanup(self.t.broker.remove, self.queue)
        else:
            self.t.must("fteDefineQueue", "-m", self.t.QMGR, "-type", "shared", self.queue)

    def prepare(self):
        self.number += 1
        self.target = self.t.path("out", "file%d" % self.number)
        connection = self.t.stock_client()
        sender = connection.create_sender(self.t.address(self.queue))
        for number in range(MESSAGES):
            sender.send(Message(body="%d" % number, durable=True, id="%d-%d" % (self.number, number)))
        connection.close()

    def words(self):
        return ("-sq", self.queue, "-sqdt", "\n", "-df", self.target)

    def check(self, what):
        with open(self.target) as lines:
            self.test.assertEqual(list(range(MESSAGES)), [int(line) for line in lines], what)
        eventually(lambda: self.t.depth(self.queue) == 0, lambda: "%s: %d messages are left" % (what, self.t.depth(self.queue)))
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
