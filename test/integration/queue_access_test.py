"""How a queue that is a source is reached: with and without TLS, and not by other protocols."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from proton import Message

from certificates import Authority, TlsRelay
from topology import Topology

QUEUE = "APP.NUMBERS"


class Access(unittest.TestCase):
    def topology(self):
        t = Topology(properties={"enableQueueInputOutput": "true", "exclusive": "true"})
        self.addCleanup(t.close)
        return t

    def assert_reads(self, t):
        t.start()
        t.must("fteDefineQueue", "-m", t.QMGR, "-type", "shared", QUEUE)
        client = t.stock_client()
        sender = client.create_sender(QUEUE)
        for number in range(100):
            sender.send(Message(body=str(number), durable=True))
        client.close()
        done = t.transfer("-sq", QUEUE, "-sqdt", " ", "-df", t.path("out"))
        self.assertEqual(0, done.code, repr(done))
        with open(t.path("out")) as file:
            self.assertEqual(list(range(100)), [int(word) for word in file.read().split()])
        self.assertEqual(0, t.depth(QUEUE))

    def test_amqp(self):
        t = self.topology()
        t.set_properties("SRC", {"agentQMgrUrls": "amqp://127.0.0.1:%d" % t.qmgr_port()})
        self.assert_reads(t)

    def test_amqps(self):
        t = self.topology()
        authority = Authority(t.path("authority"))
        relay = TlsRelay(t.qmgr_port(), authority.issue())
        self.addCleanup(relay.close)
        t.set_properties("SRC", {"agentQMgrUrls": "amqps://localhost:%d" % relay.port, "agentSslTrustStore": authority.certificate})
        self.assert_reads(t)

    def test_http_is_refused_by_the_name_of_the_property(self):
        for scheme in ("http", "https"):
            t = self.topology()
            t.set_properties("SRC", {"agentQMgrUrls": "%s://localhost:8080" % scheme})
            done = t.run("fteStartAgent", "SRC")
            self.assertNotEqual(0, done.code, repr(done))
            said = done.out + t.log("SRC")
            self.assertIn("agentQMgrUrls", said)
            self.assertIn("%s://localhost:8080" % scheme, said)
            self.assertIn("neither the lock of instances nor one that is read with exclusive=true: expected amqp://host:port or amqps://host:port", said)
            t.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
