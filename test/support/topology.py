"""A whole topology of real processes in a directory of its own: a queue manager, agents, and the commands."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from proton.utils import BlockingConnection

from processes import BIN, DEADLINE_S, alive, eventually


class Result:
    def __init__(self, code, out):
        self.code = code
        self.out = out

    def __repr__(self):
        return "exit code %d:\n%s" % (self.code, self.out)


class Host:
    """A data root: what one host of the topology has of its own. Two roots on one machine act as two hosts."""
    QMGR = "QM1"

    def __init__(self, root, data, inside=()):
        self.root = root
        self.inside = list(inside)  # what its command lines begin with: see namespaces.py
        self.data = data
        self.env = dict(os.environ, BFG_DATA=self.data, HOME=self.root)
        self.launched = {}

    @staticmethod
    def kill(pid, how):
        if pid:
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                pass

    def path(self, *names):
        return os.path.join(self.root, *names)

    def run(self, *words, timeout_s=120):
        done = subprocess.run([*self.inside, os.path.join(BIN, words[0]), *words[1:]], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout_s)
        return Result(done.returncode, done.stdout.decode(errors="replace"))

    def must(self, *words, **how):
        done = self.run(*words, **how)
        assert done.code == 0, "%s: %r" % (" ".join(words), done)
        return done

    def json(self, *words):
        return json.loads(self.must(*words, "--json").out)

    def config(self, agent, name="agent.properties"):
        return os.path.join(self.data, "mqft/config", self.QMGR, "agents", agent, name)

    def command_config(self):
        return os.path.join(self.data, "mqft/config", self.QMGR, "command.properties")

    def set_properties(self, agent, values):
        with open(self.config(agent), "a") as out:
            out.writelines("%s=%s\n" % pair for pair in values.items())

    def home(self, agent, *names):
        return os.path.join(self.data, "mqft/logs", self.QMGR, "agents", agent, *names)

    def pid(self, agent, name="agent.pid"):
        return self.pid_in(self.home(agent, name))

    def frozen(self, agent):
        """Nothing moves meanwhile, however fast the machine is."""
        return self.frozen_process(self.pid(agent))

    @contextlib.contextmanager
    def frozen_process(self, pid):
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            self.kill(pid, signal.SIGCONT)

    def launch(self, agent):
        """The agent without its controller, which would wait longer before each new start."""
        self.launched[agent] = subprocess.Popen([*self.inside, os.path.join(BIN, "baton-agent"), agent], env=self.env, stdin=subprocess.DEVNULL,
                                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill_launched(self, agent):
        process = self.launched.pop(agent)
        process.kill()
        process.wait()

    def kill_agents(self):
        """Controllers first, or they would start the agents again."""
        for agent in list(self.launched):
            self.kill_launched(agent)
        agents = os.path.join(self.data, "mqft/logs", self.QMGR, "agents")
        for name in ("controller.pid", "agent.pid"):
            for agent in os.listdir(agents) if os.path.isdir(agents) else ():
                self.kill(self.pid(agent, name), signal.SIGKILL)

    @staticmethod
    def pid_in(path):
        try:
            with open(path) as text:
                pid = int(text.read().split()[0])
                return pid if alive(pid) else None
        except (FileNotFoundError, ValueError, IndexError):
            return None

    def log(self, agent, name="output0.log"):
        try:
            with open(self.home(agent, "logs", name), errors="replace") as text:
                return text.read()
        except FileNotFoundError:
            return ""

    def wait_for_log(self, agent, *words, count=1):
        """Until each of the words is in the agent's log so often."""
        eventually(lambda: all(self.log(agent).count(word) >= count for word in words),
                   lambda: "%s in the log of %s: %s" % (words, agent, self.log(agent)[-4000:]))

    def transfer(self, *words, source="SRC", destination="DST", **how):
        """fteCreateTransfer -w, and its result."""
        return self.run("fteCreateTransfer", "-sa", source, "-da", destination, "-w", *words, **how)

    @staticmethod
    def id_of(result):
        return re.search(r"[0-9a-f]{48}", result.out).group(0)

    def items_of(self, transfer_id):
        """The items of the audit record, which comes a moment after the result."""
        def ended():
            shown = self.run("fteShowTransfer", transfer_id, "--json")
            if shown.code != 0:
                return None
            found = json.loads(shown.out)
            return found if found["resultCode"] != -1 else None
        return eventually(ended, "the audit record of %s is complete" % transfer_id)

    def peak_memory_mib(self, agent):
        with open("/proc/%d/status" % self.pid(agent)) as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) / 1024


class Topology(Host):
    """Coordination is on an embedded queue manager of its own. So are the agents, unless `broker` (see brokers.py) says
    where else: then commands connect there too. With `all_there` coordination is there as well, and nothing is embedded."""

    def __init__(self, agents=("SRC", "DST"), properties=None, broker=None, all_there=False, inside=()):
        root = tempfile.mkdtemp(prefix="baton-test-")
        super().__init__(root, os.path.join(root, "data"), inside)
        self.agents = list(agents)
        self.broker = broker
        self.hosts = [self]
        if all_there:
            self.must("fteSetupCoordination", "-coordinationQMgr", self.QMGR, *broker.options("coordinationQMgr", root))
            self.must("fteStartCoordination")
        else:
            self.must("fteStartQMgr", self.QMGR, "-p", "0")
            self.must("fteSetupCoordination", "-coordinationQMgr", self.QMGR)
        self.agent_qmgr = "BROKER" if broker else self.QMGR
        there = (lambda prefix: broker.options(prefix, root)) if broker else lambda prefix: []
        self.must("fteSetupCommands", "-connectionQMgr", self.agent_qmgr, *there("connectionQMgr"))
        for agent in self.agents:
            self.must("fteCreateAgent", "-agentName", agent, "-agentQMgr", self.agent_qmgr, *there("agentQMgr"))
            self.set_properties(agent, {"agentStatusPublishRateLimit": "0", **(properties or {})})

    def add_host(self, name):
        """One more host with the same configuration, whose agents and commands reach the queue managers over TCP."""
        host = Host(self.root, self.path(name))
        shutil.copytree(self.data, host.data, ignore=shutil.ignore_patterns("logs", "qmgrs"))
        config = os.path.join(host.data, "mqft/config", self.QMGR)
        files = [("coordination.properties", "coordinationQMgr")]
        if not self.broker:
            files += [("command.properties", "connectionQMgr")]
            files += [("agents/%s/agent.properties" % agent, "agentQMgr") for agent in self.agents]
        for file, prefix in files:
            with open(os.path.join(config, file), "a") as out:
                out.write("%sHost=127.0.0.1\n%sPort=%d\n" % (prefix, prefix, self.qmgr_port()))
        self.hosts.append(host)
        return host

    def close(self):
        for host in self.hosts:
            host.kill_agents()
        self.kill(self.qmgr_pid(), signal.SIGKILL)
        self.kill(self.pid_in(os.path.join(self.data, "mqft/coordination", self.QMGR, "coordination.pid")), signal.SIGKILL)
        if self.broker:
            self.broker.remove_queues(self.agents)
        shutil.rmtree(self.root, ignore_errors=True)

    def qmgr_port(self):
        with open(os.path.join(self.data, "qmgrs", self.QMGR, "qmgr.address")) as address:
            return int(address.read().split()[1])

    def stock_client(self):
        """A connection to the agents' queue manager that is nobody's of ours."""
        if self.broker:
            return self.broker.stock_client()
        return BlockingConnection("127.0.0.1:%d" % self.qmgr_port(), timeout=DEADLINE_S)

    def address(self, queue):
        """For the stock client."""
        return self.broker.address(queue) if self.broker else queue

    def depth(self, queue):
        """Of a queue of the agents: messages, those that are held among them."""
        if self.broker:
            return self.broker.depth(queue)
        return next(q["depth"] for q in self.json("fteShowQMgrDetails", self.QMGR)["queues"] if q["name"] == queue)

    def qmgr_pid(self):
        return self.pid_in(os.path.join(self.data, "qmgrs", self.QMGR, "qmgr.pid"))

    def start(self, *agents):
        for agent in agents or self.agents:
            before = self.log(agent).count("BFGAG0059I")
            done = self.run("fteStartAgent", agent)
            assert done.code == 0, "%r\n%s%s" % (done, self.log(agent)[-2000:], self.log(agent, "pcevent0.log")[-2000:])
            eventually(lambda: self.log(agent).count("BFGAG0059I") > before, "agent %s is ready: %s" % (agent, self.log(agent)[-2000:]))
        return self


class TopologyTest(unittest.TestCase):
    """One topology for the tests of a class."""
    PROPERTIES = {}
    AGENTS = ("SRC", "DST")

    @classmethod
    def setUpClass(cls):
        cls.t = Topology(cls.AGENTS, cls.PROPERTIES)
        cls.addClassCleanup(cls.t.close)
        cls.t.start()

    def write(self, name, content=b"content\n"):
        path = self.t.path(self.id().rsplit(".", 1)[1], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content)
        return path

    def place(self, name=""):
        return self.t.path(self.id().rsplit(".", 1)[1], name)

    @staticmethod
    def read(path):
        with open(path, "rb") as content:
            return content.read()

    def assert_result(self, code, result):
        self.assertEqual(code, result.code, repr(result))

    def assert_same_tree(self, a, b):
        done = subprocess.run(["diff", "-r", a, b], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout[:2000] + done.stderr)

    def assert_no_part_files(self, directory):
        left = [os.path.join(at, name) for at, _, names in os.walk(directory) for name in names if name.endswith(".part")]
        self.assertEqual([], left)


class InterruptedTransfer(unittest.TestCase):
    """A transfer that was accepted ends, whatever dies on the way."""

    def interrupted(self, kill, broker=None):
        t = Topology(properties={"agentQMgrRetryInterval": "1", "transferAckTimeout": "3000", "recoverableTransferRetryInterval": "2000",
                                 "maxRestartCount": "50"}, broker=broker)
        self.addCleanup(t.close)
        t.start()
        os.makedirs(t.path("in"))
        for i in range(200):
            with open(t.path("in/f%03d" % i), "wb") as out:
                out.write(os.urandom(5000))
        with open(t.path("in/large"), "wb") as out:
            for _ in range(200):
                out.write(os.urandom(1 << 20))
        done = t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-r", "-dd", t.path("out"), t.path("in"))
        transfer = t.id_of(done)
        for _ in range(3):
            eventually(lambda: os.path.isdir(t.path("out")) and os.listdir(t.path("out")), "data arrives")
            kill(t)
        record = t.items_of(transfer)
        self.assertEqual(0, record["resultCode"], str(record)[:2000] + t.log("SRC")[-3000:] + t.log("DST")[-3000:])
        for name in sorted(os.listdir(t.path("in"))):
            with open(t.path("in", name), "rb") as a, open(t.path("out", name), "rb") as b:
                self.assertEqual(a.read(), b.read(), name)
        self.assertEqual(sorted(os.listdir(t.path("in"))), sorted(os.listdir(t.path("out"))))
        return t

    def kill_agent(self, t, agent):
        readiness = t.log(agent).count("BFGAG0059I")
        os.kill(t.pid(agent), signal.SIGKILL)
        eventually(lambda: t.log(agent).count("BFGAG0059I") > readiness, "the agent is back")
