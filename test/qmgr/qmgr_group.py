"""Several instances of one queue manager on this machine: each with a data root of its own, as if it had a host of its
own, and one folder that they share."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from proton import Message
from support import PROGRAM, Admin, Connection, eventually
from processes import BIN

QMGR = "QM"
LEASE_MS, RENEW_MS = 1500, 200


def free_ports(count):
    """Different ones, that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Instance:
    """One instance of the queue manager, and the host that it is on."""

    def __init__(self, group, name, port, properties):
        self.group, self.name, self.port = group, name, port
        self.data = os.path.join(group.root, name)
        self.home = os.path.join(self.data, "qmgrs", QMGR)
        os.makedirs(self.home)
        self.url = "amqp://127.0.0.1:%d" % port
        self.env = dict(os.environ, BFG_DATA=self.data, HOME=self.data)
        self.process = None
        self.configure(properties)

    def configure(self, properties):
        with open(os.path.join(self.home, "qmgr.properties"), "w") as out:
            out.writelines("%s=%s\n" % pair for pair in {
                "coordination": "false", "port": self.port, "dataPath": self.group.shared, "instanceName": self.name,
                "instanceLease": LEASE_MS, "instanceRenewInterval": RENEW_MS, **properties}.items())

    def start(self, *words, program=None):
        words = words or ("-x",)
        with open(os.path.join(self.data, "stderr"), "ab") as errors:
            self.process = subprocess.Popen([program or self.group.program, QMGR, *words], env=self.env, stderr=errors)
        return self

    def send(self, how):
        os.kill(self.process.pid, how)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        """Its exit code."""
        return self.process.wait(30)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def command(self, *words, timeout_s=60):
        return subprocess.run([os.path.join(BIN, words[0]), *words[1:]], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s)

    def log(self):
        text = ""
        for number in (1, 0):
            path = os.path.join(self.home, "logs", "output%d.log" % number)
            if os.path.exists(path):
                with open(path) as log:
                    text += log.read()
        return text

    def says(self):
        """Its file in the shared folder; {} while there is none."""
        try:
            with open(os.path.join(self.group.shared, "instances", self.name)) as text:
                return json.loads(text.read())
        except (FileNotFoundError, ValueError):
            return {}

    def is_active(self):
        says = self.says()
        return self.running() and says.get("pid") == self.process.pid and says["state"] == "active" and says["port"] != 0

    def is_standby(self):
        says = self.says()
        return self.running() and says.get("pid") == self.process.pid and says["state"] == "standby"

    def connect(self, **options):
        options.setdefault("timeout", 20)
        options.setdefault("heartbeat", 5)
        return Connection(self.url, **options)


class Group:
    """All instances of one queue manager."""

    def __init__(self, *names, program=PROGRAM, **properties):
        self.root = tempfile.mkdtemp(prefix="baton-instances-")
        self.shared = os.path.join(self.root, "shared")
        self.program = program
        self.all = [Instance(self, name, port, properties) for name, port in zip(names, free_ports(len(names)))]

    def __iter__(self):
        return iter(self.all)

    def start(self):
        """The first one becomes active, then the others stand by."""
        self.all[0].start()
        self.wait_active(self.all[0])
        for one in self.all[1:]:
            one.start()
            self.wait_standby(one)
        return self.all

    def wait_active(self, one):
        eventually(one.is_active, lambda: "%s is active\n%s" % (one.name, self.logs()))

    def wait_standby(self, one):
        eventually(one.is_standby, lambda: "%s stands by\n%s" % (one.name, self.logs()))

    def wait_any_active(self, but=()):
        return eventually(lambda: next((one for one in self.all if one not in but and one.is_active()), None),
                          lambda: "an instance is active\n" + self.logs())

    def logs(self):
        return "\n".join("--- %s\n%s" % (one.name, "\n".join(line for line in one.log().splitlines() if "BFG" in line))
                         for one in self.all)

    def connect(self, deadline_s=60, but=()):
        """As a client with a list of addresses does: each in turn until one answers."""
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            for one in self.all:
                if one in but:
                    continue
                try:
                    return one.connect()
                except Exception:  # nobody listens there
                    pass
        raise AssertionError("no instance answers\n" + self.logs())

    def send(self, queue, *bodies):
        connection = self.connect()
        Admin(connection).declare(queue)
        sender = connection.create_sender(queue)
        for body in bodies:
            sender.send(Message(body=body, durable=True))
        connection.close()

    def take(self, queue, but=()):
        """All that is there."""
        connection = self.connect(but=but)
        depth = Admin(connection).get(queue)["depth"]
        receiver = connection.create_receiver(queue, credit=100)
        taken = []
        for _ in range(depth):
            taken.append(receiver.receive(timeout=20).body)
            receiver.accept()
        connection.close()
        return taken

    def close(self):
        for one in self.all:
            if one.running():
                one.send(signal.SIGCONT)
                one.kill()
        shutil.rmtree(self.root, ignore_errors=True)
