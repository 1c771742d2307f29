"""The private RabbitMQ that scripts/broker started, as tests see it."""
import base64
import copy
import json
import os
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from processes import ROOT

NAME = os.environ.get("BATON_RABBITMQ", "default")


class RabbitMq:
    def __init__(self, name=NAME):
        done = subprocess.run([os.path.join(ROOT, "scripts/broker"), "rabbitmq", "status", name], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError("%s: start it with scripts/broker rabbitmq start %s" % (done.stderr.strip(), name))
        self.name = name
        self.about = dict(line.split("=", 1) for line in done.stdout.splitlines())

    def kill(self):
        """kill -9."""
        with open(os.path.join(ROOT, "build/brokers", self.name, "broker.pid")) as pid:
            os.kill(int(pid.read()), signal.SIGKILL)

    def start_again(self):
        """Where it was, with what it had on its disk."""
        management = self.about["management"].rsplit(":", 1)[1]
        subprocess.run([os.path.join(ROOT, "scripts/broker"), "rabbitmq", "start", self.name, self.about["port"], management],
                       check=True, capture_output=True, timeout=150)

    def through(self, port):
        """The same one, reached by another port."""
        other = copy.copy(self)
        other.about = dict(self.about, port=str(port))
        return other

    def options(self, prefix):
        """Options of the commands that write configuration; prefix: agentQMgr, connectionQMgr, coordinationQMgr."""
        return ["-" + prefix + "Host", self.about["host"], "-" + prefix + "Port", self.about["port"],
                "-" + prefix + "Type", "rabbitmq", "-" + prefix + "ManagementUrl", self.about["management"]]

    def api(self, path, method="GET"):
        """The answer of the management API, parsed; None when there is no such thing."""
        request = urllib.request.Request(self.about["management"] + "/api/" + path, method=method)
        login = "%s:%s" % (self.about["user"], self.about["password"])
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
                text = answer.read()
                return json.loads(text) if text else True
        except urllib.error.HTTPError as failure:
            if failure.code == 404:
                return None
            raise

    def queue(self, name):
        return self.api("queues/%2F/" + urllib.parse.quote(name, safe=""))

    def queues(self):
        return {queue["name"]: queue for queue in self.api("queues/%2F")}

    def remove_queues(self, agents):
        """What a topology leaves behind, so that the next one with the same names begins with nothing."""
        for agent in agents:
            for kind in ("COMMAND", "DATA", "REPLY", "STATE", "EVENT", "HA"):
                self.api("queues/%2F/SYSTEM.FTE." + kind + "." + agent, "DELETE")
