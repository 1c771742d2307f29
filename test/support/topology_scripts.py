"""The scripts under scripts/topologies, as tests use them: each topology in a directory of its own."""
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from processes import BIN, ROOT, eventually
from topology import Host


class TopologyScripts(unittest.TestCase):
    def start(self, name):
        self.name, self.work = name, tempfile.mkdtemp(prefix="baton-topology-")
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.addCleanup(lambda: [shutil.rmtree(home, ignore_errors=True) for home in glob.glob(self.broker_home("*", "*"))])
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
        def answered():
            done = self.run_on(host, "fteCreateTransfer", "-sa", source, "-da", destination, "-w", "-de", "overwrite", "-df", path + "-arrived", path)
            return done if "BFGCL0061E" not in done.stdout else None
        done = eventually(answered, "a queue manager answers")
        self.assertEqual(0, done.returncode, done.stdout)

    def broker_home(self, kind, member):
        """Of one that the script had from scripts/broker."""
        number = subprocess.run(["cksum"], input=self.work + "\n", capture_output=True, text=True, check=True).stdout.split()[0]
        return os.path.join(ROOT, "build/brokers", kind, "%s-%s-%s" % (self.name, number, member))

    def kill_broker(self, kind, member):
        """kill -9."""
        Host.kill(Host.pid_in(os.path.join(self.broker_home(kind, member), "broker.pid")), signal.SIGKILL)
