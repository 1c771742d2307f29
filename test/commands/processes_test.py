"""Queue manager, agents and coordination service, as processes that the commands start and stop."""
import json
import os
import unittest

from support import CommandTest


class Processes(CommandTest):
    def setUp(self):
        super().setUp()
        self.succeed("fteSetupCoordination", "-coordinationQMgr", "QM1")
        self.succeed("fteSetupCommands", "-connectionQMgr", "QM1")
        self.addCleanup(self.stop_everything)
        self.succeed("fteStartQMgr", "QM1", "-p", "0")

    def stop_everything(self):
        for agent in ("SRC", "DST"):
            self.run_command("fteStopAgent", "-i", agent)
        self.run_command("fteStopCoordination")
        self.run_command("fteStopQMgr", "-i", "QM1")

    def queues(self):
        return {q["name"]: q for q in json.loads(self.succeed("fteShowQMgrDetails", "--json", "QM1"))["queues"]}

    def test_queue_manager(self):
        self.assertIn("running already", self.succeed("fteStartQMgr", "QM1"))
        self.succeed("fteCreateAgent", "-agentName", "SRC", "-agentQMgr", "QM1")
        self.assertEqual(self.queues()["SYSTEM.FTE.HA.SRC"]["type"], "single-active")
        script = self.path("mqft/config/QM1/agents/SRC/SRC_create.sh")
        self.environment["PATH"] = os.environ["BATON_BIN"] + os.pathsep + os.environ["PATH"]
        self.succeed("/bin/sh", script)
        self.assertIn("other attributes",
                      self.fail_with(1, "fteDefineQueue", "-m", "QM1", "-type", "shared", "SYSTEM.FTE.HA.SRC"))
        self.succeed("fteDeleteAgent", "SRC")
        self.assertNotIn("SYSTEM.FTE.HA.SRC", self.queues())
        self.succeed("fteStopQMgr", "-i", "QM1")
        self.assertIn("not running", self.fail_with(1, "fteStopQMgr", "QM1"))

    def test_a_port_in_use_is_said(self):
        with open(self.path("qmgrs/QM1/qmgr.address"), encoding="utf-8") as file:
            port = file.read().split()[1]
        self.assertIn("ended at once", self.fail_with(1, "fteStartQMgr", "QM2", "-p", port))

    def test_agents_and_a_transfer(self):
        for agent in ("SRC", "DST"):
            self.succeed("fteCreateAgent", "-agentName", agent, "-agentQMgr", "QM1")
            self.assertIn("is ready", self.succeed("fteStartAgent", agent))
        self.succeed("fteStartCoordination")
        self.assertIn("running already", self.fail_with(1, "fteStartAgent", "SRC"))
        self.assertIn("BFGCL0213I", self.succeed("ftePingAgent", "SRC"))
        self.write("out/a.txt", "content")
        transfer = ("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-w", "20")
        self.succeed(*transfer, "-dd", self.path("in"), self.path("out/*.txt"))
        self.assertEqual(self.read("in/a.txt"), "content")
        nothing = self.run_command(*transfer, "-dd", self.path("in"), self.path("out/nothing"))
        self.assertEqual(nothing.returncode, 40, nothing)
        self.assertIn("BFGRP0034I", nothing.stderr)
        agents = json.loads(self.succeed("fteListAgents", "--json"))
        self.assertEqual(sorted(a["status"]["agentName"] for a in agents), ["DST", "SRC"])
        self.assertIn("BFGCL0014W", self.run_command("fteListAgents", "X*").stderr)
        for agent in ("SRC", "DST"):
            self.assertIn("has ended", self.succeed("fteStopAgent", agent))
        unanswered = self.run_command("ftePingAgent", "-w", "1", "SRC")
        self.assertEqual(unanswered.returncode, 2, unanswered)
        self.assertIn("BFGCL0214I", unanswered.stderr)


if __name__ == "__main__":
    unittest.main()
