"""Several instances of one agent: a topology whose agent SRC (and DST, when asked) runs on several hosts."""
import os
import re
import signal
import unittest

from processes import eventually
from rabbitmq import RabbitMq
from topology import Topology

ACTIVE = "BFGAG0193I: The agent has successfully initialized as an active instance."
STANDBY = "BFGAG0193I: The agent has successfully initialized as a standby instance."
NOT_HA_READY = "BFGAG0059I"
RABBITMQ = os.environ.get("BATON_BROKER") == "rabbitmq"


class Instances(Topology):
    def __init__(self, names=("one", "two"), agents=("SRC",), properties=None, highly_available=True, other_agents=()):
        super().__init__(tuple(agents) + tuple(other_agents), properties, RabbitMq() if RABBITMQ else None)
        self.clustered = list(agents)
        self.place = {names[0]: self}
        for name in names[1:]:
            self.place[name] = self.add_host(name)
        for name, host in self.place.items():
            for agent in self.clustered:
                host.set_properties(agent, {"instanceName": name, "highlyAvailable": str(highly_available).lower()})

    def start_on(self, *names, agent="SRC"):
        """Starts instances one after the other, each when the one before has found its role."""
        for name in names:
            host = self.place[name]
            before = self.roles(name, agent)
            host.must("fteStartAgent", agent)
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

    def kill_instance(self, name, agent="SRC", for_good=False):
        host = self.place[name]
        if for_good:
            host.kill(host.pid(agent, "controller.pid"), signal.SIGKILL)
        host.kill(host.pid(agent), signal.SIGKILL)

    def epochs(self, agent="SRC"):
        """(epoch, instance, time of day) of every time that the lock was won, in the order of time."""
        found = []
        for name, host in self.place.items():
            for line in host.log(agent).splitlines():
                seen = re.match(r"\[\S+ (\S+) .*BFGAG0915I: This instance \((\w+)\) holds the lock with epoch (\d+)", line)
                if seen:
                    found.append((int(seen.group(3)), name, seen.group(1)))
        return sorted(found, key=lambda one: one[2])


class InstancesTest(unittest.TestCase):
    def instances(self, *args, **how):
        t = Instances(*args, **how)
        self.addCleanup(t.close)
        self.addCleanup(self.check_epochs, t)
        return t

    def check_epochs(self, t):
        for agent in t.clustered:
            epochs = [epoch for epoch, _, _ in t.epochs(agent)]
            self.assertEqual(sorted(set(epochs)), epochs, "epochs strictly rise: %s" % t.epochs(agent))
