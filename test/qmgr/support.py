"""Starts a real queue manager in a directory of its own, and talks to it as a stock client does."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import uuid

from proton import Message
from proton.utils import BlockingConnection

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from link_numbers import Epoch, Priority  # also for the tests of this folder
from processes import BIN, eventually

DEADLINE_S = 20.0
PROGRAM = os.path.join(BIN, "baton-qmgr")


class Connection(BlockingConnection):
    """Names each link anew: the client's own names clash when one connection has two links to a queue."""

    def create_sender(self, address, **how):
        return super().create_sender(address, name=str(uuid.uuid4()), **how)

    def create_receiver(self, address=None, **how):
        return super().create_receiver(address, name=str(uuid.uuid4()), **how)


class Refused(Exception):
    def __init__(self, status, description):
        super().__init__("%s %s" % (status, description))
        self.status = status


class Manager:
    """One queue manager process."""

    def __init__(self, root=None, name="QM", properties=None):
        self.own_root = root is None
        self.root = root or tempfile.mkdtemp(prefix="baton-qmgr-")
        self.name = name
        self.home = os.path.join(self.root, "qmgrs", name)
        os.makedirs(self.home, exist_ok=True)
        # The queue manager alone, unless a test says otherwise.
        properties = {"coordination": "false", **(properties or {})}
        if not os.path.exists(os.path.join(self.home, "qmgr.properties")):
            with open(os.path.join(self.home, "qmgr.properties"), "w") as out:
                out.writelines("%s=%s\n" % pair for pair in properties.items())
        self.process = None
        self.port = None

    def command(self):
        return [PROGRAM, self.name, "-p", "0"]

    def start(self, preexec=None):
        address = os.path.join(self.home, "qmgr.address")
        if os.path.exists(address):
            os.remove(address)
        env = dict(os.environ, BFG_DATA=self.root)
        with open(os.path.join(self.root, "stderr"), "ab") as errors:
            self.process = subprocess.Popen(self.command(), env=env, stderr=errors, preexec_fn=preexec)
        eventually(lambda: os.path.exists(address) or self.process.poll() is not None, "the queue manager listens")
        if self.process.poll() is not None:
            raise AssertionError("baton-qmgr ended with %s: %s" % (self.process.returncode, self.error_text()))
        with open(address) as text:
            host, port = text.read().split()
        self.port = int(port)
        self.url = "amqp://%s:%s" % (host, port)
        return self

    def error_text(self):
        with open(os.path.join(self.root, "stderr")) as text:
            return text.read()

    def log_text(self):
        with open(os.path.join(self.home, "logs", "output0.log")) as text:
            return text.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(DEADLINE_S) if self.process else None
        return code

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        if self.own_root:
            shutil.rmtree(self.root, ignore_errors=True)

    def connect(self, **options):
        options.setdefault("timeout", DEADLINE_S)
        options.setdefault("heartbeat", 5)
        return Connection(self.url, **options)


class Admin:
    """Requests to $management."""

    def __init__(self, connection):
        self.receiver = connection.create_receiver(None, credit=10, dynamic=True)
        self.sender = connection.create_sender("$management")

    def request(self, operation=None, queue=None, body=None, raw=None):
        properties = {}
        if operation is not None:
            properties["operation"] = operation
        if queue is not None:
            properties["queue"] = queue
        text = raw if raw is not None else (json.dumps(body) if body is not None else "")
        request = Message(id=str(uuid.uuid4()), reply_to=self.receiver.link.remote_source.address,
                          properties=properties, body=text)
        self.sender.send(request)
        reply = self.receiver.receive(timeout=DEADLINE_S)
        self.receiver.accept()
        assert reply.correlation_id == request.id, (reply.correlation_id, request.id)
        status = reply.properties["status"]
        if status != "200":
            raise Refused(status, reply.properties["description"])
        return json.loads(bytes(reply.body).decode())

    def declare(self, queue, **attributes):
        return self.request("declare", queue, attributes)

    def get(self, queue):
        return self.request("get", queue)["queues"][0]


class QmgrTest(unittest.TestCase):
    PROPERTIES = {}

    def setUp(self):
        self.manager = Manager(properties=self.PROPERTIES)
        self.addCleanup(self.manager.close)
        self.manager.start()
        self.connection = self.connect()
        self.admin = Admin(self.connection)

    def connect(self, **options):
        made = self.manager.connect(**options)
        self.addCleanup(self.end, made)
        return made

    @staticmethod
    def end(connection):
        try:
            connection.close()
        except Exception:  # the queue manager may be gone by then
            pass

    def send(self, queue, *bodies, connection=None, **fields):
        fields.setdefault("durable", True)
        sender = (connection or self.connection).create_sender(queue)
        for body in bodies:
            sender.send(Message(body=body, **fields))
        sender.close()

    def take(self, queue, count, connection=None, credit=None):
        """Receives and accepts; the messages."""
        receiver = (connection or self.connection).create_receiver(queue, credit=credit or count)
        taken = []
        for _ in range(count):
            taken.append(receiver.receive(timeout=DEADLINE_S))
            receiver.accept()
        receiver.close()
        return taken

    def assert_depth(self, queue, depth):
        eventually(lambda: self.admin.get(queue)["depth"] == depth, "depth of %s is %d" % (queue, depth))
