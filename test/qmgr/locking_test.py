"""Queues with one consumer at a time, and whose temporary queues are."""
import os
import signal
import subprocess
import sys
import time
import unittest

from proton import Message
from proton.utils import BlockingConnection

from support import DEADLINE_S, Epoch, Manager, Priority, QmgrTest, eventually

HOLDER = """
import sys
from proton.utils import BlockingConnection
c = BlockingConnection(sys.argv[1], timeout=20, heartbeat=5)
r = c.create_receiver(sys.argv[2], credit=5)
print(r.receive(20).body, flush=True)
sys.stdin.read()
"""


class LockingTest(QmgrTest):
    def test_exclusive_refuses_a_second_consumer(self):
        self.admin.declare("Q", type="exclusive")
        first = self.connection.create_receiver("Q")
        with self.assertRaisesRegex(Exception, "amqp:resource-locked"):
            self.connect().create_receiver("Q")
        first.close()
        self.connect().create_receiver("Q")

    def test_exclusive_goes_to_a_higher_epoch(self):
        self.admin.declare("Q", type="exclusive")
        self.send("Q", "one")
        old = self.connect()
        receiver = old.create_receiver("Q", credit=5, options=Epoch(7))
        self.assertEqual(receiver.receive(DEADLINE_S).body, "one")
        for epoch in (0, 6, 7):
            with self.assertRaisesRegex(Exception, "amqp:resource-locked"):
                self.connect().create_receiver("Q", options=Epoch(epoch))
        again = self.connect().create_receiver("Q", credit=5, options=Epoch(1 << 40)).receive(DEADLINE_S)
        self.assertEqual((again.body, again.delivery_count), ("one", 1))
        with self.assertRaisesRegex(Exception, "amqp:link:stolen"):
            receiver.receive(DEADLINE_S)

    def test_exclusive_without_an_epoch_is_kept(self):
        self.admin.declare("Q", type="exclusive")
        self.connection.create_receiver("Q")
        with self.assertRaisesRegex(Exception, "amqp:resource-locked"):
            self.connect().create_receiver("Q", options=Epoch(9))

    def test_single_active_hands_over_when_the_link_goes(self):
        self.admin.declare("Q", type="single-active")
        holder = self.connection.create_receiver("Q", credit=5)
        waiting = self.connection.create_receiver("Q", credit=5)
        self.send("Q", "token")
        self.assertEqual(holder.receive(DEADLINE_S).body, "token")
        self.assertEqual(len(waiting.fetcher.incoming), 0)
        holder.close()
        again = waiting.receive(DEADLINE_S)
        self.assertEqual((again.body, again.delivery_count), ("token", 1))

    def test_single_active_follows_priority_without_preemption(self):
        self.admin.declare("Q", type="single-active")
        connections = [self.connect() for _ in range(4)]
        receivers = [c.create_receiver("Q", credit=5, options=Priority(p))
                     for c, p in zip(connections, (0, 1, 9, 9))]
        self.send("Q", "token")
        for index in (0, 2, 3, 1):
            self.assertEqual(receivers[index].receive(DEADLINE_S).body, "token")
            self.assertEqual(self.admin.get("Q")["activeConsumer"], connections[index].conn.container)
            connections[index].close()

    def test_released_comes_back_to_the_holder(self):
        self.admin.declare("Q", type="single-active")
        holder, waiting = (self.connection.create_receiver("Q", credit=2) for _ in range(2))
        self.send("Q", "token")
        for _ in range(5):
            self.assertEqual(holder.receive(DEADLINE_S).body, "token")
            holder.release(delivered=False)
        self.assertEqual(holder.receive(DEADLINE_S).body, "token")
        self.assertEqual(len(waiting.fetcher.incoming), 0)

    def test_takeover_after_kill_is_quick(self):
        self.admin.declare("Q", type="single-active")
        self.send("Q", "token")
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, self.manager.url, "Q"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.stdin.close)
        self.assertEqual(holder.stdout.readline().strip(), "token")
        waiting = self.connection.create_receiver("Q", credit=5)
        start = time.monotonic()
        holder.kill()
        holder.wait()
        self.assertEqual(waiting.receive(DEADLINE_S).body, "token")
        took = time.monotonic() - start
        print("takeover after kill -9: %.1f ms" % (took * 1000))
        self.assertLess(took, 0.5)

    def test_temporary_queues_belong_to_their_connection(self):
        mine = self.connection.create_receiver(None, dynamic=True, credit=5)
        address = mine.link.remote_source.address
        self.assertRegex(address, r"^TEMP\.")
        other = self.connect()
        with self.assertRaisesRegex(Exception, "amqp:resource-locked"):
            other.create_receiver(address)
        other.create_sender(address).send(Message(body="hello"))
        self.assertEqual(mine.receive(DEADLINE_S).body, "hello")
        gone = self.connect()
        address = gone.create_receiver(None, dynamic=True).link.remote_source.address
        gone.close()
        eventually(lambda: address not in [q["name"] for q in self.admin.request("list")["queues"]], "it is deleted")


class SilentPeerTest(QmgrTest):
    PROPERTIES = {"idleTimeout": 2000}

    def test_a_stopped_holder_loses_the_lock_after_the_idle_timeout(self):
        self.admin.declare("Q", type="single-active")
        self.send("Q", "token")
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, self.manager.url, "Q"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.stdin.close)
        self.addCleanup(holder.kill)
        self.assertEqual(holder.stdout.readline().strip(), "token")
        waiting = self.connection.create_receiver("Q", credit=5)
        start = time.monotonic()
        os.kill(holder.pid, signal.SIGSTOP)
        self.assertEqual(waiting.receive(DEADLINE_S).body, "token")
        took = time.monotonic() - start
        print("takeover after SIGSTOP with an idle timeout of 2 s: %.1f s" % took)
        self.assertLess(took, 4)

    def test_a_client_can_ask_for_more_patience_but_not_for_any(self):
        # Proton advertises half of what it tolerates, in seconds here.
        for asked, told in ((None, 1.0), (1000, 1.0), (10000, 5.0), (1 << 40, 30.0)):
            patient = BlockingConnection(self.manager.url, timeout=DEADLINE_S, properties={"idle-timeout": asked} if asked else None)
            self.assertEqual(told, patient.conn.transport.remote_idle_timeout, asked)
            patient.close()


if __name__ == "__main__":
    unittest.main()
