"""What people and programs see of a transfer while it runs and at its end."""
import json
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from processes import BIN, eventually  # noqa: E402
from topology import TopologyTest  # noqa: E402


class Seen(TopologyTest):
    PROPERTIES = {"logTransfer": "verbose", "agentQMgrRetryInterval": "1"}
    BYTES = 24 << 20

    def large(self):
        with open(self.write("in/large", b""), "r+b") as out:
            for i in range(self.BYTES >> 20):
                out.write(os.urandom(1 << 20))
        return self.place("in/large")

    def events(self, transfer):
        with open(self.t.home("SRC", "logs", "transferlog0.json")) as log:
            return [event for event in map(json.loads, log) if event["transferId"] == transfer]

    def test_a_slow_transfer_is_followed_with_rate_time_left_and_channel(self):
        follower = subprocess.Popen([os.path.join(BIN, "fteListTransfers"), "-f"], env=self.t.env, stdout=subprocess.PIPE, text=True)
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.terminate)
        result = self.t.transfer("-bw", "6000000", "-df", self.place("out/large"), self.large())
        self.assert_result(0, result)
        self.assertRegex(result.out, r"RunningTransfer: 0 of 1 files, \S+ MiB of 24.0 MiB, \S+ MiB/s, \S+ s left, direct")
        self.assertRegex(result.out, r"BFGRP0032I.*\(1 files, 0 failed, 24.0 MiB in \S+ s, \S+ MiB/s\)")
        transfer = self.t.id_of(result)
        lines = []
        while not lines or "successful" not in lines[-1]:
            line = follower.stdout.readline()
            self.assertTrue(line, "it goes on until the end: %s" % lines)
            if transfer in line:
                lines.append(line)
        self.assertTrue([one for one in lines if re.search(r"RunningTransfer .* MiB/s, \S+ s left, direct", one)], lines)
        self.assertRegex(self.t.log("SRC"), r"BFGTR0002I: Transfer %s has ended with result 0: 1 items, 0 failed, %d bytes in \S+ s, \S+ MiB/s, 0 recoveries, 0 B sent in vain" % (transfer, self.BYTES))
        ids = [event["eventId"] for event in self.events(transfer)]
        self.assertEqual(["BFGTL0001I", "BFGTL0901I"], [ids[0], ids[-1]])
        self.assertGreater(ids.count("BFGTL0008I"), 1)
        items = [event["items"] for event in self.events(transfer) if event["eventId"] == "BFGTL0002I"]
        self.assertEqual([self.place("in/large")], [item["source"] for batch in items for item in batch])

    def test_what_was_sent_in_vain_is_counted(self):
        transfer = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-bw", "12000000", "-df", self.place("out/large"), self.large()))
        eventually(lambda: os.path.isdir(self.place("out")) and any(os.path.getsize(self.place("out/" + name)) > 4 << 20 for name in os.listdir(self.place("out"))), "data arrives")
        os.kill(self.t.pid("DST"), 9)
        record = self.t.items_of(transfer)
        self.assertEqual(0, record["resultCode"], record)
        end = self.events(transfer)[-1]
        self.assertEqual("BFGTL0901I", end["eventId"])
        self.assertGreater(end["wastedBytes"], 0)
        self.assertLess(end["wastedBytes"], self.BYTES)
        self.assertEqual(end["wastedBytes"], record["wastedBytes"])
        shown = self.t.must("fteShowTransfer", transfer).out
        self.assertRegex(shown, r"Sent In Vain: +\S+ [KM]iB")

    def test_levels_say_how_much_there_is(self):
        source = self.write("in/there")
        for level, expected in (("off", []), ("info", ["BFGTL0001I", "BFGTL0901I"]), ("moderate", ["BFGTL0001I", "BFGTL0002I", "BFGTL0901I"])):
            self.t.set_properties("SRC", {"logTransfer": level})
            read = self.t.log("SRC").count("BFGAG0908I")
            os.kill(self.t.pid("SRC"), 1)
            eventually(lambda: self.t.log("SRC").count("BFGAG0908I") > read, "the properties are read again")
            result = self.t.transfer("-de", "overwrite", "-dd", self.place("out"), source, self.place("in/missing"))
            self.assert_result(20, result)
            events = [event for event in self.events(self.t.id_of(result)) if event["eventId"] != "BFGTL0008I"]
            self.assertEqual(expected, [event["eventId"] for event in events])
            if level == "moderate":
                self.assertEqual([1], [item["resultCode"] for item in events[1]["items"]])


if __name__ == "__main__":
    unittest.main(verbosity=2)
