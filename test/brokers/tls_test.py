"""A RabbitMQ that speaks TLS itself, also its management: transfers over amqps://, with the name in its certificate checked;
one for another name, or that has expired, is refused until it is replaced, and then the same process goes on."""
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from brokers import KIND, KINDS, SCRIPT, broker
from certificates import Authority
from processes import ROOT, eventually
from qmgr_pair import free_port
from topology import Topology

BROKER = broker()


class OwnTls(unittest.TestCase):
    def setUp(self):
        name = BROKER.name + "-tls"
        home = os.path.join(ROOT, "build/brokers", KIND, name)
        shutil.rmtree(home, ignore_errors=True)
        self.addCleanup(shutil.rmtree, home, ignore_errors=True)
        self.authority = Authority(os.path.join(home, "authority"))
        self.port, management = free_port(), free_port()
        self.pem = {end: self.authority.path("current." + end) for end in ("pem", "key")}
        self.use("localhost", 2)
        files = {"cacertfile": self.authority.certificate, "certfile": self.pem["pem"], "keyfile": self.pem["key"]}
        lines = ["listeners.ssl.1 = 127.0.0.1:%d" % self.port, "ssl_options.verify = verify_none", "management.ssl.ip = 127.0.0.1",
                 "management.ssl.port = %d" % management]
        lines += ["%s.%s = %s" % (where, what, path) for where in ("ssl_options", "management.ssl") for what, path in files.items()]
        subprocess.run([SCRIPT, KIND, "start", name], check=True, capture_output=True, timeout=150, env=dict(os.environ, BATON_RABBITMQ_CONF="\n".join(lines)))
        self.addCleanup(subprocess.run, [SCRIPT, KIND, "stop", name], timeout=150, capture_output=True)
        self.broker = KINDS[KIND](name)
        self.t = Topology(properties={"agentQMgrRetryInterval": "1"}, broker=self.broker)
        self.addCleanup(self.t.close)
        urls = ("amqps://localhost:%d" % self.port, "https://localhost:%d" % management)
        for agent in self.t.agents:
            self.reach(self.t.config(agent), "agent", "agentQMgr", *urls)
        self.reach(os.path.join(self.t.data, "mqft/config", self.t.QMGR, "command.properties"), "connection", "connectionQMgr", *urls)

    def reach(self, path, ssl, qmgr, url, management):
        """The URLs take the place of host and port."""
        with open(path) as text:
            kept = [line for line in text if not line.startswith((qmgr + "Host=", qmgr + "Port=", qmgr + "ManagementUrl="))]
        with open(path, "w") as out:
            out.writelines(kept)
            out.write("%sSslTrustStore=%s\n%sUrls=%s\n%sManagementUrl=%s\n" % (ssl, self.authority.certificate, qmgr, url, qmgr, management))

    def use(self, name, days):
        """From the next handshake on."""
        self.authority.issue(name, days)
        for end, path in self.pem.items():
            os.replace(shutil.copy(self.authority.path("%s_%d.%s" % (name, days, end)), path + ".new"), path)
        if hasattr(self, "broker"):
            self.broker.control("eval", "ssl:clear_pem_cache().")

    def transfer(self):
        with open(self.t.path("in"), "wb") as out:
            out.write(os.urandom(1 << 20))
        done = self.t.transfer("-de", "overwrite", "-df", self.t.path("out"), self.t.path("in"))
        self.assertEqual(0, done.code, repr(done) + self.t.log("SRC")[-3000:])
        subprocess.run(["cmp", self.t.path("in"), self.t.path("out")], check=True)

    def connections(self):
        """Of Baton, as the broker sees them: whether each is over TLS."""
        return [one["ssl"] for one in self.broker.http("/api/connections")]

    def test_a_transfer_over_amqps(self):
        self.t.start()
        self.transfer()
        seen = eventually(self.connections, "the broker lists connections")
        self.assertEqual({True}, set(seen), "all of them")

    def refused(self, words, *certificate):
        self.t.start("DST")
        self.use(*certificate)
        self.t.run("fteStartAgent", "-t", "1", "SRC")
        self.t.wait_for_log("SRC", "BFGAG0902W", words, count=2)
        self.assertNotIn("BFGAG0059I", self.t.log("SRC"))
        asked = self.t.run("ftePingAgent", "SRC")
        self.assertNotEqual(0, asked.code, repr(asked))
        pid = self.t.pid("SRC")
        self.use("localhost", 2)
        self.t.wait_for_log("SRC", "BFGAG0059I")
        self.assertEqual(pid, self.t.pid("SRC"), "it was not started again")
        self.transfer()

    def test_a_certificate_for_another_name_is_refused(self):
        self.refused("the certificate of the queue manager is not for the name localhost", "other.example", 2)

    def test_a_certificate_that_has_expired_is_refused(self):
        self.refused("the certificate of the queue manager has expired: it needs a new one", "localhost", -1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
