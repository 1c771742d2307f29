"""Start and end of the process: files, signals, one instance, who may connect."""
import os
import signal
import socket
import subprocess
import time
import unittest

from proton import Message, SSLDomain
from proton.utils import BlockingConnection

from support import PROGRAM, Admin, Manager, QmgrTest, eventually


class ProcessTest(unittest.TestCase):
    def setUp(self):
        self.manager = Manager()
        self.addCleanup(self.manager.close)

    def path(self, name):
        return os.path.join(self.manager.home, name)

    def run_program(self, *words):
        return subprocess.run([PROGRAM, *words], env=dict(os.environ, BFG_DATA=self.manager.root), text=True,
                              capture_output=True, timeout=20)

    def with_properties(self, **properties):
        self.manager.close()
        self.manager = Manager(properties=properties)
        self.addCleanup(self.manager.close)

    def test_files_while_it_runs_and_after(self):
        self.manager.start()
        with open(self.path("qmgr.pid")) as text:
            self.assertEqual(int(text.read()), self.manager.process.pid)
        self.assertIn("BFGQM0001I", self.manager.log_text())
        self.assertEqual(self.manager.stop(signal.SIGTERM), 0)
        self.assertFalse(os.path.exists(self.path("qmgr.address")))
        self.assertIn("BFGQM0004I", self.manager.log_text())

    def test_a_second_one_says_who_runs(self):
        self.manager.start()
        second = self.run_program("QM", "-p", "0")
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(self.manager.process.pid), second.stderr)
        Admin(self.manager.connect()).declare("Q")

    def test_quiesce_asks_clients_to_end_and_checkpoints(self):
        self.manager.start()
        connection = self.manager.connect()
        Admin(connection).declare("Q")
        connection.create_sender("Q").send(Message(body="x", durable=True))
        start = time.monotonic()
        self.manager.process.send_signal(signal.SIGINT)
        with self.assertRaisesRegex(Exception, "amqp:connection:forced.*queue manager is stopping"):
            connection.wait(lambda: False, timeout=20)
        QmgrTest.end(connection)
        self.assertEqual(self.manager.process.wait(20), 0)
        self.assertLess(time.monotonic() - start, 12)
        self.assertFalse(os.path.exists(self.path("store.db-wal")))

    def test_stop_requests(self):
        for immediate in (True, False):
            self.manager.start()
            connection = self.manager.connect()
            try:
                Admin(connection).request("stop", body={"immediate": immediate})
            except Exception:
                pass  # the end may overtake the answer
            QmgrTest.end(connection)
            self.assertEqual(self.manager.process.wait(20), 0)

    def test_a_taken_port_is_an_error(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        second = self.run_program("QM", "-p", str(taken.getsockname()[1]))
        self.assertEqual(second.returncode, 1)
        self.assertIn("cannot listen", second.stderr)

    def test_usage(self):
        for words in ((), ("QM", "-p", "x"), ("QM", "-x"), ("A", "B")):
            self.assertEqual(self.run_program(*words).returncode, 1, words)

    def test_other_hosts_need_tls(self):
        self.with_properties(bindAddress="0.0.0.0")
        with self.assertRaisesRegex(AssertionError, "ended with 1.*BFGQM0008E"):
            self.manager.start()

    def test_noise_on_the_port_does_no_harm(self):
        self.manager.start()
        for noise in (b"", b"GET / HTTP/1.0\r\n\r\n", b"AMQP\x00\x00\x09\x01", os.urandom(2000),
                      b"AMQP\x00\x01\x00\x00" + b"\x7f\xff\xff\xff\x02\x00\x00\x00" + b"x" * 1000):
            with socket.create_connection(("127.0.0.1", self.manager.port)) as peer:
                peer.sendall(noise)
        Admin(self.manager.connect()).declare("Q")


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


class TlsTest(unittest.TestCase):
    def setUp(self):
        self.manager = Manager()
        self.addCleanup(self.manager.close)
        folder = self.folder = self.manager.root
        for name in ("ca", "rogue"):
            openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", name + ".key", "-out", name + ".pem", "-subj", "/CN=" + name, "-days", "2")
        for name, issuer in (("localhost", "ca"), ("client", "ca"), ("stranger", "rogue")):
            openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
            openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", issuer + ".pem", "-CAkey", issuer + ".key",
                    "-CAcreateserial", "-out", name + ".pem", "-days", "2")
        with open(os.path.join(self.manager.home, "qmgr.properties"), "w") as out:
            out.write("coordination=false\nbindAddress=0.0.0.0\ntlsCertificate=%s\ntlsKey=%s\ntlsTrust=%s\n" % tuple(
                os.path.join(folder, f) for f in ("localhost.pem", "localhost.key", "ca.pem")))
        self.manager.start()

    def connect(self, certificate=None):
        domain = SSLDomain(SSLDomain.MODE_CLIENT)
        domain.set_trusted_ca_db(os.path.join(self.folder, "ca.pem"))
        domain.set_peer_authentication(SSLDomain.VERIFY_PEER)
        if certificate:
            domain.set_credentials(*(os.path.join(self.folder, certificate + end) for end in (".pem", ".key")), None)
        made = BlockingConnection("amqps://localhost:%d" % self.manager.port, ssl_domain=domain, timeout=10,
                                  reconnect=False)
        self.addCleanup(QmgrTest.end, made)
        return made

    def test_only_clients_with_a_trusted_certificate_come_in(self):
        admin = Admin(self.connect("client"))
        admin.declare("Q")
        for certificate in (None, "stranger"):
            with self.assertRaises(Exception):
                self.connect(certificate).create_sender("Q")
        with self.assertRaises(Exception):
            BlockingConnection("amqp://localhost:%d" % self.manager.port, timeout=10, reconnect=False).create_sender("Q")
        self.assertEqual(admin.get("Q")["depth"], 0)


if __name__ == "__main__":
    unittest.main()
