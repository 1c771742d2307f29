"""A destination without room: the transfer waits, whoever is killed meanwhile, and goes on when there is room again.

Seen to fail with what it guards taken out: when a full disk is taken for any other fault of an item, the item fails.
"""
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from processes import eventually, pass_time  # noqa: E402
from topology import TopologyTest  # noqa: E402

LARGE_BYTES = 6 << 20


class Room(TopologyTest):
    PROPERTIES = {"senderTransferRetryInterval": "300", "agentCheckpointInterval": "1", "agentQMgrRetryInterval": "1"}

    def small_disk(self):
        """A file system of 8 MiB, of which something else has 5."""
        self.mount = self.place("small")
        os.makedirs(self.mount)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", self.mount], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.mount])
        self.write("small/filler", os.urandom(5 << 20))

    def begin(self, *words):
        self.small_disk()
        for name, size in (("1-small", 1000), ("2-large", LARGE_BYTES), ("3-small", 2000)):
            self.write("in/" + name, os.urandom(size))
        self.transfer = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", *words, "-dd", os.path.join(self.mount, "out"), self.place("in/*")))
        eventually(lambda: "BFGTR0038W: Transfer " + self.transfer in self.t.log("DST"), "it is said that there is no room")

    def state(self):
        shown = [one for one in self.t.json("fteListTransfers") if one["id"] == self.transfer]
        return shown[0].get("state") if shown else None

    def assert_goes_on_with_room(self):
        os.unlink(os.path.join(self.mount, "filler"))
        record = self.t.items_of(self.transfer)
        self.assertEqual(0, record["resultCode"], str(record)[:2000])
        self.assert_same_tree(self.place("in"), os.path.join(self.mount, "out"))
        self.assert_no_part_files(self.mount)
        self.assertEqual(3, len(record["items_list"]))

    def test_a_transfer_waits_for_room_and_goes_on(self):
        self.begin()
        eventually(lambda: self.state() == "WaitingForDestinationCapacity", lambda: "it is shown: %s" % self.state())
        self.assertIn("No space left", self.t.log("SRC"))
        self.assertNotIn("BFGTR0007E", self.t.log("SRC") + self.t.log("DST"))
        self.assertEqual(1, self.t.log("DST").count("BFGTR0038W: Transfer " + self.transfer), "it is said once")
        self.assert_goes_on_with_room()

    def test_a_transfer_through_the_queue_waits_too(self):
        self.t.set_properties("DST", {"agentDataDirect": "false"})
        self.t.must("fteStopAgent", "-i", "DST")
        self.t.start("DST")
        try:
            self.begin("-sd", "delete")
            self.assertTrue(os.path.exists(self.place("in/2-large")))
            content = {name: self.read(self.place("in/" + name)) for name in ("2-large", "3-small")}
            os.unlink(os.path.join(self.mount, "filler"))
            self.assertEqual(0, self.t.items_of(self.transfer)["resultCode"])
            self.assertEqual([], os.listdir(self.place("in")))
            for name, data in content.items():
                self.assertEqual(data, self.read(os.path.join(self.mount, "out", name)))
        finally:
            self.t.set_properties("DST", {"agentDataDirect": "true"})
            self.t.must("fteStopAgent", "-i", "DST")
            self.t.start("DST")

    def test_agents_that_are_killed_while_they_wait_change_nothing(self):
        self.begin()
        for agent in ("DST", "SRC", "DST"):
            ready = self.t.log(agent).count("BFGAG0059I")
            os.kill(self.t.pid(agent), signal.SIGKILL)
            eventually(lambda: self.t.log(agent).count("BFGAG0059I") > ready, "%s comes back" % agent)
        told = self.t.log("DST").count("BFGTR0038W")
        eventually(lambda: self.t.log("DST").count("BFGTR0038W") > told or self.state() == "WaitingForDestinationCapacity", "it waits again")
        self.assert_goes_on_with_room()

    def test_an_end_that_is_frozen_while_it_waits_changes_nothing(self):
        self.begin()
        for agent in ("DST", "SRC"):
            with self.t.frozen(agent):
                pass_time(5)
        self.assert_goes_on_with_room()

    def test_a_queue_manager_that_is_frozen_and_then_killed_while_a_transfer_waits_changes_nothing(self):
        self.begin()
        with self.t.frozen_process(self.t.qmgr_pid()):
            pass_time(10)  # longer than an agent waits for it
        port = self.t.qmgr_port()
        self.t.kill(self.t.qmgr_pid(), signal.SIGKILL)
        eventually(lambda: self.t.qmgr_pid() is None, "it is gone")
        self.t.must("fteStartQMgr", self.t.QMGR, "-p", str(port))
        self.assert_goes_on_with_room()

    def test_a_transfer_that_is_not_to_wait_ends_and_keeps_what_it_has(self):
        self.t.set_properties("SRC", {"failTransferWhenCapacityReached": "true"})
        os.kill(self.t.pid("SRC"), signal.SIGHUP)
        eventually(lambda: "BFGAG0908I" in self.t.log("SRC"), "the properties are read again")
        try:
            self.begin()
            record = self.t.items_of(self.transfer)
            self.assertEqual(45, record["resultCode"], str(record)[:2000])
            self.assertIn("No space left", record["supplement"])
            arrived = os.path.join(self.mount, "out")
            self.assertNotIn("2-large", os.listdir(arrived))
            eventually(lambda: not [name for name in os.listdir(arrived) if not name.endswith("-small")], "the destination hears of it, and removes its part file")
        finally:
            self.t.set_properties("SRC", {"failTransferWhenCapacityReached": "false"})
            os.kill(self.t.pid("SRC"), signal.SIGHUP)


if __name__ == "__main__":
    unittest.main(verbosity=2)
