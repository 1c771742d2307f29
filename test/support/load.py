"""Transfers of several kinds that are under way at one time, and everything that must hold of them at the end."""
import json
import os
import random

from instances import LargeTransfer, write_large
from processes import eventually

# Of agents that follow queue managers: quick to try again, data through the queue.
QUICK = {"agentQMgrRetryInterval": "1", "transferAckTimeout": "3000", "recoverableTransferRetryInterval": "1000", "logTransfer": "verbose"}
SLOW = {"agentChunkSize": "65536", "agentWindowSize": "8", "agentDataDirect": "false"}
LARGE, LARGE_RATE = 128 << 20, 6 << 20
SMALL, SMALL_RATE = 500, 800000


class Load:
    """`large`: bytes of the large file, which is under way longest. From SRC to DST of a topology whose agents are on something that fails: a large file, a tree of files of many sizes, and
    single files of some MiB. All are paced, so that they take about twenty seconds."""

    def __init__(self, t, large=LARGE, chance=random):
        self.t, self.singles, self.large_size = t, {}, large
        source = t.path("in/large")
        self.large = LargeTransfer(t, source, large, write_large(source, large), ("-bw", str(LARGE_RATE), "-sd", "delete"), waits=False)
        os.makedirs(t.path("tree"))
        self.content = {}
        for i in range(SMALL):
            self.content["f%04d" % i] = os.urandom(chance.choice((0, 1, 700, 4096, 30000, 150000)))
            self.write(t.path("tree", "f%04d" % i), self.content["f%04d" % i])
        self.tree = self.ask("-bw", str(SMALL_RATE), "-sd", "delete", "-dd", t.path("out-tree"), t.path("tree/*"))
        for i in range(4):
            name = "single%d" % i
            self.content[name] = os.urandom((i + 1) * 1500000)
            self.write(t.path(name), self.content[name])
            self.singles[name] = self.ask("-bw", "250000", "-df", t.path("out-single", name), t.path(name))

    @staticmethod
    def write(path, content):
        with open(path, "wb") as out:
            out.write(content)

    def ask(self, *words):
        return self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", *words))

    def close(self):
        self.large.close()

    def under_way(self):
        """Until all that can be seen to move does."""
        def some():
            return self.large.bytes() > self.large_size // 16 and len(self.arrived("out-tree")) > 5
        eventually(some, lambda: "data arrives: %s" % self.t.tails())

    def moves(self):
        """Until more has arrived than now."""
        bytes_now, files_now = self.large.bytes(), len(self.arrived("out-tree"))
        eventually(lambda: self.large.bytes() > bytes_now and len(self.arrived("out-tree")) > files_now or not self.large.under_way(),
                   lambda: "data arrives: %s" % self.t.tails())

    def arrived(self, directory):
        try:
            return sorted(name for name in os.listdir(self.t.path(directory)) if not name.endswith(".part"))
        except FileNotFoundError:
            return []

    def faults_at_the_end(self, deadline_s=180):
        """Waits for the end; everything that is not as it must be."""
        faults = self.large.faults_at_the_end(deadline_s)
        for transfer, count in [(self.tree, SMALL), (self.large.id, 1)] + [(one, 1) for one in self.singles.values()]:
            record = self.t.items_of(transfer)
            if (record["resultCode"], record["items"], record["failed"]) != (0, count, 0):
                faults.append("transfer %s: %s" % (transfer, str(record)[:1000]))
            reported = self.t.json("fteShowTransfer", transfer, "-n", str(count + 10))["items_list"]
            if [(item["number"], item["resultCode"]) for item in reported] != [(number, 0) for number in range(count)]:
                faults.append("transfer %s: reported are %s" % (transfer, [(item["number"], item["resultCode"]) for item in reported]))
            faults += self.told_otherwise(transfer, {item["number"]: item["checksum"] for item in reported})
        faults += self.wrong("out-tree", [name for name in self.content if name.startswith("f")])
        faults += self.wrong("out-single", list(self.singles))
        if self.arrived("tree"):
            faults.append("sources that are still there: %s" % self.arrived("tree")[:10])
        return faults

    def wrong(self, directory, names):
        there = os.listdir(self.t.path(directory)) if os.path.isdir(self.t.path(directory)) else []
        faults = [] if sorted(there) == sorted(names) else ["in %s: %s" % (directory, sorted(set(there) ^ set(names))[:10])]
        for name in sorted(set(there) & set(names)):
            with open(self.t.path(directory, name), "rb") as found:
                if found.read() != self.content[name]:
                    faults.append("%s has other bytes than its source" % name)
        return faults

    def told_otherwise(self, transfer, checksums):
        """The transfer log may have an item again when an instance goes on from a checkpoint, but the same of it."""
        faults = []
        for host in self.t.hosts:
            ended = [event for event in self.events(host) if event["transferId"] == transfer and event["eventId"] == "BFGTL0002I"]
            for item in [item for event in ended for item in event["items"]]:
                if (item["resultCode"], item["checksum"]) != (0, checksums.get(item["number"])):
                    faults.append("transfer %s: the transfer log has %s" % (transfer, item))
        return faults

    @staticmethod
    def events(host):
        try:
            with open(host.home("SRC", "logs", "transferlog0.json")) as log:
                return [json.loads(line) for line in log]
        except FileNotFoundError:
            return []
