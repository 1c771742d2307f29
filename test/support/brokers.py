"""The private broker that scripts/broker started, as tests see it. BATON_BROKER says which kind it is; without it, or with
`embedded`, agents are on the queue manager of their topology."""
import base64
import copy
import json
import math
import os
import re
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from proton.utils import BlockingConnection

from processes import DEADLINE_S, ROOT, alive, eventually

KIND = os.environ.get("BATON_BROKER", "embedded")
NAME = os.environ.get("BATON_BROKER_NAME", "default")
SCRIPT = os.path.join(ROOT, "scripts/broker")
AGENT_QUEUES = ("COMMAND", "DATA", "REPLY", "STATE", "EVENT", "HA")


class Broker:
    """What does not depend on the kind; the classes below know how each is asked. Queues are told by their names."""
    kind = None
    data = None  # below its home: where it keeps what it has on its disk
    script_prefix = None  # of the variables that scripts for administrators read

    def __init__(self, name=NAME):
        done = subprocess.run([SCRIPT, self.kind, "status", name], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError("%s: start it with scripts/broker %s start %s" % (done.stderr.strip(), self.kind, name))
        self.name = name
        self.home = os.path.join(ROOT, "build/brokers", self.kind, name)
        self.about = dict(line.split("=", 1) for line in done.stdout.splitlines())

    def pid(self):
        with open(os.path.join(self.home, "broker.pid")) as pid:
            return int(pid.read())

    def kill(self):
        """kill -9. What is being torn down would still be taken for one that runs."""
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not alive(pid), "process %d of the broker is gone" % pid)

    def start_again(self, environment=None):
        """Where it was, with what it had on its disk."""
        management = self.about["management"].rsplit(":", 1)[1]
        subprocess.run([SCRIPT, self.kind, "start", self.name, self.about["port"], management], check=True, capture_output=True, timeout=150,
                       env=dict(os.environ, **(environment or {})))

    def through(self, port):
        """The same one, reached by another port."""
        other = copy.copy(self)
        other.about = dict(self.about, port=str(port))
        return other

    def credentials(self, directory, user=None, password=None):
        """A credentials file in this directory; it replaces the one before."""
        path = os.path.join(directory, "credentials.xml")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
            out.write('<tns:mqmftCredentials xmlns:tns="http://wmqfte.ibm.com/MQMFTCredentials">\n')
            for qmgr in ("BROKER", "QM1"):
                out.write('<tns:qmgr name="%s" mqUserId="%s" mqPassword="%s"/>\n' % (qmgr, user or self.about["user"], password or self.about["password"]))
            out.write("</tns:mqmftCredentials>\n")
        return path

    def options(self, prefix, directory):
        """Options of the commands that write configuration; prefix: agentQMgr, connectionQMgr, coordinationQMgr."""
        return ["-" + prefix + "Host", self.about["host"], "-" + prefix + "Port", self.about["port"], "-" + prefix + "Type", self.kind,
                "-" + prefix + "ManagementUrl", self.about["management"],
                "-" + prefix + "AuthenticationCredentialsFile", self.credentials(directory)]

    def script_environment(self):
        return dict(os.environ, **{self.script_prefix + "_USER": self.about["user"], self.script_prefix + "_PASSWORD": self.about["password"]})

    def http(self, path, method="GET", body=None, headers=()):
        """The answer of the management, parsed; None when there is no such thing."""
        request = urllib.request.Request(self.about["management"] + path, method=method, data=None if body is None else json.dumps(body).encode())
        login = "%s:%s" % (self.about["user"], self.about["password"])
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
        request.add_header("Content-Type", "application/json")
        for name, value in headers:
            request.add_header(name, value)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
                text = answer.read()
                return json.loads(text) if text else True
        except urllib.error.HTTPError as failure:
            if failure.code == 404:
                return None
            raise

    def stock_client(self):
        """A connection that is nobody's of ours."""
        return BlockingConnection("%s:%s" % (self.about["host"], self.about["port"]), user=self.about["user"], password=self.about["password"],
                                  allow_insecure_mechs=True, timeout=DEADLINE_S)

    def address(self, queue):
        """As a client of the broker writes it."""
        return queue

    def priority(self, priority):
        """As a client of the broker writes it."""
        return priority

    def queues(self):
        """What the broker says of each queue, by name."""
        raise NotImplementedError

    def depth(self, queue):
        """Messages in the queue, those that a consumer holds among them."""
        raise NotImplementedError

    def declare(self, queue):
        """A durable queue of an application, that several may read."""
        raise NotImplementedError

    def remove(self, queue):
        raise NotImplementedError

    def add_user(self, user, password):
        raise NotImplementedError

    def allow(self, user, to_make_queues=True, but_not_to_consume=None):
        """What such a user may do: all that an agent does, but for what is said."""
        raise NotImplementedError

    def remove_queues(self, agents):
        """What a topology leaves behind, so that the next one with the same names begins with nothing."""
        for name in set(self.queues()) & {"SYSTEM.FTE.%s.%s" % (kind, agent) for agent in agents for kind in AGENT_QUEUES}:
            self.remove(name)

    def remove_all_queues(self):
        for name in self.queues():
            if name.startswith("SYSTEM.FTE"):
                self.remove(name)


class RabbitMq(Broker):
    kind = "rabbitmq"
    data = "data"
    script_prefix = "RABBITMQ"

    def options(self, prefix, directory):
        """As its guest: without credentials."""
        return super().options(prefix, directory)[:-2]

    def address(self, queue):
        return "/amq/queue/" + urllib.parse.quote(queue, safe="")

    def priority(self, priority):
        """The client leaves 4 out, which is AMQP's default, and this broker takes what is left out for 0."""
        return priority + 1 if priority >= 4 else priority

    def queues(self):
        return {queue["name"]: queue for queue in self.http("/api/queues/%2F")}

    def depth(self, queue):
        """Not known of a new queue for a few seconds."""
        return self.http("/api/queues/%2F/" + urllib.parse.quote(queue, safe="")).get("messages", math.inf)

    def declare(self, queue):
        self.http("/api/queues/%2F/" + urllib.parse.quote(queue, safe=""), "PUT", {"durable": True})

    def remove(self, queue):
        self.http("/api/queues/%2F/" + urllib.parse.quote(queue, safe=""), "DELETE")

    def control(self, *words):
        """rabbitmqctl."""
        with open(os.path.join(self.home, "epmd.pid")) as pid, open("/proc/%s/cmdline" % pid.read().strip()) as line:
            epmd = line.read().split("\0")
        subprocess.run(["/usr/lib/rabbitmq/bin/rabbitmqctl", *words], check=True, capture_output=True, timeout=60, env={
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": self.home, "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": "baton-%s@localhost" % self.name, "ERL_EPMD_PORT": epmd[epmd.index("-port") + 1]})

    def add_user(self, user, password):
        self.http("/api/users/" + user, "PUT", {"password": password, "tags": "management"})

    def allow(self, user, to_make_queues=True, but_not_to_consume=None):
        but = "(?!%s$)" % re.escape(but_not_to_consume) if but_not_to_consume else ""
        self.http("/api/permissions/%2F/" + user, "PUT",
                  {"configure": "^SYSTEM\\.FTE.*" if to_make_queues else "^$", "write": ".*", "read": "^%sSYSTEM\\.FTE.*" % but})


class Artemis(Broker):
    kind = "artemis"
    data = "instance/data"
    script_prefix = "ARTEMIS"

    def operate(self, operation, *arguments, on=""):
        answer = self.http("/console/jolokia/", "POST", {"type": "exec", "mbean": 'org.apache.activemq.artemis:broker="baton"' + on,
                                                         "operation": operation, "arguments": list(arguments)}, [("Origin", "http://127.0.0.1")])
        if answer["status"] != 200:
            raise AssertionError("%s%s: %s" % (operation, arguments, answer["error"]))
        return answer["value"]

    def queues(self):
        """The broker trips over a queue that goes meanwhile."""
        return {queue["name"]: queue for queue in json.loads(eventually(self.list_of_queues, "the broker tells its queues"))["data"]}

    def list_of_queues(self):
        try:
            return self.operate("listQueues(java.lang.String,int,int)", "", 1, 10000)
        except AssertionError as failed:
            if "NullPointerException" not in str(failed):
                raise
            return None

    def depth(self, queue):
        return int(self.queues()[queue]["messageCount"])

    def declare(self, queue):
        self.operate("createQueue(java.lang.String)", json.dumps({"name": queue, "address": queue, "routing-type": "ANYCAST", "durable": True, "auto-create-address": True}))

    def remove(self, queue):
        self.operate("destroyQueue(java.lang.String,boolean,boolean)", queue, True, True)

    def add_user(self, user, password):
        try:
            self.operate("addUser(java.lang.String,java.lang.String,java.lang.String,boolean)", user, password, user, True)
        except AssertionError as refused:
            if "already exists" not in str(refused):
                raise

    def allow(self, user, to_make_queues=True, but_not_to_consume=None):
        add = "addSecuritySettings(%s)" % ",".join(["java.lang.String"] * 11)
        both, one = "amq," + user, "amq"
        making = both if to_make_queues else one
        # send, consume, making and removing durable and other queues, manage, browse, making and removing addresses
        settings = [both, both, making, making, both, both, making, both, both, both]
        self.operate(add, "#", *settings)
        self.operate("removeSecuritySettings(java.lang.String)", "SYSTEM.FTE.STATE.SRC")
        if but_not_to_consume:
            self.operate(add, but_not_to_consume, both, one, *settings[2:])

    def empty(self, queue):
        self.operate("removeAllMessages()", on=',component=addresses,address="%s",subcomponent=queues,routing-type="anycast",queue="%s"' % (queue, queue))

    def limit(self, **limits):
        """Settings of the addresses of agents, beside those that they need: maxSizeBytes, addressFullMessagePolicy, ..."""
        needed = {"maxDeliveryAttempts": -1, "expiryAddress": "", "autoCreateQueues": False, "autoCreateAddresses": False,
                  "autoDeleteQueues": False, "autoDeleteAddresses": False}
        self.operate("addAddressSettings(java.lang.String,java.lang.String)", "SYSTEM.FTE.#", json.dumps(dict(needed, **limits)))

    def settings(self, address):
        return json.loads(self.operate("getAddressSettingsAsJSON(java.lang.String)", address))


class Qpid(Broker):
    kind = "qpid"
    data = "work"
    script_prefix = "QPID"

    def queues(self):
        return {queue["name"]: queue for queue in self.http("/api/latest/queue/default/default")}

    def depth(self, queue):
        return self.queues()[queue]["statistics"]["queueDepthMessages"]

    def declare(self, queue):
        self.http("/api/latest/queue/default/default/" + urllib.parse.quote(queue, safe=""), "PUT", {"durable": True})

    def remove(self, queue):
        self.http("/api/latest/queue/default/default/" + urllib.parse.quote(queue, safe=""), "DELETE")

    def add_user(self, user, password):
        self.http("/api/latest/user/plain/" + user, "PUT", {"type": "managed", "password": password})

    def allow(self, user, to_make_queues=True, but_not_to_consume=None):
        rules = []
        if not to_make_queues:
            rules.append({"identity": user, "objectType": "QUEUE", "operation": "CREATE", "outcome": "DENY", "attributes": {"DURABLE": "true"}})
        if but_not_to_consume:
            rules.append({"identity": user, "objectType": "QUEUE", "operation": "CONSUME", "outcome": "DENY", "attributes": {"NAME": but_not_to_consume}})
        rules.append({"identity": "ALL", "objectType": "ALL", "operation": "ALL", "outcome": "ALLOW"})
        path = "/api/latest/virtualhostaccesscontrolprovider/default/default/rights"
        self.http(path, "DELETE")
        self.http(path, "PUT", {"type": "RuleBased", "priority": 1, "rules": rules})


KINDS = {one.kind: one for one in (RabbitMq, Artemis, Qpid)}


def broker():
    """The one that the environment names; None: the embedded queue manager of the topology."""
    return KINDS[KIND]() if KIND in KINDS else None
