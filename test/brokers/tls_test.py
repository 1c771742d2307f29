"""A broker that speaks TLS itself, RabbitMQ also with its management: transfers over amqps://, with the name in its certificate checked;
one for another name, or that has expired, is refused until it is replaced, and then the same process goes on. It is killed
under a transfer."""
import glob
import os
import shutil
import ssl
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from brokers import KIND, KINDS, SCRIPT, broker
from certificates import Authority, openssl
from processes import ROOT, eventually
from qmgr_pair import free_port
from topology import Topology

BROKER = broker()


class RabbitMqTls:
    """Reads PEM files, and them again for a handshake after its cache was emptied."""

    def __init__(self, authority):
        self.authority = authority
        self.files = {end: authority.path("current." + end) for end in ("pem", "key")}
        self.management = free_port()

    def take(self, stem):
        for end, path in self.files.items():
            os.replace(shutil.copy(stem + "." + end, path + ".new"), path)

    def reload(self, broker):
        broker.control("eval", "ssl:clear_pem_cache().")

    def environment(self, port):
        files = {"cacertfile": self.authority.certificate, "certfile": self.files["pem"], "keyfile": self.files["key"]}
        lines = ["listeners.ssl.1 = 127.0.0.1:%d" % port, "ssl_options.verify = verify_none", "management.ssl.ip = 127.0.0.1",
                 "management.ssl.port = %d" % self.management]
        lines += ["%s.%s = %s" % (where, what, path) for where in ("ssl_options", "management.ssl") for what, path in files.items()]
        return {"BATON_RABBITMQ_CONF": "\n".join(lines)}

    def urls(self, port):
        return {"Urls": "amqps://localhost:%d" % port, "ManagementUrl": "https://localhost:%d" % self.management}


class JavaTls:
    """Reads a keystore; it is managed over AMQP itself."""
    PASSWORD = "keystore"

    def __init__(self, authority):
        self.store = authority.path("current.p12")

    def take(self, stem):
        openssl("pkcs12", "-export", "-name", "broker", "-in", stem + ".pem", "-inkey", stem + ".key", "-out", self.store + ".new", "-passout", "pass:" + self.PASSWORD)
        os.replace(self.store + ".new", self.store)

    def environment(self, port):
        return {"BATON_JAVA_TLS": "%d:%s:%s" % (port, self.store, self.PASSWORD)}

    def urls(self, port):
        return {"Urls": "amqps://localhost:%d" % port}


class ArtemisTls(JavaTls):
    def reload(self, broker):
        broker.operate("reload()", on=',component=acceptors,name="tls"')


class QpidTls(JavaTls):
    def reload(self, broker):
        broker.http("/api/latest/keystore/tls/reload", "POST", {})
        broker.http("/api/latest/port/TLS/updateTLS", "POST", {})


TLS = {"rabbitmq": RabbitMqTls, "artemis": ArtemisTls, "qpid": QpidTls}


class OwnTls(unittest.TestCase):
    def setUp(self):
        name = BROKER.name + "-tls"
        home = os.path.join(ROOT, "build/brokers", KIND, name)
        shutil.rmtree(home, ignore_errors=True)
        self.addCleanup(shutil.rmtree, home, ignore_errors=True)
        self.authority = Authority(os.path.join(home, "authority"))
        self.tls = TLS[KIND](self.authority)
        self.port = free_port()
        self.tls.take(self.issue("localhost", 2))
        # Registered first: one that did not start is stopped too, before its folder goes.
        self.addCleanup(subprocess.run, [SCRIPT, KIND, "stop", name], timeout=150, capture_output=True)
        subprocess.run([SCRIPT, KIND, "start", name], check=True, capture_output=True, timeout=150, env=dict(os.environ, **self.tls.environment(self.port)))
        self.broker = KINDS[KIND](name)
        self.t = Topology(properties={"agentQMgrRetryInterval": "1"}, broker=self.broker)
        self.addCleanup(self.t.close)
        for agent in self.t.agents:
            self.reach(self.t.config(agent), "agent", "agentQMgr")
        self.reach(self.t.command_config(), "connection", "connectionQMgr")

    def reach(self, path, ssl_prefix, qmgr):
        """The URLs take the place of host and port."""
        with open(path) as text:
            kept = [line for line in text if not line.startswith((qmgr + "Host=", qmgr + "Port=", qmgr + "ManagementUrl="))]
        with open(path, "w") as out:
            out.writelines(kept)
            out.write("%sSslTrustStore=%s\n" % (ssl_prefix, self.authority.certificate))
            out.writelines("%s%s=%s\n" % (qmgr, what, url) for what, url in self.tls.urls(self.port).items())

    def issue(self, name, days):
        self.authority.issue(name, days)
        return self.authority.path("%s_%d" % (name, days))

    def use(self, name, days):
        """From the next handshake on, without an end to the connections that there are."""
        stem = self.issue(name, days)
        self.tls.take(stem)
        self.tls.reload(self.broker)
        with open(stem + ".pem") as text:
            issued = ssl.PEM_cert_to_DER_cert(text.read())
        eventually(lambda: self.shown() == issued, "the broker shows the certificate for %s" % name)

    def shown(self):
        """The certificate that a client gets now; None while nothing listens."""
        try:
            return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("localhost", self.port)))
        except OSError:
            return None

    def transfer(self):
        with open(self.t.path("in"), "wb") as out:
            out.write(os.urandom(1 << 20))
        done = self.t.transfer("-de", "overwrite", "-df", self.t.path("out"), self.t.path("in"))
        self.assertEqual(0, done.code, repr(done) + self.t.log("SRC")[-3000:])
        subprocess.run(["cmp", self.t.path("in"), self.t.path("out")], check=True)

    def connections(self):
        """To the broker: how many there are at its port without TLS, and at the one with it."""
        with open("/proc/net/tcp") as table:
            rows = [line.split() for line in table][1:]
        there = [int(row[2].split(":")[1], 16) for row in rows if row[3] == "01"]  # established, as the client sees it
        return there.count(int(self.broker.about["port"])), there.count(self.port)

    def test_a_transfer_over_amqps(self):
        self.t.start()
        self.transfer()
        pinged = self.t.run("ftePingAgent", "DST")
        self.assertEqual(0, pinged.code, repr(pinged))
        plain, over_tls = self.connections()
        self.assertEqual(0, plain, "none without TLS")
        self.assertGreaterEqual(over_tls, len(self.t.agents), "each agent has one")

    def test_it_is_killed_under_a_transfer(self):
        self.t.start()
        source, target = self.t.path("large"), self.t.path("arrived")
        with open(source, "wb") as out:
            out.write(os.urandom(32 << 20))
        transfer = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-bw", str(8 << 20), "-df", target, source))
        eventually(lambda: self.parts(target), "it is under way")
        self.broker.kill()
        self.assertFalse(os.path.exists(target), "it was under way")
        self.broker.start_again(self.tls.environment(self.port))
        self.assertEqual(0, self.t.items_of(transfer)["resultCode"], self.t.log("SRC")[-3000:])
        subprocess.run(["cmp", source, target], check=True)
        self.assertEqual([], self.parts(target))
        self.assertEqual(0, self.connections()[0], "none without TLS")

    @staticmethod
    def parts(target):
        return glob.glob(glob.escape(target) + ".*.part")

    def refused(self, words, *certificate):
        self.t.start("DST")
        self.use(*certificate)
        self.t.run("fteStartAgent", "-t", "1", "SRC")
        self.t.wait_for_log("SRC", "BFGAG0902W", words, count=2)
        self.assertNotIn("BFGAG0059I", self.t.log("SRC"))
        asked = self.t.run("ftePingAgent", "SRC")
        self.assertNotEqual(0, asked.code, repr(asked))
        self.assertNotIn("BFGAG0902W", self.t.log("DST"), "connections that there are stay")
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
