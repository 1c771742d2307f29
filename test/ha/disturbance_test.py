"""What instances do not bring about themselves: messages that are none, a network or a queue manager that freezes, kills
while one is about to become active, another version beside them."""
import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import unittest

from proton import Message, ProtonException
from proton.utils import LinkDetached

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from instances import ACTIVE, EMBEDDED, STANDBY, InstancesTest, LargeTransfer, write_large  # noqa: E402
from processes import eventually  # noqa: E402
from relay import Relay  # noqa: E402

SLOW = {"agentChunkSize": "65536", "agentWindowSize": "4"}
QUICK_LEASE = {"lockLease": "1000", "lockRenewInterval": "200", "agentQMgrIdleTimeout": "2000"}
GARBAGE = (b"", b"no token", b'{"version":1}', b'{"version":99,"epoch":7}', b"\xff\x00" * 5000, b"[" * 20000)


def write_many(directory, count):
    """Empty files whose names are long, so that the list of them is; the names."""
    os.makedirs(directory)
    names = ["%05d-" % i + "x" * 200 for i in range(count)]
    for name in names:
        with open(os.path.join(directory, name), "wb"):
            pass
    return names


class AnyBroker(InstancesTest):
    def setUp(self):
        seed = int(os.environ.get("BATON_SEED", random.randrange(1 << 30)))
        print("seed %d" % seed)
        self.chance = random.Random(seed)

    def kill_the_active(self, t):
        """And start it again; another one is active then, or it again where that one does not stand by yet."""
        name = t.wait_for_an_active()
        before = t.epochs()
        t.kill_instance(name)
        t.place[name].launch("SRC")
        eventually(lambda: len(t.epochs()) > len(before) and t.active(), lambda: t.tails())

    def test_kills_while_the_list_of_items_is_kept(self):
        """What each instance has to know of a transfer is in messages that the one before was killed while sending. Sources
        are deleted late after each takeover; meanwhile the destination must not have more results than it tells again."""
        t = self.instances(other_agents=("DST",), properties={"agentWindowSize": "1"})
        t.launch_on("one", "two")
        t.start("DST")
        sent = write_many(t.path("in"), 4000)
        transfer = t.id_of(t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-sd", "delete", "-dd", t.path("out"), t.path("in/*")))
        pause = threading.Event()
        for _ in range(6):
            pause.wait(self.chance.uniform(0, 0.15))
            self.kill_the_active(t)
        record = t.items_of(transfer)
        self.assertEqual(0, record["resultCode"], str(record)[:2000] + t.tails())
        self.assertEqual(sent, sorted(os.listdir(t.path("out"))))
        self.assertEqual([], os.listdir(t.path("in")))

    def test_one_that_takes_over_without_room_for_the_list_of_items_waits_for_it(self):
        t = self.instances(other_agents=("DST",), properties=SLOW)
        t.launch_on("one", "two")
        small = t.place["two"].home("SRC", "transfers")
        os.makedirs(small, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", small])
        t.start("DST")
        sent = write_many(t.path("in"), 4000)
        os.truncate(t.path("in", sent[0]), 512 << 20)  # it comes first, and takes a while
        transfer = t.id_of(t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-dd", t.path("out"), t.path("in/*")))
        t.wait_for_log("DST", "BFGTR0003I")
        with t.frozen("DST"):
            t.kill_instance("one", for_good=True)
            two = t.place["two"]
            two.wait_for_log("SRC", "BFGTR0032W")
        two.wait_for_log("SRC", ACTIVE)  # one transfer's trouble is not that of the agent
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        two.wait_for_log("SRC", "BFGTR0002I")
        record = t.items_of(transfer)
        self.assertEqual(0, record["resultCode"], str(record)[:2000] + t.tails())
        self.assertEqual(sent, sorted(os.listdir(t.path("out"))))

    def test_kills_while_one_is_about_to_become_active(self):
        """Both are killed again and again, the second one somewhere on its way from standby to active."""
        t = self.instances()
        t.launch_on("one", "two")
        pause = threading.Event()
        for _ in range(12):
            active = t.wait_for_an_active()
            next_one = "two" if active == "one" else "one"
            eventually(lambda: STANDBY in t.place[next_one].log("SRC"), "there is a standby")
            t.kill_instance(active)
            pause.wait(self.chance.uniform(0, 0.08))
            t.kill_instance(next_one)
            for name in self.chance.sample(("one", "two"), 2):
                t.place[name].launch("SRC")
        eventually(lambda: t.active(), lambda: t.tails())  # the histories are looked at when the test ends


@unittest.skipIf(EMBEDDED, "kills of the embedded queue manager are in loss_test")
class AnotherBroker(InstancesTest):
    def test_a_broker_that_is_killed_and_comes_back(self):
        t = self.instances(other_agents=("DST",), properties=dict(SLOW, agentQMgrRetryInterval="1"))
        t.launch_on("one", "two")
        t.start("DST")
        source, size = t.path("in/large"), 256 << 20
        transfer = LargeTransfer(t, source, size, write_large(source, size), ("-sd", "delete"), waits=False)
        self.addCleanup(transfer.close)
        self.assertTrue(transfer.until_it_has(size // 8))
        with t.frozen("DST"):  # or it could have all of it before the broker is gone
            self.assertTrue(transfer.part(), "it was still under way")
            t.broker.kill()
        for name in ("one", "two"):
            t.place[name].wait_for_log("SRC", "BFGAG0183I")
        self.assertIsNone(t.active())
        t.broker.start_again()
        self.assertEqual([], transfer.faults_at_the_end(), t.tails() + t.log("DST")[-2000:])
        self.assertEqual(2, len(t.epochs()), t.epochs())


class Strangers(InstancesTest):
    """What others send, and what happens between an agent and its queue manager."""

    def say(self, t, queue, subject, bodies, durable=True):
        connection = t.stock_client()
        sender = connection.create_sender(t.address(queue))
        for body in bodies:
            sender.send(Message(body=body, subject=subject, durable=durable))
        connection.close()

    def test_tokens_that_are_none(self):
        t = self.instances()
        self.say(t, "SYSTEM.FTE.HA.SRC", "lock.token", GARBAGE)
        t.launch_on("one", "two")
        self.assertTrue(t.is_active("one"), t.tails())
        self.say(t, "SYSTEM.FTE.HA.SRC", "lock.token", GARBAGE)
        self.say(t, "SYSTEM.FTE.HA.SRC", "something", GARBAGE)
        self.assertEqual(0, t.run("ftePingAgent", "SRC").code)
        t.kill_instance("one")
        t.wait_active("two")
        self.assertEqual([1, 2], [epoch for epoch, _, _ in t.epochs()])
        eventually(lambda: t.depth("SYSTEM.FTE.HA.SRC") < 10, "what is no token does not stay for ever")

    def test_statuses_and_takeovers_that_are_none(self):
        t = self.instances(other_agents=("DST",))
        t.launch_on("one")
        t.start("DST")
        for subject in ("agent.standby", "agent.probe", "agent.ping", "transfer.request", "?"):
            self.say(t, "SYSTEM.FTE.COMMAND.SRC", subject, GARBAGE)
        if EMBEDDED:
            self.say(t, "SYSTEM.FTE", "agent.takeover", GARBAGE)
        with open(t.path("in"), "w") as out:
            out.write("x")
        done = t.transfer("-df", t.path("out"), t.path("in"))
        self.assertEqual(0, done.code, done)
        self.assertTrue(t.is_active("one"))
        self.assertNotIn("BFGAG0919I", t.log("SRC"))
        self.assertEqual([1], t.takeovers_shown())
        eventually(lambda: t.depth("SYSTEM.FTE.COMMAND.SRC") == 0, "nothing is left of it")

    def test_messages_that_no_client_of_ours_sends(self):
        """Seen to end every instance of the agent, one after the other, when a property is no scalar."""
        t = self.instances().launch_on("one", "two")
        odd = [dict(properties={"a": {"b": 1}}), dict(properties={"a": [1, 2]}), dict(properties={"a": None, "b": b"x", "c": 1.5}),
               dict(body={"a": {"b": 1}, 1: 2, "c": None}), dict(body=[1, 2]), dict(body=None), dict(body="text"), dict(id=7, correlation_id=b"\xff")]
        processes = {name: t.place[name].pid("SRC") for name in t.place}
        for queue in ("COMMAND", "REPLY", "STATE", "DATA", "HA"):
            for content in odd:
                for subject in ("agent.ping", None):
                    self.say_one(t, "SYSTEM.FTE.%s.SRC" % queue, Message(subject=subject, durable=True, **dict(dict(body=b"x"), **content)))
            self.assertEqual(0, t.run("ftePingAgent", "SRC").code, queue + t.tails())
        self.assertEqual(processes, {name: t.place[name].pid("SRC") for name in t.place}, "nobody has ended")

    @staticmethod
    def say_one(t, queue, message):
        """The broker may refuse it."""
        connection = t.stock_client()
        with contextlib.suppress(ProtonException):
            connection.create_sender(t.address(queue)).send(message)
        with contextlib.suppress(ProtonException):
            connection.close()

    def test_a_network_that_is_split(self):
        t = self.instances(properties=QUICK_LEASE)
        relay = Relay(t.agents_qmgr_port())
        self.addCleanup(relay.close)
        two = t.place["two"]
        two.set_properties("SRC", {"agentQMgrPort": str(relay.port)})
        t.launch_on("two", "one")
        relay.hold()
        two.wait_for_log("SRC", "BFGAG0914W")
        t.wait_active("one")
        self.assertFalse(t.is_active("two"))
        relay.cut()  # nothing of the old connections comes after all
        relay.release()
        two.wait_for_log("SRC", STANDBY)
        self.assertTrue(t.is_active("one"))

    def test_a_queue_manager_that_is_frozen(self):
        """For longer than the lease: whoever was active is not any more, and one of them is when it goes on."""
        t = self.instances(properties=dict(QUICK_LEASE, agentQMgrRetryInterval="1"))
        t.launch_on("one", "two")
        with t.frozen_process(t.agents_qmgr_pid()):
            t.wait_for_log("SRC", "BFGAG0914W")
            self.assertIsNone(t.active())
        self.assertIn(t.wait_for_an_active(), ("one", "two"))
        self.assertEqual(2, len(t.epochs()), t.epochs())

    def with_an_active_one_of(self, version, record_format):
        """An active instance that is none of ours holds the lock and answers; a new instance finds it."""
        t = self.instances(("one",), properties={"standbyStatusPublishInterval": "1"})
        connection = t.stock_client()
        self.addCleanup(connection.close)
        token = {"version": 1, "epoch": 5, "sequence": 0, "run": "r", "instance": "other", "host": "h"}
        self.say(t, "SYSTEM.FTE.HA.SRC", "lock.token", [json.dumps(token).encode()])
        lock = connection.create_receiver(t.address("SYSTEM.FTE.HA.SRC"), credit=5)
        lock.receive(timeout=5)
        commands = connection.create_receiver(t.address("SYSTEM.FTE.COMMAND.SRC"), credit=5, name="c")
        t.launch("SRC")
        asked = Message()
        while asked.subject != "agent.ping":
            asked = commands.receive(timeout=30)
            commands.accept()
        answer = {"version": 1, "resultCode": 0, "details": {"instance": "other", "version": version, "format": str(record_format)}}
        with contextlib.suppress(LinkDetached):  # who asked goes as soon as it has the answer, and its queue with it
            connection.create_sender(asked.reply_to, name="r").send(
                Message(body=json.dumps(answer).encode(), subject="reply", correlation_id=asked.correlation_id))
        return t

    def test_beside_an_active_one_of_a_compatible_version(self):
        t = self.with_an_active_one_of("9.9.9", 1)
        t.wait_for_log("SRC", "BFGAG0918W: The active instance other is version 9.9.9, the standby instance one is version 0.1.0.")
        self.assertIn(STANDBY, t.log("SRC"))
        self.assertIsNone(t.launched["SRC"].poll())

    def test_beside_an_active_one_that_writes_what_it_cannot_read(self):
        t = self.with_an_active_one_of("9.9.9", 2)
        t.wait_for_log("SRC", "BFGAG0917E: This instance cannot stand by: the active instance other is version 9.9.9")
        self.assertEqual(10, eventually(lambda: t.launched["SRC"].poll(), "it ends"))
        self.assertNotIn(ACTIVE, t.log("SRC"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
