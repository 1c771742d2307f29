"""Two queue managers that share nothing, as the list of queue managers that agents and commands are given."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from brokers import KINDS, NAME, SCRIPT
from processes import BIN, eventually
from topology import Host


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class QmgrPair:
    """AMQ-1 and AMQ-2 of the scenarios: numbers 1 and 2."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="baton-pair-")
        self.host = Host(self.root, os.path.join(self.root, "data"))
        self.ports = {1: free_port(), 2: free_port()}
        for number in self.ports:
            os.makedirs(self.folder(number))
            with open(self.folder(number, "qmgr.properties"), "w") as out:
                out.write("coordination=false\n")
            self.start(number)

    def folder(self, number, *names):
        return os.path.join(self.root, "data/qmgrs/AMQ%d" % number, *names)

    def start(self, number):
        self.host.must("fteStartQMgr", "AMQ%d" % number, "-p", str(self.ports[number]))

    def pid(self, number):
        return Host.pid_in(self.folder(number, "qmgr.pid"))

    def kill(self, number):
        """kill -9."""
        os.kill(self.pid(number), signal.SIGKILL)
        eventually(lambda: self.pid(number) is None, "queue manager %d is gone" % number)

    def urls(self, *order):
        return ",".join("amqp://127.0.0.1:%d" % self.ports[number] for number in order or (1, 2))

    def options(self, prefix, directory):
        return ["-" + prefix + "Urls", self.urls()]

    def remove_queues(self, agents):
        """They go with the queue managers."""

    def queue(self, number, name):
        """What is shown of a queue; {} when it is not there."""
        return next((one for one in self.host.json("fteShowQMgrDetails", "AMQ%d" % number)["queues"] if one["name"] == name), {})

    def depth(self, number, queue):
        """Messages on a queue, delivered ones too."""
        return self.queue(number, queue).get("depth")

    def close(self):
        for number in self.ports:
            Host.kill(self.pid(number), signal.SIGKILL)
        shutil.rmtree(self.root, ignore_errors=True)


class BrokerPair:
    """The same of another kind; private ones, which go with the test."""

    def __init__(self, kind):
        self.root = tempfile.mkdtemp(prefix="baton-pair-")
        self.kind, self.names = kind, {1: NAME + "-first", 2: NAME + "-second"}
        for name in self.names.values():
            subprocess.run([SCRIPT, kind, "start", name], check=True, capture_output=True, timeout=150)
        self.brokers = {number: KINDS[kind](name) for number, name in self.names.items()}
        for one in self.brokers.values():
            one.remove_all_queues()

    def start(self, number):
        self.brokers[number].start_again()

    def kill(self, number):
        """kill -9."""
        self.brokers[number].kill()

    def options(self, prefix, directory):
        each = [one.about for one in self.brokers.values()]
        return ["-" + prefix + "Urls", ",".join("amqp://%s:%s" % (one["host"], one["port"]) for one in each), "-" + prefix + "Type", self.kind,
                "-" + prefix + "ManagementUrl", ",".join(one["management"] for one in each),
                "-" + prefix + "AuthenticationCredentialsFile", self.brokers[1].credentials(directory)]

    def remove_queues(self, agents):
        """They go with the queue managers."""

    def depth(self, number, queue):
        return self.brokers[number].depth(queue)

    def close(self):
        for name in self.names.values():
            subprocess.run([SCRIPT, self.kind, "stop", name], timeout=150, capture_output=True)
        shutil.rmtree(self.root, ignore_errors=True)
