"""kill -9 of the queue manager, again and again, under a load of durable messages.

Each round sends numbered messages of three priorities, takes some of them, and kills the queue manager at a random
moment. At the end what is left is drained. Every message that was accepted must have come out; no number may be in the
queue twice; within a priority numbers must come in order. A consumer may see a message again only if the kill could have
hit between its settlement and the commit: that is, at most the unsettled window of that round.

BATON_KILLS: rounds (50). BATON_SEED: seed of the random choices; it is printed.
"""
import collections
import os
import random
import signal
import sys
import time
import unittest

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container

from support import Admin, Manager, eventually

KILLS = int(os.environ.get("BATON_KILLS", "50"))
SEED = int(os.environ.get("BATON_SEED", str(random.randrange(1 << 30))))
PRIORITIES = (0, 4, 9)
UNSETTLED_MAX = 100
CONSUMER_CREDIT = 20
ROUND_LIMIT_S = 20


class Round(MessagingHandler):
    """Sends and takes until the queue manager is killed."""

    def __init__(self, manager, first_number, kill_after_s, rng):
        super().__init__(prefetch=0, auto_accept=False)
        self.manager, self.next_number, self.kill_after_s, self.rng = manager, first_number, kill_after_s, rng
        self.numbers = {}
        self.accepted, self.rejected, self.received = [], [], []
        self.receiver = None
        self.killing = False

    def on_start(self, event):
        connection = event.container.connect(self.manager.url, reconnect=False, heartbeat=5)
        self.sender = event.container.create_sender(connection, "LOAD")
        self.receiver = event.container.create_receiver(connection, "LOAD")
        self.receiver.flow(CONSUMER_CREDIT)
        event.container.schedule(ROUND_LIMIT_S, self)

    def on_timer_task(self, event):
        if self.killing and self.manager.process.poll() is None:
            os.kill(self.manager.process.pid, signal.SIGKILL)
        elif not self.killing:
            event.container.stop()

    def on_sendable(self, event):
        self.fill()

    def fill(self):
        while self.sender.credit and len(self.numbers) < UNSETTLED_MAX:
            number = self.next_number
            self.next_number += 1
            body = b"%d" % number + b"x" * self.rng.choice((0, 100, 5000))
            delivery = self.sender.send(Message(id=number, durable=True, body=body,
                                                priority=PRIORITIES[number % len(PRIORITIES)]))
            self.numbers[delivery.tag] = number

    def on_accepted(self, event):
        self.accepted.append(self.numbers.pop(event.delivery.tag))
        if not self.killing and len(self.accepted) > 30:
            self.killing = True
            event.container.schedule(self.kill_after_s, self)
        self.fill()

    def on_rejected(self, event):
        self.rejected.append(self.numbers.pop(event.delivery.tag))

    def on_message(self, event):
        self.received.append((event.message.priority, event.message.id))
        # Half of the rounds consume more slowly than they produce, so that the queue also grows.
        self.accept(event.delivery)
        self.receiver.flow(1 if self.rng.random() < 0.8 else 0)

    def on_disconnected(self, event):
        event.container.stop()

    def on_transport_error(self, event):
        event.container.stop()


class KillTest(unittest.TestCase):
    KIND = "kill test"

    def setUp(self):
        self.manager = Manager()
        self.addCleanup(self.manager.close)

    def next_manager(self):
        """The one that is to be killed next, serving."""
        return self.manager.start()

    def round(self, manager, sent, rng):
        return Round(manager, sent, rng.uniform(0, 0.12), rng)

    def after_kill(self, manager):
        manager.process.wait(20)

    def end(self, manager):
        self.assertEqual(manager.stop(), 0)

    def assert_in_order(self, received, where):
        last = {}
        for priority, number in received:
            self.assertGreater(number, last.get(priority, -1), "%s: priority %d out of order" % (where, priority))
            last[priority] = number

    def drain(self, manager):
        connection = manager.connect()
        depth = Admin(connection).get("LOAD")["depth"]
        receiver = connection.create_receiver("LOAD", credit=200)
        left = []
        for _ in range(depth):
            message = receiver.receive(timeout=20)
            receiver.accept()
            left.append((message.priority, message.id))
        connection.close()
        return left

    def test_nothing_accepted_is_lost(self):
        rng = random.Random(SEED)
        print("%s: seed %d" % (self.KIND, SEED))
        accepted, seen, unknown = set(), collections.Counter(), 0
        again, sent = 0, 0
        started = time.monotonic()
        for number in range(KILLS):
            manager = self.next_manager()
            if number == 0:
                connection = manager.connect()
                Admin(connection).declare("LOAD")
                connection.close()
            load = self.round(manager, sent, rng)
            Container(load).run()
            self.after_kill(manager)
            sent = load.next_number
            self.assertEqual(load.rejected, [])
            self.assertGreater(len(load.accepted), 0, "round %d accepted nothing" % number)
            self.assert_in_order(load.received, "round %d" % number)
            accepted.update(load.accepted)
            unknown += len(load.numbers)
            repeated = sum(1 for _, one in load.received if seen[one])
            self.assertLessEqual(repeated, 3 * UNSETTLED_MAX, "round %d: settled messages came again" % number)
            again += repeated
            seen.update(one for _, one in load.received)
        manager = self.next_manager()
        left = self.drain(manager)
        again += sum(1 for _, one in left if seen[one])
        self.assert_in_order(left, "drain")
        in_queue = [one for _, one in left]
        lost = accepted - set(seen) - set(in_queue)
        print("%s: %d kills, %d sent, %d accepted, %d without an answer, %d taken before, %d drained, "
              "%d lost, %d doubled, %d seen again by a consumer, %.1f s"
              % (self.KIND, KILLS, sent, len(accepted), unknown, len(seen), len(left), len(lost),
                 len(in_queue) - len(set(in_queue)), again, time.monotonic() - started))
        self.assertEqual(len(in_queue), len(set(in_queue)), "a message is in the queue twice")
        self.assertEqual(sorted(lost)[:20], [], "%d accepted messages are lost" % len(lost))
        self.end(manager)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    unittest.main()
