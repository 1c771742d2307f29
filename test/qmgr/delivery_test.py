"""What happens to a message: order, expiry, settlement, redelivery, browsing, credit."""
import time
import unittest

from proton import Delivery, Message
from proton.handlers import MessagingHandler
from proton.reactor import AtMostOnce, Container, Copy
from proton.utils import SendException

from support import DEADLINE_S, QmgrTest, eventually


class DeliveryTest(QmgrTest):
    def receiver(self, queue, credit, connection=None, **more):
        return (connection or self.connection).create_receiver(queue, credit=credit, **more)

    @staticmethod
    def modify(receiver, failed=False, undeliverable=False):
        delivery = receiver.fetcher.unsettled.popleft()
        delivery.local.failed = failed
        delivery.local.undeliverable = undeliverable
        delivery.update(Delivery.MODIFIED)
        delivery.settle()

    def test_priority_first_then_arrival(self):
        self.admin.declare("Q")
        for number in range(30):
            self.send("Q", number, priority=number % 3 * 4)
        taken = self.take("Q", 30)
        self.assertEqual([m.body for m in taken], sorted(range(30), key=lambda n: (-(n % 3), n)))
        self.assertEqual([m.priority for m in taken], [8] * 10 + [4] * 10 + [0] * 10)

    def test_nothing_of_a_message_is_lost_on_the_way(self):
        self.admin.declare("Q")
        for durable in (True, False):
            sent = Message(id="an id", correlation_id=77, subject="s", reply_to="r", group_id="g", durable=durable,
                           priority=3, content_type="text/x", properties={"k": "v", "n": 5},
                           annotations={"x-opt-a": 1}, body={"list": [1, 2.5, b"raw", None]})
            self.connection.create_sender("Q").send(sent)
            got = self.take("Q", 1)[0]
            for field in ("id", "correlation_id", "subject", "reply_to", "group_id", "durable", "priority",
                          "content_type", "properties", "annotations", "body"):
                self.assertEqual(getattr(got, field), getattr(sent, field), field)
            self.assertTrue(got.first_acquirer)
            self.assertEqual(got.delivery_count, 0)

    def test_expired_messages_are_not_delivered(self):
        self.admin.declare("Q")
        self.send("Q", "short", ttl=0.05)
        self.send("Q", "long", ttl=60)
        eventually(lambda: self.admin.get("Q")["expired"] == 1, "the short one expires though nobody consumes")
        got = self.take("Q", 1)[0]
        self.assertEqual(got.body, "long")
        self.assertTrue(0 < got.ttl < 60)

    def test_expired_messages_go_to_the_dead_letter_queue(self):
        self.admin.declare("DEAD")
        self.admin.declare("Q", deadLetterQueue="DEAD")
        for durable in (True, False):
            self.send("Q", "late", ttl=0.02, durable=durable)
        self.assert_depth("DEAD", 2)
        self.assertEqual([m.body for m in self.take("DEAD", 2)], ["late", "late"])

    def test_released_and_modified_come_back_in_place(self):
        self.admin.declare("Q")
        self.send("Q", 1, 2, 3)
        receiver = self.receiver("Q", 1)
        self.assertEqual(receiver.receive(DEADLINE_S).body, 1)
        receiver.release(delivered=False)
        again = receiver.receive(DEADLINE_S)
        self.assertEqual((again.body, again.delivery_count, again.first_acquirer), (1, 0, True))
        self.modify(receiver, failed=True)
        again = receiver.receive(DEADLINE_S)
        self.assertEqual((again.body, again.delivery_count, again.first_acquirer), (1, 1, False))
        receiver.accept()
        self.assertEqual(receiver.receive(DEADLINE_S).body, 2)

    def test_rejected_is_dead_lettered_or_discarded(self):
        self.admin.declare("DEAD")
        self.admin.declare("WITH", deadLetterQueue="DEAD")
        self.admin.declare("WITHOUT")
        for queue in ("WITH", "WITHOUT"):
            self.send(queue, queue)
            receiver = self.receiver(queue, 1)
            receiver.receive(DEADLINE_S)
            receiver.reject()
            receiver.close()
            self.assert_depth(queue, 0)
        self.assertEqual(self.take("DEAD", 1)[0].body, "WITH")
        self.assertEqual(self.admin.get("WITHOUT")["dropped"], 1)

    def test_link_and_connection_loss_redeliver_in_order(self):
        self.admin.declare("Q")
        self.send("Q", 1, 2, 3)
        for count, ends in ((1, "link"), (2, "connection")):
            other = self.connect()
            receiver = self.receiver("Q", 3, other)
            self.assertEqual([receiver.receive(DEADLINE_S).body for _ in range(3)], [1, 2, 3])
            receiver.close() if ends == "link" else other.close()
            eventually(lambda: self.admin.get("Q")["unsettled"] == 0, "the %s is gone" % ends)
        taken = self.take("Q", 3)
        self.assertEqual([m.body for m in taken], [1, 2, 3])
        self.assertEqual([m.delivery_count for m in taken], [2, 2, 2])
        self.assertFalse(taken[0].first_acquirer)

    def test_browsing_copies(self):
        self.admin.declare("Q", type="exclusive")
        self.send("Q", 1, 2, 3)
        browser = self.receiver("Q", 10, options=Copy())
        self.assertEqual([browser.receive(DEADLINE_S).body for _ in range(3)], [1, 2, 3])
        browser.accept()
        self.assertEqual(self.admin.get("Q")["depth"], 3)
        self.assertEqual([m.body for m in self.take("Q", 3)], [1, 2, 3])
        self.assert_depth("Q", 0)

    def test_several_consumers_of_a_shared_queue_take_turns(self):
        self.admin.declare("Q")
        first, second = self.receiver("Q", 5), self.receiver("Q", 5)
        self.send("Q", *range(6))
        self.assertEqual([first.receive(DEADLINE_S).body for _ in range(3)], [0, 2, 4])
        self.assertEqual([second.receive(DEADLINE_S).body for _ in range(3)], [1, 3, 5])

    def test_drain_gives_credit_back(self):
        self.admin.declare("Q")
        self.send("Q", 1, 2)
        seen = []

        class Drainer(MessagingHandler):
            def on_start(self, event):
                connection = event.container.connect(url, reconnect=False)
                self.receiver = event.container.create_receiver(connection, "Q")
                self.receiver.drain(10)

            def on_message(self, event):
                seen.append(event.message.body)

            def on_link_flow(self, event):
                if event.link.is_receiver and event.link.credit == 0 and len(seen) == 2:
                    seen.append("drained")
                    event.connection.close()

        url = self.manager.url
        Container(Drainer(prefetch=0)).run()
        self.assertEqual(seen, [1, 2, "drained"])

    def test_at_most_once_both_ways(self):
        self.admin.declare("Q")
        sender = self.connection.create_sender("Q", options=AtMostOnce())
        for number in range(3):
            sender.link.send(Message(body=number, durable=True))
        self.assert_depth("Q", 3)
        receiver = self.receiver("Q", 3, options=AtMostOnce())
        self.assertEqual([receiver.receive(DEADLINE_S).body for _ in range(3)], [0, 1, 2])
        self.assert_depth("Q", 0)

    def test_undeliverable_here_goes_to_another_consumer(self):
        self.admin.declare("Q")
        first = self.receiver("Q", 1)
        self.send("Q", "x")
        first.receive(DEADLINE_S)
        second = self.receiver("Q", 1)
        self.modify(first, failed=True, undeliverable=True)
        self.assertEqual(second.receive(DEADLINE_S).body, "x")

    def test_what_every_consumer_calls_undeliverable_is_given_up(self):
        """Seen to fail when only the last one that did is known: it goes to and fro between them."""
        self.admin.declare("DEAD")
        self.admin.declare("Q", deadLetterQueue="DEAD")
        both = [self.receiver("Q", 10), self.receiver("Q", 10)]
        self.send("Q", "x")
        times = 0
        while self.admin.get("DEAD")["depth"] == 0:
            for one in both:
                try:
                    one.receive(0.2)
                except Exception:  # it is the other's turn
                    continue
                self.modify(one, failed=True, undeliverable=True)
                times += 1
                self.assertLessEqual(times, 2)
        self.assertEqual(times, 2)

    def test_others_do_not_wait_for_one_that_only_an_absent_consumer_could_take(self):
        self.admin.declare("Q")
        first = self.receiver("Q", 1)
        self.send("Q", "for another")
        first.receive(DEADLINE_S)
        self.receiver("Q", 0)  # it could have it, and asks for nothing
        self.modify(first, failed=True, undeliverable=True)
        self.send("Q", "for anybody")
        first.link.flow(1)
        self.assertEqual(first.receive(DEADLINE_S).body, "for anybody")

    def test_unknown_queues_are_refused(self):
        for attach in (self.connection.create_sender, self.connection.create_receiver):
            with self.assertRaisesRegex(Exception, "amqp:not-found"):
                attach("NOWHERE")

    def test_large_messages_arrive_whole(self):
        self.admin.declare("Q")
        for durable in (True, False):
            body = bytes(range(256)) * 16384  # 4 MiB
            self.connection.create_sender("Q").send(Message(body=body, durable=durable))
            self.assertEqual(bytes(self.take("Q", 1)[0].body), body)

    def test_durable_bodies_beyond_the_cache_come_from_the_store(self):
        self.admin.declare("Q")
        body = b"y" * (1 << 20)
        self.send("Q", *[b"%d" % n + body for n in range(30)])
        self.assertLess(self.admin.request("list")["qmgr"]["memoryBytes"], 17 << 20)
        for number, message in enumerate(self.take("Q", 30, credit=5)):
            self.assertTrue(bytes(message.body).startswith(b"%d" % number))
        self.assert_depth("Q", 0)


if __name__ == "__main__":
    unittest.main()
