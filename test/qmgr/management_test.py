"""Requests to $management: what they do, and that nothing malformed does harm."""
import json
import unittest

from proton import Message, int32

from support import DEADLINE_S, Admin, QmgrTest, Refused, eventually

ATTRIBUTES = {"name", "type", "durable", "depth", "bytes", "unsettled", "consumers", "producers", "oldestMs",
              "activeConsumer", "maxMessages", "maxBytes", "overflow", "deadLetterQueue", "enqueued", "dequeued",
              "expired", "dropped"}


def nested(size):
    """A body of lists in lists in lists, about this long."""
    levels = size // 9
    return b"\x00\x53\x77" + b"".join(
        b"\xd0" + (4 + 9 * (level - 1)).to_bytes(4, "big") + (1 if level > 1 else 0).to_bytes(4, "big")
        for level in range(levels, 0, -1))


class ManagementTest(QmgrTest):
    def assert_refused(self, status, text, *arguments, **more):
        with self.assertRaises(Refused) as caught:
            self.admin.request(*arguments, **more)
        self.assertEqual(caught.exception.status, status)
        self.assertIn(text, str(caught.exception))

    def test_declare_is_idempotent_and_says_when_it_differs(self):
        self.admin.declare("Q", type="single-active", maxMessages=5, overflow="drop-oldest", deadLetterQueue="D")
        self.admin.declare("Q", type="single-active", maxMessages=5, overflow="drop-oldest", deadLetterQueue="D")
        self.assert_refused("409", "other attributes", "declare", "Q", {"type": "shared"})
        self.admin.declare("Q", type="shared", update=True)
        self.assertEqual(self.admin.get("Q")["type"], "shared")
        self.assertEqual(self.admin.get("Q")["maxMessages"], 0)

    def test_list_and_get(self):
        self.admin.declare("Q", type="exclusive", maxMessages=7)
        self.send("Q", 1, 2)
        receiver = self.connection.create_receiver("Q", credit=1)
        eventually(lambda: self.admin.get("Q")["unsettled"] == 1, "one is held")
        found = self.admin.get("Q")
        self.assertEqual(set(found), ATTRIBUTES)
        self.assertEqual((found["depth"], found["consumers"], found["maxMessages"], found["enqueued"]), (2, 1, 7, 2))
        self.assertEqual(found["activeConsumer"], self.connection.conn.container)
        self.assertGreaterEqual(found["oldestMs"], 0)
        self.assertTrue(found["durable"])
        listed = self.admin.request("list")
        self.assertIn("Q", [q["name"] for q in listed["queues"]])
        facts = listed["qmgr"]
        self.assertEqual(set(facts), {"name", "version", "pid", "port", "uptimeMs", "connections", "memoryBytes",
                                      "storeBytes"})
        self.assertEqual((facts["pid"], facts["port"]), (self.manager.process.pid, self.manager.port))
        receiver.close()

    def test_purge(self):
        self.admin.declare("Q")
        self.send("Q", *range(5))
        self.assertEqual(self.admin.request("purge", "Q"), {"purged": 5})
        self.assertEqual(self.admin.get("Q")["depth"], 0)

    def test_delete_ends_the_links(self):
        self.admin.declare("Q")
        other = self.connect()
        receiver, sender = other.create_receiver("Q"), other.create_sender("Q")
        self.admin.request("delete", "Q")
        with self.assertRaisesRegex(Exception, "amqp:resource-deleted"):
            receiver.receive(DEADLINE_S)
        with self.assertRaisesRegex(Exception, "amqp:resource-deleted"):
            other.wait(lambda: False, timeout=DEADLINE_S) if sender.link.state else None
            sender.send(Message(body="x"))
        self.assert_refused("404", "no queue", "get", "Q")
        self.admin.declare("Q")
        self.assertEqual(self.admin.get("Q")["depth"], 0)

    def test_malformed_requests_say_what_is_wrong(self):
        self.assert_refused("400", "operation is missing")
        self.assert_refused("400", "no operation", "explode")
        self.assert_refused("400", "queue is missing", "declare")
        self.assert_refused("404", "no queue", "get", "NOWHERE")
        self.assert_refused("404", "no queue", "delete", "NOWHERE")
        self.assert_refused("404", "no queue", "purge", "NOWHERE")
        self.assert_refused("400", "not JSON", "declare", "Q", raw="{")
        self.assert_refused("400", "not a JSON object", "declare", "Q", raw="[1]")
        self.assert_refused("400", "type must be", "declare", "Q", {"type": "odd"})
        self.assert_refused("400", "type must be", "declare", "Q", {"type": 5})
        self.assert_refused("400", "whole number", "declare", "Q", {"maxMessages": -1})
        self.assert_refused("400", "whole number", "declare", "Q", {"maxBytes": 1.5})
        self.assert_refused("400", "whole number", "declare", "Q", {"maxBytes": 2 ** 64 - 1})
        self.assert_refused("400", "overflow must be", "declare", "Q", {"overflow": "x"})
        self.assert_refused("400", "unknown attribute", "declare", "Q", {"maxMesages": 1})
        self.assert_refused("400", "own deadLetterQueue", "declare", "Q", {"deadLetterQueue": "Q"})
        self.assert_refused("400", "belong to the queue manager", "declare", "$x")
        self.assert_refused("400", "characters", "declare", "a\nb")
        self.assert_refused("400", "longer", "declare", "x" * 300)
        self.assert_refused("400", "immediate", "stop", None, {"immediate": "yes"})
        self.assert_refused("400", "neither text nor bytes", "declare", "Q", raw=17)
        self.assertEqual([q["name"] for q in self.admin.request("list")["queues"] if q["durable"]], [])

    def test_bodies_may_be_bytes_and_correlation_is_kept(self):
        self.admin.request("declare", "Q", raw=json.dumps({"type": "exclusive"}).encode())
        self.assertEqual(self.admin.get("Q")["type"], "exclusive")
        address = self.admin.receiver.link.remote_source.address
        for correlation in ("text", 12345, b"raw"):
            self.admin.sender.send(Message(id="other", correlation_id=correlation, reply_to=address,
                                           properties={"operation": "get", "queue": "Q"}))
            reply = self.admin.receiver.receive(DEADLINE_S)
            self.assertEqual(reply.correlation_id, correlation)
            self.assertEqual(reply.properties, {"status": "200", "description": "ok"})

    def test_requests_without_a_usable_answer_address_are_carried_out(self):
        for reply_to in (None, "NOWHERE"):
            self.admin.sender.send(Message(reply_to=reply_to, properties={"operation": "declare", "queue": "Q"}))
        self.assertEqual(self.admin.get("Q")["depth"], 0)

    def test_bytes_that_are_no_message_do_no_harm(self):
        self.admin.declare("Q")
        for address in ("$management", "Q"):
            for raw in (nested(60000), nested(900000), b"\x00\x53\x70\xc0", b"garbage", b"\x00\x53\x70\xc0\x05\x09\x41", b"\x00" * 1000):
                link = self.connection.create_sender(address).link
                delivery = link.delivery(link.delivery_tag())
                link.stream(raw)
                link.advance()
                self.connection.wait(lambda: delivery.remote_state or delivery.settled, timeout=DEADLINE_S)
        self.assertGreaterEqual(self.admin.request("list")["qmgr"]["connections"], 1)


if __name__ == "__main__":
    unittest.main()
