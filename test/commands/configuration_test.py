"""The configuration commands, without a queue manager."""
import json
import os
import unittest

from support import CommandTest


class Configuration(CommandTest):
    def set_up(self):
        self.succeed("fteSetupCoordination", "-coordinationQMgr", "qm1")
        self.succeed("fteSetupCommands", "-connectionQMgr", "QM1")

    def test_set_up_writes_files_and_the_default(self):
        self.set_up()
        self.assertIn("coordinationQMgr=QM1\n", self.read("mqft/config/QM1/coordination.properties"))
        self.assertIn("connectionQMgr=QM1\n", self.read("mqft/config/QM1/command.properties"))
        self.assertIn("defaultProperties=QM1\n", self.read("mqft/installations/default/installation.properties"))

    def test_a_second_set_is_not_the_default_until_it_is_chosen(self):
        self.set_up()
        self.succeed("fteSetupCoordination", "-coordinationQMgr", "QM2", "-coordinationQMgrHost", "h")
        installation = "mqft/installations/default/installation.properties"
        self.assertIn("defaultProperties=QM1", self.read(installation))
        self.succeed("fteChangeDefaultConfigurationOptions", "qm2")
        self.assertIn("defaultProperties=QM2", self.read(installation))
        self.assertIn("there are: QM1, QM2", self.fail_with(1, "fteChangeDefaultConfigurationOptions", "QM3"))

    def test_what_exists_is_only_replaced_by_force(self):
        self.set_up()
        self.assertIn("-f replaces it", self.fail_with(1, "fteSetupCoordination", "-coordinationQMgr", "QM1"))
        self.succeed("fteSetupCoordination", "-coordinationQMgr", "QM1", "-f")

    def test_values_are_checked_before_anything_is_written(self):
        said = self.fail_with(1, "fteSetupCoordination", "-coordinationQMgr", "QM1", "-coordinationQMgrPort", "99999")
        self.assertIn("1 to 65535", said)
        self.assertFalse(os.path.exists(self.path("mqft")))

    def test_an_agent_can_be_made_before_its_queue_manager_runs(self):
        self.set_up()
        said = self.succeed("fteCreateAgent", "-agentName", "src", "-agentQMgr", "QM1", "-agentDesc", "a, b = c")
        self.assertIn("BFGCL0254I", said)
        folder = "mqft/config/QM1/agents/SRC/"
        self.assertIn("agentDesc=a, b = c\n", self.read(folder + "agent.properties"))
        self.assertIn("fteDefineQueue -m QM1 -type single-active SYSTEM.FTE.HA.SRC", self.read(folder + "SRC_create.sh"))
        self.assertTrue(os.access(self.path(folder + "SRC_delete.sh"), os.X_OK))
        self.assertIn("fteStartQMgr QM1", self.fail_with(1, "ftePingAgent", "SRC"))
        self.assertIn("fteStartQMgr QM1", self.fail_with(1, "fteDeleteAgent", "SRC"))
        self.succeed("fteDeleteAgent", "-f", "SRC")
        self.assertFalse(os.path.exists(self.path(folder)))

    def test_every_error_of_a_properties_file_is_said(self):
        self.set_up()
        self.write("mqft/config/QM1/agents/SRC/agent.properties",
                   "agentName=SRC\nagentQMgr=QM1\nagentChunkSize=1\nagentWindowSize=x\nhighlyAvailable=true\n")
        said = self.fail_with(1, "fteStartAgent", "SRC")
        self.assertIn("agent.properties:3: agentChunkSize: expected a number of bytes, 4096 to", said)
        self.assertIn("agent.properties:4: agentWindowSize: expected a number, 1 to 1000, found \"x\"", said)
        self.write("mqft/config/QM1/coordination.properties", "coordinationQMgr=QM1\nhistoryDays=many\n")
        self.assertIn("historyDays", self.fail_with(1, "fteListAgents"))

    def test_unknown_names_say_what_there_is(self):
        self.set_up()
        self.succeed("fteCreateAgent", "-agentName", "SRC", "-agentQMgr", "QM1")
        self.assertIn("agents here: SRC", self.fail_with(1, "fteStartAgent", "DST"))
        self.assertIn("there are: QM1", self.fail_with(1, "fteListAgents", "-p", "QM9"))
        self.assertIn("not running", self.fail_with(1, "fteStopAgent", "SRC"))
        self.assertIn("not running", self.fail_with(1, "fteStopQMgr", "QM1"))
        self.assertIn("fteStartQMgr QM1", self.fail_with(1, "fteShowQMgrDetails", "QM1"))

    def test_a_queue_manager_that_does_not_answer_is_given_up(self):
        self.succeed("fteSetupCoordination", "-coordinationQMgr", "QM1", "-coordinationQMgrHost", "127.0.0.1",
                     "-coordinationQMgrPort", "1")
        self.fail_with(1, "fteListAgents", timeout=20)

    def test_obfuscated_credentials(self):
        file = self.write("c.xml", "<mqmftCredentials><qmgr name='QM1' mqUserId='u' mqPassword='secret'/></mqmftCredentials>")
        self.succeed("fteObfuscate", "-f", file)
        self.assertNotIn("secret", self.read("c.xml"))
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        self.fail_with(1, "fteObfuscate", "-f", self.path("none.xml"))

    def test_version_as_json(self):
        self.assertEqual(json.loads(self.succeed("fteDisplayVersion", "--json"))["data"], self.data)


if __name__ == "__main__":
    unittest.main()
