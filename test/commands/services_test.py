"""What the units of systemd run, as they run it: in front, ended by the commands and by signals. And the units themselves."""
import configparser
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest

from support import BIN, CommandTest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from processes import eventually  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNITS = {"baton-agent@": "fteStartAgent -F $FTE_OPTIONS %i", "baton-coordination@": "fteStartCoordination -F -p %i",
         "baton-qmgr@": "fteStartQMgr -F %i"}


class InFront(CommandTest):
    def setUp(self):
        super().setUp()
        self.environment["HOME"] = self.data
        self.succeed("fteSetupCoordination", "-coordinationQMgr", "QM1")
        self.succeed("fteSetupCommands", "-connectionQMgr", "QM1")
        self.write("qmgrs/QM1/qmgr.properties", "port=0\n")

    def in_front(self, *words):
        process = subprocess.Popen([os.path.join(BIN, words[0]), *words[1:]], env=self.environment, cwd="/",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def ended(self, process):
        out, _ = process.communicate(timeout=20)
        return process.returncode, out

    def start_qmgr(self):
        qmgr = self.in_front("fteStartQMgr", "-F", "QM1")
        eventually(lambda: self.run_command("fteShowQMgrDetails", "QM1").returncode == 0, "the queue manager is there")
        return qmgr

    def start_agent(self):
        agent = self.in_front("fteStartAgent", "-F", "SRC")
        eventually(lambda: self.run_command("ftePingAgent", "-w", "1", "SRC").returncode == 0, "the agent answers")
        return agent

    def start_coordination(self, *words):
        service = self.in_front("fteStartCoordination", "-F", *words)
        pid_file = self.path("mqft/coordination/QM1/coordination.pid")
        eventually(lambda: os.path.exists(pid_file) and os.path.getsize(pid_file) > 0, "the service is there")
        return service

    def test_the_commands_end_what_runs_in_front(self):
        qmgr = self.start_qmgr()
        self.succeed("fteCreateAgent", "-agentName", "SRC", "-agentQMgr", "QM1")
        for stop in (("fteStopAgent", "SRC"), ("fteStopAgent", "-i", "SRC")):
            agent = self.start_agent()
            self.succeed(*stop)
            code, out = self.ended(agent)
            self.assertEqual(0, code, out)
            self.assertIn("BFGAG0903I", out)
        service = self.start_coordination("-p", "QM1")
        self.succeed("fteStopCoordination")
        self.assertEqual(0, self.ended(service)[0])
        self.succeed("fteStopQMgr", "-i", "QM1")
        self.assertEqual(0, self.ended(qmgr)[0])

    def test_sigterm_ends_it_cleanly(self):
        qmgr = self.start_qmgr()
        self.succeed("fteCreateAgent", "-agentName", "SRC", "-agentQMgr", "QM1")
        agent = self.start_agent()
        for process in (agent, qmgr):
            process.terminate()
            code, out = self.ended(process)
            self.assertEqual(0, code, out)

    def test_what_runs_already_is_not_started_in_front(self):
        """Its service would be over at once, and look as if all were well."""
        self.start_qmgr()
        self.succeed("fteCreateAgent", "-agentName", "SRC", "-agentQMgr", "QM1")
        self.start_agent()
        self.start_coordination()
        for words in (("fteStartQMgr", "-F", "QM1"), ("fteStartAgent", "-F", "SRC"), ("fteStartCoordination", "-F")):
            self.assertIn("running already", self.fail_with(1, *words))

    def test_an_agent_in_front_waits_for_its_queue_manager_and_does_not_start_it(self):
        """The queue manager would be a process of the agent's service, and end with it."""
        self.succeed("fteCreateAgent", "-agentName", "SRC", "-agentQMgr", "QM1")
        agent = self.in_front("fteStartAgent", "-F", "SRC")
        log = self.path("mqft/logs/QM1/agents/SRC/logs/pcevent0.log")
        eventually(lambda: os.path.exists(log) and "BFGPC0905I" in self.read(log), "it waits")
        self.assertFalse(os.path.exists(self.path("qmgrs/QM1/qmgr.pid")))
        self.start_qmgr()
        eventually(lambda: self.run_command("ftePingAgent", "-w", "1", "SRC").returncode == 0, "the agent answers")
        self.succeed("fteStopAgent", "-i", "SRC")
        self.assertEqual(0, self.ended(agent)[0])

    def test_only_a_killed_controller_ends_by_a_signal(self):
        """Restart=on-abnormal: a wrong configuration ends with an exit code, and is not tried again."""
        self.start_qmgr()
        self.succeed("fteCreateAgent", "-agentName", "SRC", "-agentQMgr", "QM1")
        agent = self.start_agent()
        agent.send_signal(signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, self.ended(agent)[0])
        with open(self.path("mqft/config/QM1/agents/SRC/agent.properties"), "a", encoding="utf-8") as properties:
            properties.write("lockLease=200\n")
        pid_file = self.path("mqft/logs/QM1/agents/SRC/agent.pid")
        eventually(lambda: not os.path.exists(pid_file), "the agent has followed its controller")
        code, out = self.ended(self.in_front("fteStartAgent", "-F", "SRC"))
        self.assertEqual(1, code, out)
        self.assertIn("BFGAG0923E", out)


class Units(CommandTest):
    def setUp(self):
        super().setUp()
        script = os.path.join(os.path.dirname(BIN.rstrip("/")), "packaging", "cmake_install.cmake")
        self.folder = self.path("lib/systemd/system")
        if os.path.exists(script):
            subprocess.run(["cmake", "-DCMAKE_INSTALL_PREFIX=" + self.data, "-P", script], check=True, capture_output=True)
        else:  # programs without the folder that they were built in
            os.makedirs(self.folder)
            for source in glob.glob(os.path.join(ROOT, "packaging/systemd/*.service")):
                with open(source, encoding="utf-8") as text:
                    self.write("lib/systemd/system/" + os.path.basename(source),
                               text.read().replace("@BATON_BINDIR@", self.path("bin")))
        os.makedirs(self.path("bin"))
        for command in UNITS.values():
            os.symlink(os.path.join(BIN, "fte"), self.path("bin", command.split()[0]))

    def test_each_unit_says_what_the_documentation_says(self):
        self.assertEqual(sorted(name + ".service" for name in UNITS), sorted(os.listdir(self.folder)))
        for name, command in UNITS.items():
            unit = configparser.RawConfigParser(strict=True)
            unit.optionxform = str
            unit.read(os.path.join(self.folder, name + ".service"), encoding="utf-8")
            service = dict(unit["Service"])
            with self.subTest(name):
                self.assertEqual(self.path("bin", command), service["ExecStart"])
                self.assertEqual({"Type": "simple", "User": "baton", "EnvironmentFile": "/etc/default/baton",
                                  "Restart": "on-abnormal", "KillMode": "mixed", "TimeoutStopSec": "60"},
                                 {key: service.get(key) for key in ("Type", "User", "EnvironmentFile", "Restart", "KillMode",
                                                                    "TimeoutStopSec")})
                self.assertNotIn("ProtectHome", service, "transfers go to home directories too")
                self.assertNotIn("PrivateTmp", service, "and to /tmp")
                self.assertEqual("full", service["ProtectSystem"])
                self.assertEqual("multi-user.target", unit["Install"]["WantedBy"])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not there")
    def test_systemd_accepts_them(self):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *sorted(glob.glob(self.folder + "/*.service"))],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        ours = [line for line in done.stderr.splitlines() if re.search(r"baton|Unknown|Failed", line)]
        self.assertEqual((0, []), (done.returncode, ours), done)


if __name__ == "__main__":
    unittest.main()
