"""The scripts under scripts/topologies start what they say; each is used, broken and used again."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from processes import BIN, ROOT, eventually  # noqa: E402
from topology import Host  # noqa: E402


class Topologies(unittest.TestCase):
    def start(self, name):
        self.name, self.work = name, tempfile.mkdtemp(prefix="baton-topology-")
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.addCleanup(self.script, "stop")
        self.env = dict(os.environ, BATON_BIN=BIN)
        done = self.script("start")
        self.assertEqual(0, done.returncode, done.stdout)
        return done.stdout

    def script(self, action):
        return subprocess.run([os.path.join(ROOT, "scripts/topologies", self.name), action, self.work], env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)

    def run_on(self, host, *words):
        return subprocess.run([os.path.join(BIN, words[0]), *words[1:]], env=dict(self.env, BFG_DATA=os.path.join(self.work, host)),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)

    def kill(self, host, *path):
        Host.kill(Host.pid_in(os.path.join(self.work, host, *path)), signal.SIGKILL)

    def kill_instance(self, host, agent):
        for name in ("controller.pid", "agent.pid"):
            self.kill(host, "mqft/logs/AMQ/agents", agent, name)

    def active(self, host, agent):
        """The name of the active instance, as lists show it."""
        listed = self.run_on(host, "fteShowAgentDetails", agent, "--json")
        try:
            return next(i["instance"] for row in json.loads(listed.stdout) for i in row["status"]["instances"] if i["role"] == "active")
        except (ValueError, StopIteration, KeyError, TypeError):
            return listed.stdout

    def active_is(self, host, agent, name):
        eventually(lambda: self.active(host, agent) == name,
                   lambda: "%s of %s is active: %s\n%s" % (name, agent, self.active(host, agent), self.logs(agent)))

    def logs(self, agent):
        text = ""
        for host in sorted(os.listdir(self.work)):
            path = os.path.join(self.work, host, "mqft/logs/AMQ/agents", agent, "logs/output0.log")
            if os.path.exists(path):
                with open(path, errors="replace") as log:
                    text += "--- %s\n%s" % (host, log.read()[-5000:])
        return text

    def send(self, host, source, destination):
        path = os.path.join(self.work, "files/again")
        with open(path, "w") as out:
            out.write("again")
        done = self.run_on(host, "fteCreateTransfer", "-sa", source, "-da", destination, "-w", "-df", path + "-arrived", path)
        self.assertEqual(0, done.returncode, done.stdout)

    def test_simplex(self):
        said = self.start("simplex")
        self.assertIn("BFGRP0032I", said)
        self.assertEqual(0, self.script("start").returncode, "a second start finds it running")
        self.send("host", "SRC", "DST")
        self.assertEqual(0, self.script("stop").returncode)
        self.assertEqual(0, self.script("start").returncode)

    def test_active_passive(self):
        self.start("active-passive")
        self.active_is("site2", "SRC", "site1")
        self.kill("site1", "qmgrs/AMQ1/qmgr.pid")
        self.kill_instance("site1", "SRC")
        self.active_is("site2", "SRC", "site2")
        self.send("site2", "SRC", "DST")
        done = self.script("start")  # site1 returns
        self.assertEqual(0, done.returncode, done.stdout)
        self.active_is("site2", "SRC", "site1")

    def test_active_active(self):
        self.start("active-active")
        self.active_is("host2", "ONE", "host1")
        self.active_is("host2", "TWO", "host2")
        for agent in ("ONE", "TWO"):
            self.kill_instance("host1", agent)
        self.active_is("host2", "ONE", "host2")
        self.active_is("host2", "TWO", "host2")
        self.send("host2", "ONE", "DST1")


if __name__ == "__main__":
    unittest.main()
