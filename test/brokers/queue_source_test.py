"""A queue as the source of a file where the queue is not on Baton's own queue manager; and what becomes of the password
that is needed there."""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from proton import Message

from brokers import KIND, broker
from processes import eventually
from topology import Topology

BROKER = broker()
QUEUE = "SYSTEM.FTE.TEST.NUMBERS"  # a name that the user below may read
MESSAGES = 1000
USER, PASSWORD = "ann", "correct-horse-battery-staple"
PROPERTIES = {"enableQueueInputOutput": "true", "agentQMgrRetryInterval": "1", "transferAckTimeout": "3000", "recoverableTransferRetryInterval": "1000"}


class QueueSource(unittest.TestCase):
    def setUp(self):
        if BROKER:
            BROKER.remove_all_queues()
        self.t = Topology(("SRC", "DST"), PROPERTIES, BROKER)
        self.addCleanup(self.t.close)

    def fill(self):
        if BROKER:
            BROKER.declare(QUEUE)
        else:
            self.t.must("fteDefineQueue", "-m", self.t.QMGR, "-type", "shared", QUEUE)
        client = self.t.stock_client()
        sender = client.create_sender(self.t.address(QUEUE))
        deliveries = [sender.link.send(Message(body="%d" % number, durable=True, id="n-%d" % number)) for number in range(MESSAGES)]
        client.wait(lambda: all(delivery.settled for delivery in deliveries), timeout=60, msg="messages are accepted")
        client.close()

    def kill_broker(self):
        if BROKER:
            BROKER.kill()
            BROKER.start_again()
        else:
            port = self.t.qmgr_port()
            self.t.kill(self.t.qmgr_pid(), 9)
            eventually(lambda: self.t.run("fteStartQMgr", self.t.QMGR, "-p", str(port)).code == 0, "the queue manager is back")

    def assert_all_there(self):
        with open(self.t.path("out")) as lines:
            self.assertEqual(list(range(MESSAGES)), [int(line) for line in lines])
        eventually(lambda: self.t.depth(QUEUE) == 0, lambda: "no message is left: %s" % self.t.depth(QUEUE))

    def move(self):
        return self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-sq", QUEUE, "-sqwt", "5", "-sqdt", "\n", "-df", self.t.path("out")))

    def test_each_message_once_and_in_order_though_the_broker_is_killed(self):
        self.t.start()
        self.fill()
        with self.t.frozen("DST"):
            transfer = self.move()
            self.t.wait_for_log("SRC", "BFGTR0053I")
            self.kill_broker()
        self.assertEqual(0, self.t.items_of(transfer)["resultCode"], self.t.log("SRC")[-4000:])
        self.assert_all_there()

    @unittest.skipUnless(BROKER, "the embedded queue manager has no users")
    def test_the_password_is_nowhere_in_clear(self):
        BROKER.add_user(USER, PASSWORD)
        BROKER.allow(USER)
        file = BROKER.credentials(self.t.root, USER, PASSWORD)
        self.t.must("fteObfuscate", "-f", file)
        for agent in self.t.agents:
            self.t.set_properties(agent, {"agentQMgrAuthenticationCredentialsFile": file})
        with open(os.path.join(self.t.data, "mqft/config", self.t.QMGR, "command.properties"), "a") as commands:
            commands.write("connectionQMgrAuthenticationCredentialsFile=%s\n" % file)
        self.t.start()
        self.fill()
        with self.t.frozen("DST"):
            waiting = subprocess.Popen([*self.t.inside, os.path.join(os.environ["BATON_BIN"], "fteCreateTransfer"), "-sa", "SRC", "-da", "DST", "-sq", QUEUE,
                                        "-sqwt", "5", "-sqdt", "\n", "-df", self.t.path("out"), "-w"], env=self.t.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.addCleanup(waiting.stdout.close)
            self.t.wait_for_log("SRC", "BFGTR0053I")
            processes = [self.t.pid("SRC"), self.t.pid("DST"), self.t.pid("SRC", "controller.pid"), self.t.qmgr_pid(), waiting.pid]
            shown = {pid: self.of_process(pid) for pid in processes}
        said = {"fteCreateTransfer -w": waiting.communicate(timeout=120)[0]}
        self.assertEqual(0, waiting.returncode, said)
        self.assert_all_there()
        # A wrong one is what programs are most tempted to tell.
        BROKER.credentials(self.t.root, USER, PASSWORD + "-wrong")
        self.t.must("fteStopAgent", "-i", "SRC")
        eventually(lambda: not self.t.pid("SRC"), "the agent has stopped")
        said["fteStartAgent"] = self.t.run("fteStartAgent", "-t", "1", "SRC").out.encode()
        self.t.wait_for_log("SRC", "BFGAG0902W")
        for words in (("fteListAgents", "-v"), ("fteShowAgentDetails", "-v", "DST"), ("fteListTransfers", "-v"), ("ftePingAgent", "DST")):
            for how in ((), ("--json",)):
                said[" ".join(words + how)] = self.t.run(*words, *how).out.encode()
        os.remove(file)
        found = [what for what, text in [*shown.items(), *said.items()] if PASSWORD.encode() in text]
        self.assertEqual([], found + self.files_with(PASSWORD.encode()))

    @staticmethod
    def of_process(pid):
        text = b""
        for name in ("cmdline", "environ"):
            with open("/proc/%d/%s" % (pid, name), "rb") as about:
                text += about.read()
        return text

    def files_with(self, secret):
        found, looked = [], 0
        for directory, _, names in os.walk(self.t.root):
            for name in names:
                path = os.path.join(directory, name)
                if os.path.isfile(path):
                    looked += 1
                    with open(path, "rb") as content:
                        if secret in content.read():
                            found.append(path)
        self.assertGreater(looked, 20)
        return found


if __name__ == "__main__":
    print("queues as sources on", KIND)
    unittest.main(verbosity=2)
