"""A transfer goes on when the active instance of its source or of its destination dies or freezes in its middle, with
default timeouts: whoever takes over asks, or tells, at once.

Seen to fail with what it guards taken out: when a destination that was taken over does not tell its source, the source
waits for transferAckTimeout, which is longer than the deadline here.
"""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from instances import STANDBY, InstancesTest, LargeTransfer, write_large  # noqa: E402
from processes import SANITIZED, eventually  # noqa: E402

SIZE = (128 if SANITIZED else 256) << 20
KILLS = 3
# Small frames, so that it takes a while and has many checkpoints; no timeout is shortened.
SLOW = {"agentChunkSize": "65536", "agentWindowSize": "4"}
LEASE_MS = 1000
QUICK_LEASE = {"lockLease": str(LEASE_MS), "lockRenewInterval": "200", "agentQMgrIdleTimeout": "2000"}
DELETE = ("-sd", "delete")


class Takeover(InstancesTest):
    def begin(self, clustered, words=(), properties=None):
        """Two instances of one of the agents, one of the other, and a transfer under way."""
        other = self.other = "DST" if clustered == "SRC" else "SRC"
        self.t = self.instances(agents=(clustered,), other_agents=(other,), properties={**SLOW, **(properties or {})})
        self.t.launch_on("one", "two", agent=clustered)
        self.t.start(other)
        source = self.t.path("in/large")
        self.transfer = LargeTransfer(self.t, source, SIZE, write_large(source, SIZE), words)
        self.addCleanup(self.transfer.close)

    def until_it_has(self, share):
        self.assertTrue(self.transfer.until_it_has(SIZE * share), "it was still under way")

    def kill_in_the_middle(self, agent):
        for i in range(KILLS):
            name = self.t.wait_for_an_active(agent)
            self.until_it_has((i + 1) / (KILLS + 2))
            with self.t.frozen(self.other):
                self.assertTrue(self.transfer.part(), "it was still under way")
                self.t.kill_instance(name, agent)
            self.t.place[name].launch(agent)

    def assert_arrived(self, agent, times):
        self.assertEqual([], self.transfer.faults_at_the_end(), self.t.tails("SRC") + self.t.tails("DST"))
        self.assertGreaterEqual(len(self.t.epochs(agent)), times + 1, self.t.epochs(agent))
        went_on = self.t.went_on_at(self.transfer.id, "DST")
        self.assertGreaterEqual(len(went_on), times, "it says where it goes on")
        self.assertGreater(max(went_on), SIZE / (KILLS + 3), "from a checkpoint")
        eventually(lambda: self.t.takeovers_shown(agent) == self.t.epochs_active(agent)[::-1],
                   lambda: "the history has them all: %s" % self.t.must("fteShowAgentDetails", "-v", agent).out)

    def killed(self, agent, words=()):
        self.begin(agent, words)
        self.kill_in_the_middle(agent)
        self.assert_arrived(agent, KILLS)

    def test_the_active_source_is_killed(self):
        self.killed("SRC")

    def test_the_active_destination_is_killed(self):
        self.killed("DST")

    def test_a_source_is_deleted_when_it_has_arrived_and_only_then(self):
        self.killed("SRC", DELETE)

    def test_a_source_is_deleted_when_it_has_arrived_whatever_becomes_of_the_destination(self):
        self.killed("DST", DELETE)

    def pause_in_the_middle(self, agent):
        """For twice the lease, and until another one is active."""
        self.until_it_has(0.3)
        name = self.t.wait_for_an_active(agent)
        host = self.t.place[name]
        standbys = host.log(agent).count(STANDBY)
        began = time.monotonic()
        self.t.pause(name, agent)
        self.t.wait_for_an_active(agent)
        eventually(lambda: time.monotonic() - began >= 2 * LEASE_MS / 1000, "twice the lease is over")
        self.t.go_on(name, agent)
        host.wait_for_log(agent, "BFGAG0914W")
        host.wait_for_log(agent, STANDBY, count=standbys + 1)

    def paused(self, agent):
        self.begin(agent, DELETE, QUICK_LEASE)
        self.pause_in_the_middle(agent)
        self.assert_arrived(agent, 1)

    def test_a_paused_source_does_nothing_with_its_old_epoch(self):
        self.paused("SRC")

    def test_a_paused_destination_does_nothing_with_its_old_epoch(self):
        self.paused("DST")


class Order(InstancesTest):
    def test_requests_start_in_the_order_sent_within_a_priority_also_after_a_takeover(self):
        """Seen to fail when transfers start as their records are found, before all are."""
        t = self.t = self.instances(properties={**SLOW, "maxSourceTransfers": "1"}, other_agents=("DST",))
        t.launch_on("one", "two")
        t.start("DST")
        source = t.path("in/large")
        large = LargeTransfer(t, source, SIZE, write_large(source, SIZE), ("-pr", "2", "-bw", str(SIZE // 8)), waits=False)
        self.addCleanup(large.close)
        self.assertTrue(large.until_it_has(SIZE * 0.1))
        small = t.path("in/small")
        with open(small, "w") as out:
            out.write("content")
        priorities = [4, 7, 4, 0, 7, 4, 0, 9, 4, 7, 9, 4]
        sent = [(priority, t.id_of(t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-pr", str(priority),
                                           "-df", t.path("out/%d" % i), small))) for i, priority in enumerate(priorities)]
        self.assertTrue(large.until_it_has(SIZE * 0.5))  # so that its record was saved again, behind those of the others
        first = t.wait_for_an_active()
        t.kill_instance(first)
        for _, transfer in sent:
            self.assertEqual(0, t.items_of(transfer)["resultCode"])
        begun = "".join(host.log("SRC") for _, host in sorted(t.place.items(), key=lambda one: one[0] != first))
        place = {transfer: begun.index("BFGTR0001I: Transfer %s from" % transfer) for _, transfer in sent}
        expected = [transfer for _, transfer in sorted(sent, key=lambda one: -one[0])]
        self.assertEqual(expected, sorted(place, key=place.get), begun)
        self.assertEqual(2, begun[:min(place.values())].count("BFGTR0001I"), "who had begun goes on first")


if __name__ == "__main__":
    unittest.main(verbosity=2)
