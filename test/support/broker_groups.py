"""Several brokers that agents and commands are given as one list, each started for one test and gone with it."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from brokers import SCRIPT, Artemis, RabbitMq
from processes import ROOT, eventually
from qmgr_pair import free_port

sys.path.append(os.path.join(ROOT, "test", "qmgr"))
import qmgr_group  # noqa: E402


def answers(port):
    """Somebody takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Members:
    """What does not depend on how a member is started. They have numbers from 1. `FAILS_BACK`: when the first one returns, agents are there again."""
    FAILS_BACK = True

    def serving(self):
        """The first member that serves; None while there is none."""
        return next((number for number in self.ports if self.serves(number)), None)

    def urls(self, *order):
        return ",".join("amqp://127.0.0.1:%d" % self.ports[number] for number in order or self.ports)

    def options(self, prefix, directory):
        """Options of the commands that write configuration, as brokers.py has them for one broker."""
        return ["-" + prefix + "Urls", self.urls()]

    def remove_queues(self, agents):
        """They go with the members."""


class QmgrInstances(Members):
    """Three instances of one embedded queue manager."""
    FAILS_BACK = False

    def __init__(self, **properties):
        self.group = qmgr_group.Group("one", "two", "three", **properties)
        self.all = dict(enumerate(self.group.start(), 1))
        self.ports = {number: one.port for number, one in self.all.items()}

    def start(self, number):
        one = self.all[number].start()
        eventually(lambda: one.is_active() or one.is_standby(), lambda: "%s has a role\n%s" % (one.name, self.group.logs()))

    def kill(self, number):
        """kill -9."""
        self.all[number].kill()

    def serves(self, number):
        return self.all[number].is_active() and answers(self.ports[number])

    def close(self):
        self.group.close()


class Group(Members):
    """Brokers of scripts/broker. `BROKER` is the class of one, and says how each is asked and managed."""
    BROKER = None
    COUNT = 2

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="baton-group-")
        self.ports = {number: free_port() for number in range(1, self.COUNT + 1)}
        self.management = {number: free_port() for number in self.ports}
        self.members = {}
        try:
            for number in self.ports:
                self.start(number)
        except BaseException:
            self.close()
            raise

    def name(self, number):
        return "%s-%d" % (os.path.basename(self.root), number)

    def environment(self, number):
        """For scripts/broker: what makes it a member."""
        raise NotImplementedError

    def start(self, number):
        """Comes back when it serves, or stands by."""
        done = subprocess.run([SCRIPT, self.BROKER.kind, "start", self.name(number), str(self.ports[number]), str(self.management[number])],
                              env=dict(os.environ, **self.environment(number)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=200)
        if done.returncode != 0:
            raise AssertionError(done.stdout)
        self.members[number] = self.BROKER(self.name(number))

    def kill(self, number):
        """kill -9."""
        self.members[number].kill()

    def serves(self, number):
        return answers(self.ports[number])

    def options(self, prefix, directory):
        management = ",".join("http://127.0.0.1:%d" % self.management[number] for number in self.ports)
        return [*super().options(prefix, directory), "-" + prefix + "Type", self.BROKER.kind, "-" + prefix + "ManagementUrl", management]

    def reorder(self, file, prefix, numbers):
        """The list in a file of properties has these members, in this order."""
        with open(file) as old:
            text = old.read()
        management = ",".join("http://127.0.0.1:%d" % self.management[number] for number in numbers)
        for name, value in (("Urls", self.urls(*numbers)), ("ManagementUrl", management)):
            text = re.sub("(?m)^%s%s=.*$" % (prefix, name), lambda _: "%s%s=%s" % (prefix, name, value), text)
        with open(file, "w") as new:
            new.write(text)

    def login(self, prefix, directory):
        return ["-" + prefix + "AuthenticationCredentialsFile", self.members[1].credentials(directory)]

    def home(self, number):
        return os.path.join(ROOT, "build/brokers", self.BROKER.kind, self.name(number))

    def close(self):
        for number, member in reversed(self.members.items()):
            try:
                os.kill(member.pid(), signal.SIGKILL)
            except (OSError, ValueError):
                pass  # killed before
            subprocess.run([SCRIPT, self.BROKER.kind, "stop", self.name(number)], capture_output=True, timeout=200)
            shutil.rmtree(self.home(number), ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)


class ArtemisPair(Group):
    """A live broker (1) and its backup (2), which share one store."""
    BROKER = Artemis
    ROLES = {1: "live", 2: "backup"}

    def options(self, prefix, directory):
        return super().options(prefix, directory) + self.login(prefix, directory)

    def environment(self, number):
        os.makedirs(os.path.join(self.root, "store"), exist_ok=True)
        return {"BATON_ARTEMIS_AS": self.ROLES[number], "BATON_ARTEMIS_WITH": str(self.ports[3 - number]),
                "BATON_ARTEMIS_DATA": os.path.join(self.root, "store")}


class ArtemisReplicated(ArtemisPair):
    """The backup has a copy of the live one's store. A live one that returns is the backup's backup."""
    FAILS_BACK = False
    ROLES = {1: "replicating-live", 2: "replicating-backup"}


class ArtemisNetwork(ArtemisPair):
    """Two brokers, each with a store, which hand messages to where their reader is."""
    ROLES = {1: "network", 2: "network"}
    ADDRESSES = None  # that are handed on, when not as it should be

    def environment(self, number):
        return {**super().environment(number), **({} if self.ADDRESSES is None else {"BATON_ARTEMIS_ADDRESSES": self.ADDRESSES})}


class RabbitMqCluster(Group):
    """Three nodes with quorum queues. All serve; agents are at the first of their list, and the queues led from there."""
    BROKER = RabbitMq
    COUNT = 3

    def environment(self, number):
        return {} if number == 1 else {"BATON_RABBITMQ_WITH": self.name(1)}

    def options(self, prefix, directory):
        kind = [] if prefix == "connectionQMgr" else ["-" + prefix + "QueueType", "quorum"]
        return super().options(prefix, directory) + kind
