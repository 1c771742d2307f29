"""What a queue manager can refuse, on each kind of them: the agent says once for each try what is wrong and what to do, tries
again after waits that grow, and is ready when it is mended, in the same process."""
import os
import re
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from brokers import KIND, SCRIPT, broker
from certificates import Authority, TlsRelay
from relay import Relay
from topology import Topology

BROKER = broker()
QUICK = {"agentQMgrRetryInterval": "1"}
LIMITED = "limited"  # a user of the broker, whose rights the tests change


class Refusals(unittest.TestCase):
    def setUp(self):
        if BROKER:
            BROKER.remove_all_queues()
        self.t = Topology(("SRC",), QUICK, BROKER)
        self.addCleanup(self.t.close)

    def expect(self, *words):
        """Starts the agent, which says this again and again, and nothing else; a function that looks whether it is ready
        after all."""
        self.t.run("fteStartAgent", "-t", "1", "SRC")
        self.t.wait_for_log("SRC", *words, count=2)
        log = self.t.log("SRC")
        self.assertNotIn("BFGAG0059I", log)
        tries = [line for line in log.splitlines() if any(word in line for word in words)]
        for line in tries:
            for word in words:
                self.assertIn(word, line)
        pid = self.t.pid("SRC")

        def mended():
            self.t.wait_for_log("SRC", "BFGAG0059I")
            self.assertEqual(pid, self.t.pid("SRC"), "it was not started again")
        return mended

    def qmgr_port(self):
        return int(BROKER.about["port"]) if BROKER else self.t.qmgr_port()

    def through(self, port, host="127.0.0.1"):
        self.t.set_properties("SRC", {"agentQMgrHost": host, "agentQMgrPort": str(port)})

    @unittest.skipUnless(BROKER, "the embedded queue manager has no passwords")
    def test_a_wrong_password(self):
        file = BROKER.credentials(self.t.root, password="not this one")
        self.t.set_properties("SRC", {"agentQMgrAuthenticationCredentialsFile": file})
        mended = self.expect("BFGAG0902W", "does not let the user '%s' in: see the user, the password" % BROKER.about["user"])
        self.assertNotIn("not this one", self.t.log("SRC"))
        BROKER.credentials(self.t.root)
        mended()

    @unittest.skipUnless(BROKER, "the embedded queue manager has no users")
    def test_no_right_to_a_queue(self):
        BROKER.add_user(LIMITED, LIMITED)
        self.addCleanup(BROKER.allow, LIMITED)
        BROKER.allow(LIMITED, but_not_to_consume="SYSTEM.FTE.STATE.SRC")
        file = BROKER.credentials(self.t.root, LIMITED, LIMITED)
        self.t.set_properties("SRC", {"agentQMgrAuthenticationCredentialsFile": file})
        mended = self.expect("SYSTEM.FTE.STATE.SRC", "the user '%s' needs the right to send to and to consume from the queues SYSTEM.FTE.#" % LIMITED)
        BROKER.allow(LIMITED)
        mended()

    @unittest.skipUnless(BROKER, "whoever reaches the embedded queue manager may make queues")
    def test_missing_queues_and_no_right_to_make_them(self):
        BROKER.add_user(LIMITED, LIMITED)
        self.addCleanup(BROKER.allow, LIMITED)
        BROKER.allow(LIMITED, to_make_queues=False)
        BROKER.remove_all_queues()
        file = BROKER.credentials(self.t.root, LIMITED, LIMITED)
        self.t.set_properties("SRC", {"agentQMgrAuthenticationCredentialsFile": file})
        mended = self.expect("BFGAG0911E: The queues of the agent cannot be made on BROKER")
        subprocess.run(["sh", self.t.config("SRC", "SRC_create.sh")], check=True, capture_output=True, timeout=60, env=BROKER.script_environment())
        mended()

    def with_certificate(self, name, days, *words):
        authority = Authority(self.t.path("authority"))
        relay = TlsRelay(self.qmgr_port(), authority.issue(name, days))
        self.addCleanup(relay.close)
        self.t.set_properties("SRC", {"agentSslTrustStore": authority.certificate})
        if BROKER:
            self.t.set_properties("SRC", {"agentQMgrManagementUrl": BROKER.about["management"]})
        self.through(relay.port, "localhost")
        mended = self.expect("BFGAG0902W", *words)
        relay.context = authority.issue()
        mended()

    def test_an_expired_certificate(self):
        self.with_certificate("localhost", -1, "the certificate of the queue manager has expired: it needs a new one")

    def test_a_certificate_for_another_name(self):
        self.with_certificate("other.example", 2, "the certificate of the queue manager is not for the name localhost")

    def test_a_certificate_of_another_authority(self):
        other = Authority(self.t.path("other"))
        relay = TlsRelay(self.qmgr_port(), other.issue())
        self.addCleanup(relay.close)
        authority = Authority(self.t.path("authority"))
        self.t.set_properties("SRC", {"agentSslTrustStore": authority.certificate})
        self.through(relay.port, "localhost")
        mended = self.expect("BFGAG0902W", "the certificate of the queue manager is not trusted", "see the trust store " + authority.certificate)
        relay.context = authority.issue()
        mended()

    def test_one_that_accepts_connections_and_says_nothing(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        port = silent.getsockname()[1]
        self.through(port)
        mended = self.expect("BFGAG0902W", "127.0.0.1:%d: no answer within 10000 ms: it accepts connections and says nothing" % port)
        silent.close()
        relay = Relay(self.qmgr_port(), port)
        self.addCleanup(relay.close)
        mended()

    @unittest.skipUnless(BROKER, "the embedded queue manager does not say what it is")
    def test_another_kind_than_the_property_says(self):
        kind = "rabbitmq" if KIND != "rabbitmq" else "qpid"
        self.t.set_properties("SRC", {"agentQMgrType": kind})
        self.t.run("fteStartAgent", "-t", "1", "SRC")
        self.t.wait_for_log("SRC", "set the property for its kind (agentQMgrType, connectionQMgrType, coordinationQMgrType) to %s" % KIND)

    @unittest.skipUnless(KIND == "qpid", "only Broker-J comes without an idle timeout")
    def test_one_that_never_drops_a_silent_client(self):
        """An agent that is highly available says so, and runs."""
        name = BROKER.name + "-never"
        subprocess.run([SCRIPT, "qpid", "start", name], check=True, capture_output=True, timeout=150, env=dict(os.environ, BATON_QPID_HEARTBEAT="0"))
        self.addCleanup(subprocess.run, [SCRIPT, "qpid", "stop", name], timeout=150)
        self.t.set_properties("SRC", {"agentQMgrPort": type(BROKER)(name).about["port"], "highlyAvailable": "true"})
        self.t.must("fteStartAgent", "SRC")
        self.t.wait_for_log("SRC", "BFGAG0059I", "BFGAG0938W: Queue manager BROKER never drops a client that has fallen silent")

    def test_waits_between_tries_grow(self):
        """To agentQMgrRetryInterval, and no further."""
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            self.through(nobody.getsockname()[1])
        self.t.run("fteStartAgent", "-t", "1", "SRC")
        self.t.wait_for_log("SRC", "BFGAG0902W", count=5)
        waits = re.findall(r"BFGAG0902W.* tries again in (\S+ \S+)\.", self.t.log("SRC"))
        self.assertGreater(len(set(waits)), 2, waits)


if __name__ == "__main__":
    unittest.main(verbosity=2)
