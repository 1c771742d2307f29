"""Several instances of one agent: a topology whose agent SRC (and DST, when asked) runs on several hosts."""
import datetime
import hashlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

from brokers import KIND, broker as private_broker
from processes import BIN, eventually
from topology import Topology

ACTIVE = "BFGAG0193I: The agent has successfully initialized as an active instance."
STANDBY = "BFGAG0193I: The agent has successfully initialized as a standby instance."
NOT_HA_READY = "BFGAG0059I"
EMBEDDED = KIND == "embedded"
STAMP = re.compile(r"\[(\S+ \S+) ")
# What an instance says when it is not active any more.
LEFT = ("BFGAG0914W", "BFGAG0916I", "BFGAG0183I", "BFGAG0170W")


def time_of(line):
    """Of a line of a log, in seconds of the wall clock; None without a stamp."""
    seen = STAMP.match(line)
    return datetime.datetime.strptime(seen.group(1), "%d/%m/%Y %H:%M:%S:%f").timestamp() if seen else None


class Instances(Topology):
    def __init__(self, names=("one", "two"), agents=("SRC",), properties=None, highly_available=True, other_agents=(), broker=None):
        super().__init__(tuple(agents) + tuple(other_agents), properties, broker or private_broker())
        self.clustered = list(agents)
        self.gone = []  # (agent, instance, when) of each that was killed or paused
        self.paused = set()  # (agent, instance)
        self.place = {names[0]: self}
        for name in names[1:]:
            self.place[name] = self.add_host(name)
        for name, host in self.place.items():
            for agent in self.clustered:
                host.set_properties(agent, {"instanceName": name, "highlyAvailable": str(highly_available).lower()})

    def start_on(self, *names, agent="SRC"):
        """Starts instances one after the other, each when the one before has found its role."""
        return self.started(names, agent, lambda host: host.must("fteStartAgent", agent))

    def launch_on(self, *names, agent="SRC"):
        """The same without controllers."""
        return self.started(names, agent, lambda host: host.launch(agent))

    def started(self, names, agent, start):
        for name in names:
            host = self.place[name]
            before = self.roles(name, agent)
            start(host)
            eventually(lambda: self.roles(name, agent) > before, lambda: "%s has a role: %s" % (name, host.log(agent)[-2000:]))
        return self

    def roles(self, name, agent="SRC"):
        """How often the instance has found a role."""
        log = self.place[name].log(agent)
        return log.count(ACTIVE) + log.count(STANDBY)

    def is_active(self, name, agent="SRC"):
        """By what the instance itself keeps up to date."""
        try:
            with open(self.place[name].home(agent, "agent.role")) as role:
                return role.read().split() == ["active", str(self.place[name].pid(agent))]
        except FileNotFoundError:
            return False

    def wait_active(self, name, count=1, agent="SRC"):
        self.place[name].wait_for_log(agent, ACTIVE, count=count)

    def active(self, agent="SRC"):
        """The name of the active instance, as the instances themselves say; None while there is none."""
        for name in self.place:
            if self.is_active(name, agent) and (agent, name) not in self.paused:
                return name
        return None

    def wait_for_an_active(self, agent="SRC"):
        return eventually(lambda: self.active(agent), lambda: "an instance of %s is active: %s" % (agent, self.tails(agent)))

    def tails(self, agent="SRC", length=2000):
        return "".join("\n--- %s on %s\n%s" % (agent, name, host.log(agent)[-length:]) for name, host in self.place.items())

    def kill_instance(self, name, agent="SRC", for_good=False):
        host = self.place[name]
        self.gone.append((agent, name, time.time()))
        if agent in host.launched:
            return host.kill_launched(agent)
        if for_good:
            host.kill(host.pid(agent, "controller.pid"), signal.SIGKILL)
        host.kill(host.pid(agent), signal.SIGKILL)

    def pause(self, name, agent="SRC"):
        self.gone.append((agent, name, time.time()))
        self.paused.add((agent, name))
        os.kill(self.place[name].pid(agent), signal.SIGSTOP)

    def go_on(self, name, agent="SRC"):
        self.paused.discard((agent, name))
        os.kill(self.place[name].pid(agent), signal.SIGCONT)

    def kill_qmgr(self):
        """kill -9 of the queue manager of the agents; its port."""
        if self.broker:
            self.broker.kill()
            return int(self.broker.about["port"])
        port = self.qmgr_port()
        os.kill(self.qmgr_pid(), signal.SIGKILL)
        eventually(lambda: self.qmgr_pid() is None, "it is gone")
        return port

    def start_qmgr(self, port):
        """Although the last threads of one that was killed may still hold its files."""
        if self.broker:
            return self.broker.start_again()
        self.must("fteStartQMgr", self.QMGR, "-p", str(port))
        assert self.qmgr_pid(), "the queue manager runs again"

    def agents_qmgr_pid(self):
        return self.broker.pid() if self.broker else self.qmgr_pid()

    def agents_qmgr_port(self):
        return int(self.broker.about["port"]) if self.broker else self.qmgr_port()

    def epochs(self, agent="SRC"):
        """(epoch, instance, time of day) of every time that the lock was won, in the order of time."""
        found = []
        for name, host in self.place.items():
            for line in host.log(agent).splitlines():
                seen = re.match(r"\[\S+ (\S+) .*BFGAG0915I: This instance \((\w+)\) holds the lock with epoch (\d+)", line)
                if seen:
                    found.append((int(seen.group(3)), name, seen.group(1)))
        return sorted(found, key=lambda one: one[2])

    def epochs_active(self, agent="SRC"):
        """Those of them in which the instance became active: where a queue is still held, it may lose the lock before."""
        found = set()
        for host in self.place.values():
            claims = re.split(r"BFGAG0915I: This instance \(\w+\) holds the lock with epoch (\d+)", host.log(agent))
            found |= {int(epoch) for epoch, then in zip(claims[1::2], claims[2::2]) if ACTIVE in then}
        return [epoch for epoch, _, _ in self.epochs(agent) if epoch in found]

    def times_active(self, agent="SRC"):
        """(from, until, instance), by the logs and by what was killed and paused, in the order of time."""
        spans = []
        for name, host in self.place.items():
            events = [(when, "left") for whose, which, when in self.gone if (whose, which) == (agent, name)]
            for line in host.log(agent).splitlines():
                word = "active" if ACTIVE in line else "left" if any(text in line for text in LEFT) else None
                if word:
                    events.append((time_of(line), word))
            since = None
            for when, word in sorted(events):
                if word == "active":
                    since = when
                elif since is not None:
                    spans.append((since, when, name))
                    since = None
            if since is not None:
                spans.append((since, float("inf"), name))
        return sorted(spans)

    def faults_of_history(self, agent="SRC"):
        """What must never be: epochs that do not rise, two that are active at one time."""
        faults = []
        epochs = [epoch for epoch, _, _ in self.epochs(agent)]
        if sorted(set(epochs)) != epochs:
            faults.append("epochs of %s do not strictly rise: %s%s" % (agent, self.epochs(agent), self.tails(agent, 20000)))
        spans = self.times_active(agent)
        for before, after in zip(spans, spans[1:]):
            if after[0] < before[1] - 0.002:  # stamps are cut to milliseconds
                faults.append("two instances of %s are active: %s, %s" % (agent, before, after))
        return faults

    def takeovers_shown(self, agent="SRC"):
        """Epochs in the history that people are shown, newest first."""
        shown = self.must("fteShowAgentDetails", "-v", agent).out
        return [int(epoch) for epoch in re.findall(r"^\d\S+ [\d:.]+\S*(?: \S+)? +(\d+) +\w+ +\S+", shown.partition("Takeovers:")[2], re.M)]

    def active_after(self, since, agent="SRC"):
        """Seconds from then until an instance said that it is active, and never 0; None when none has since."""
        told = [begin for begin, _, _ in self.times_active(agent) if begin >= since - 0.001]
        return max(told[0] - since, 0.001) if told else None

    def went_on_at(self, transfer_id, agent):
        """Bytes where the transfer went on, at each of the times, by the logs of all instances."""
        logs = [host.log(agent) for host in ([self.place[n] for n in self.place] if agent in self.clustered else [self])]
        return [int(byte) for log in logs for byte in re.findall(r"BFGTR0027I: Transfer %s goes on at item \d+, byte (\d+)" % transfer_id, log)]


def write_large(path, size):
    """A file that repeats nowhere, made quickly; its checksum."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    block, sums = os.urandom(1 << 20), hashlib.blake2b()
    with open(path, "wb") as out:
        for i in range(0, size, 1 << 20):
            piece = (i.to_bytes(8, "big") + block[8:])[:size - i]
            out.write(piece)
            sums.update(piece)
    return sums.hexdigest()


class FinalName:
    """Looks at the final name of a file all the time: there is nothing, or the whole right file. A source that is to be
    deleted is there for as long as the file is not."""

    def __init__(self, path, size, checksum, source=None):
        self.path, self.size, self.checksum, self.source = path, size, checksum, source
        self.faults, self.looks, self.seen = [], 0, set()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def start(self):
        self.thread.start()

    def stop(self):
        self.over.set()
        self.thread.join()
        self.look()

    def watch(self):
        while not self.over.wait(0.001):
            self.look()

    def look(self):
        self.looks += 1
        source_gone = self.source is not None and not os.path.exists(self.source)
        try:
            with open(self.path, "rb") as found:
                about = os.fstat(found.fileno())
                if about.st_size != self.size:
                    self.fault("%s has %d of %d bytes" % (self.path, about.st_size, self.size))
                elif (about.st_ino, about.st_mtime_ns, about.st_ctime_ns) not in self.seen:
                    self.seen.add((about.st_ino, about.st_mtime_ns, about.st_ctime_ns))
                    if hash_of(found) != self.checksum:
                        self.fault("%s has other bytes than its source" % self.path)
        except FileNotFoundError:
            if source_gone:
                self.fault("the source is gone and %s is not there" % self.path)

    def fault(self, text):
        if text not in self.faults:
            self.faults.append(text)


class LargeTransfer:
    """A transfer of one large file, with its final name watched. Somebody waits for it, which needs a queue manager that
    stays, or else the audit record tells how it ended."""

    def __init__(self, t, source, size, checksum, words=(), waits=True):
        self.t, self.source, self.size, self.deletes, self.waits = t, source, size, "delete" in words, waits
        self.directory = t.path("out-" + os.path.basename(source))
        self.arrived = os.path.join(self.directory, "large")
        self.watched = FinalName(self.arrived, size, checksum, source if self.deletes else None)
        self.command = subprocess.Popen(
            [os.path.join(BIN, "fteCreateTransfer"), "-sa", "SRC", "-da", "DST", *(["-w"] if waits else []), *words,
             "-df", self.arrived, source],
            env=t.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.watched.start()

    def bytes(self):
        """How long the part file is, or the file."""
        try:
            return max([os.path.getsize(os.path.join(self.directory, name)) for name in os.listdir(self.directory)], default=0)
        except FileNotFoundError:
            return 0

    def part(self):
        """What is known of the part file; None while there is none."""
        try:
            names = [name for name in os.listdir(self.directory) if name.endswith(".part")]
            return os.stat(os.path.join(self.directory, names[0])) if names else None
        except FileNotFoundError:
            return None

    def under_way(self):
        return self.command.poll() is None if self.waits else not os.path.exists(self.arrived)

    def until_it_has(self, size):
        """False when it has ended before."""
        eventually(lambda: self.bytes() >= size or not self.under_way(), lambda: "data arrives: %s %s" % (self.t.tails("SRC"), self.t.tails("DST")))
        return self.under_way()

    def faults_at_the_end(self, deadline_s=120):
        """Waits for the end; everything that is not as it must be."""
        try:
            said, _ = self.command.communicate(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            return ["not ended within %s s" % deadline_s]
        self.id = re.search(r"[0-9a-f]{48}", said).group(0)
        code = self.command.returncode
        if not self.waits:
            eventually(lambda: not self.under_way(), lambda: "%s has arrived: %s" % (self.arrived, self.t.tails()), deadline_s)
        record = self.t.items_of(self.id)
        if not self.waits:
            code, said = record["resultCode"], str(record)
        self.watched.stop()
        faults = list(self.watched.faults)
        if (record["resultCode"], record["items"], len(record["items_list"])) != (code, 1, 1):
            faults.append("the log of transfers has %s" % record)
        if code != 0:
            faults.append("result %d: %s" % (code, said[-1000:]))
        if len(self.watched.seen) != 1:
            faults.append("it appeared %d times" % len(self.watched.seen))
        left = os.listdir(self.directory) if os.path.isdir(self.directory) else []
        if left != ["large"]:
            faults.append("at the destination is %s" % left)
        if os.path.exists(self.source) == self.deletes:
            faults.append("the source is %s" % ("still there" if self.deletes else "gone"))
        return faults

    def close(self):
        self.command.kill()
        self.command.wait()
        self.command.stdout.close()
        self.watched.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def hash_of(file):
    sums = hashlib.blake2b()
    while piece := file.read(1 << 20):
        sums.update(piece)
    return sums.hexdigest()


class InstancesTest(unittest.TestCase):
    def instances(self, *args, **how):
        t = Instances(*args, **how)
        self.addCleanup(t.close)
        self.addCleanup(self.check_history, t)
        return t

    def check_history(self, t):
        for agent in t.clustered:
            self.assertEqual([], t.faults_of_history(agent))
