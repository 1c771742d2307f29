"""Agents and controllers as processes: start, stop, death, and what survives it."""
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from processes import alive, eventually
from topology import InterruptedTransfer, Topology, TopologyTest


class Processes(TopologyTest):
    def test_the_log_starts_with_the_environment_and_has_the_fields_form(self):
        lines = self.t.log("SRC").splitlines()
        self.assertIn("Start Display Current Environment", lines[0])
        for line in lines:
            self.assertRegex(line, r"^\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d:\d{3} \w+\] [0-9A-F]{8} .{13} [IWE]   \S")

    def test_a_second_start_is_refused(self):
        again = self.t.run("fteStartAgent", "SRC")
        self.assertEqual(1, again.code, repr(again))
        self.assertIn("SRC", again.out)

    def test_a_killed_agent_comes_back(self):
        before = self.t.pid("SRC")
        readiness = self.t.log("SRC").count("BFGAG0059I")
        os.kill(before, signal.SIGKILL)
        eventually(lambda: self.t.pid("SRC") not in (None, before), "the controller starts the agent again")
        eventually(lambda: self.t.log("SRC").count("BFGAG0059I") > readiness, "the agent is ready again")
        self.assertIn("by signal 9", self.t.log("SRC", "pcevent0.log"))
        self.t.must("ftePingAgent", "SRC")

    def test_hup_rereads_the_properties(self):
        self.t.set_properties("DST", {"maxDestinationTransfers": "7"})
        os.kill(self.t.pid("DST"), signal.SIGHUP)
        eventually(lambda: "BFGAG0908I" in self.t.log("DST"), "the properties are read again")
        os.kill(self.t.pid("DST"), signal.SIGHUP)
        self.t.must("ftePingAgent", "DST")

    def test_an_idle_agent_has_no_connection_for_publications_until_it_publishes_again(self):
        connections = lambda: self.t.json("fteShowQMgrDetails", self.t.QMGR)["qmgr"]["connections"]  # noqa: E731
        self.write("in", b"1")
        self.assert_result(0, self.t.transfer("-df", self.place("out"), self.place("in")))
        busy = connections()
        # Both agents publish their status when a transfer begins and ends.
        eventually(lambda: connections() <= busy - 2, lambda: "%d connections, %d before" % (connections(), busy))
        done = self.t.transfer("-df", self.place("again"), self.place("in"))
        self.assert_result(0, done)
        self.assertEqual(0, self.t.items_of(self.t.id_of(done))["resultCode"])

    def test_status_is_published_and_listed(self):
        rows = eventually(lambda: self.t.json("fteListAgents"), "agents are listed")
        self.assertEqual(["DST", "SRC"], sorted(r["status"]["agentName"] for r in rows))
        self.assertEqual({"READY"}, {r["shownStatus"] for r in rows})


class Ends(unittest.TestCase):
    def topology(self, **how):
        t = Topology(**how)
        self.addCleanup(t.close)
        return t

    def test_an_agent_ends_when_its_controller_is_killed(self):
        t = self.topology(agents=("SRC",)).start()
        agent = t.pid("SRC")
        os.kill(t.pid("SRC", "controller.pid"), signal.SIGKILL)
        eventually(lambda: not alive(agent), "the agent ends by itself", deadline_s=10)
        self.assertIn("BFGAG0907W", t.log("SRC"))

    def test_the_controller_gives_up_after_five_ends(self):
        t = self.topology(agents=("SRC",)).start()
        killed = set()

        def over():
            pid = t.pid("SRC")
            if pid and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            return "BFGPC0903E" in t.log("SRC", "pcevent0.log")
        eventually(over, "the controller gives up")
        self.assertEqual(5, t.log("SRC", "pcevent0.log").count("BFGPC0004I"))
        eventually(lambda: t.pid("SRC", "controller.pid") is None, "the controller ends")

    def test_a_stopped_agent_stays_stopped_and_says_so(self):
        t = self.topology().start()
        t.must("fteStopAgent", "SRC")
        eventually(lambda: t.pid("SRC") is None and t.pid("SRC", "controller.pid") is None, "agent and controller end")
        self.assertIn("BFGAG0903I", t.log("SRC"))
        status = {r["status"]["agentName"]: r["shownStatus"] for r in t.json("fteListAgents")}
        self.assertEqual({"SRC": "STOPPED", "DST": "READY"}, status)
        t.must("fteStopAgent", "-i", "DST")
        eventually(lambda: t.pid("DST", "controller.pid") is None, "agent and controller end")

    def test_sigterm_to_the_controller_ends_the_agent_cleanly(self):
        t = self.topology(agents=("SRC",)).start()
        controller = t.pid("SRC", "controller.pid")
        os.kill(controller, signal.SIGTERM)
        eventually(lambda: not alive(controller) and t.pid("SRC") is None, "both end")
        self.assertIn("BFGAG0903I", t.log("SRC"))

    def test_a_malformed_properties_file_is_said_line_by_line(self):
        t = self.topology(agents=("SRC",))
        t.set_properties("SRC", {"maxSourceTransfers": "many", "agentChunkSize": "-5", "agentChunkSzie": "1"})
        done = t.run("fteStartAgent", "SRC")
        self.assertEqual(1, done.code, repr(done))
        for word in ("maxSourceTransfers", "agentChunkSize", "agent.properties:"):
            self.assertIn(word, done.out)

    def test_start_agent_starts_the_queue_manager_of_this_host(self):
        t = self.topology(agents=("SRC",))
        t.must("fteStopQMgr", "-i", t.QMGR)
        t.start()
        self.assertIsNotNone(t.qmgr_pid())

    def test_a_bindings_agent_follows_its_queue_manager(self):
        t = self.topology(agents=("SRC",), properties={"agentQMgrRetryInterval": "1"}).start()
        readiness = t.log("SRC").count("BFGAG0059I")
        os.kill(t.qmgr_pid(), signal.SIGKILL)
        eventually(lambda: "BFGAG0170W" in t.log("SRC"), "the agent ends with its queue manager")
        t.must("fteStartQMgr", t.QMGR, "-p", "0")
        eventually(lambda: t.log("SRC").count("BFGAG0059I") > readiness, "the agent is back")


class GoingOn(InterruptedTransfer):
    def test_the_source_agent_is_killed(self):
        t = self.interrupted(lambda topology: self.kill_agent(topology, "SRC"))
        self.assertIn("BFGTR0021I", t.log("SRC"))

    def test_the_destination_agent_is_killed(self):
        self.interrupted(lambda topology: self.kill_agent(topology, "DST"))

    def test_the_queue_manager_is_killed(self):
        def kill(t):
            readiness = [t.log(a).count("BFGAG0059I") for a in ("SRC", "DST")]
            os.kill(t.qmgr_pid(), signal.SIGKILL)
            eventually(lambda: t.qmgr_pid() is None, "it is gone")
            t.must("fteStartQMgr", t.QMGR, "-p", "0")
            eventually(lambda: all(t.log(a).count("BFGAG0059I") > n for a, n in zip(("SRC", "DST"), readiness)),
                       lambda: "agents are back: %s %s" % (t.log("SRC")[-3000:], t.log("DST")[-3000:]))
        self.interrupted(kill)

    def test_requests_sent_while_the_agent_is_away_are_not_lost(self):
        t = Topology()
        self.addCleanup(t.close)
        with open(t.path("a"), "w") as out:
            out.write("x")
        ids = [t.id_of(t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-df", t.path("out/%d" % i), t.path("a"))) for i in range(20)]
        os.kill(t.qmgr_pid(), signal.SIGKILL)
        eventually(lambda: t.qmgr_pid() is None, "it is gone")
        t.must("fteStartQMgr", t.QMGR, "-p", "0")
        t.start()
        for transfer in ids:
            self.assertEqual(0, t.items_of(transfer)["resultCode"])
        self.assertEqual(20, len(os.listdir(t.path("out"))))


if __name__ == "__main__":
    unittest.main(verbosity=2)
