"""Several instances of one queue manager: who is active, who follows, who gets it back, and what one that was stopped
past its lease can still do. Seed 003's figures 1 to 3 are the first tests."""
import json
import os
import signal
import unittest

from proton import Message

from qmgr_group import QMGR, Group
from support import PROGRAM, Admin, eventually

VARIANTS = os.path.join(os.path.dirname(PROGRAM), "qmgr_without_")
LOST, KILLED = 75, -signal.SIGKILL


class InstancesTest(unittest.TestCase):
    def group(self, *names, **properties):
        made = Group(*names, **properties)
        self.addCleanup(made.close)
        return made

    def assert_logged(self, instance, message):
        eventually(lambda: message in instance.log(), lambda: "%s in the log of %s:\n%s" % (message, instance.name, instance.log()))


class Figures(InstancesTest):
    """Seed 003: a messaging engine that can run in three servers, in the order of a preferred list."""

    def three(self, **properties):
        # The one that is in no list stands by first: it is not who stands by longest that takes over.
        group = self.group("server1", "server2", "server3", preferredInstances="server1,server2", **properties)
        server1, server2, server3 = group.all
        server1.start()
        group.wait_active(server1)
        for one in (server3, server2):
            one.start()
            group.wait_standby(one)
        return group, server1, server2, server3

    def fail_twice(self, **properties):
        group, server1, server2, server3 = self.three(**properties)
        group.send("Q", 1)  # figure 1: in its preferred place
        server1.kill()  # figure 2: the next one of the list
        group.wait_active(server2)
        self.assertTrue(server3.is_standby())
        group.send("Q", 2)
        server2.kill()  # figure 3: the only one that is there
        group.wait_active(server3)
        group.send("Q", 3)
        return group, server1, server2, server3

    def test_first_fails_second_fails_the_last_runs(self):
        group, *_ = self.fail_twice()
        self.assertEqual([1, 2, 3], group.take("Q"))

    def test_without_fail_back_a_preferred_one_that_returns_waits(self):
        group, server1, server2, server3 = self.fail_twice()
        for one in (server1, server2):
            one.start()
            group.wait_standby(one)
        beat = server1.says()["beat"]
        eventually(lambda: server1.says()["beat"] > beat + 5, "the returned one has stood by for some time")
        self.assertTrue(server3.is_active())
        server3.kill()  # now the most preferred one is next
        group.wait_active(server1)
        self.assertEqual([1, 2, 3], group.take("Q"))

    def test_with_fail_back_a_preferred_one_that_returns_gets_it_back(self):
        group, server1, server2, server3 = self.fail_twice(failBack="true", failBackDelay="1")
        server2.start()
        group.wait_active(server2)  # preferred to server3
        group.wait_standby(server3)
        server1.start()
        group.wait_active(server1)
        group.wait_standby(server2)
        self.assert_logged(server3, "BFGQM0036I")
        self.assert_logged(server2, "BFGQM0036I")
        self.assertEqual([1, 2, 3], group.take("Q"))

    def test_one_that_gives_it_back_lives_on_with_a_message_that_may_expire(self):
        """Seen to fail when the queue manager's timer outlives it: the process ends a moment later."""
        group, server1, server2, server3 = self.fail_twice(failBack="true", failBackDelay="1")
        connection = server3.connect()
        connection.create_sender("Q").send(Message(body=4, durable=True, ttl=600))
        server1.start()
        group.wait_active(server1)
        beat = server3.says()["beat"]
        eventually(lambda: server3.says()["beat"] > beat + 5, "the other one stands by for some time")
        self.assertTrue(server3.running(), server3.log())
        self.assertEqual([1, 2, 3, 4], group.take("Q"))

    def test_one_gives_it_back_in_the_middle_of_what_it_delivers(self):
        group, server1, server2, server3 = self.three(failBack="true", failBackDelay="1")
        body = b"x" * 20000
        group.send("Q", *[body] * 1500)
        server1.kill()
        group.wait_active(server2)  # which has no body in memory
        server1.start()
        taken = 0
        while not server1.is_active():
            try:
                connection = server2.connect()
                receiver = connection.create_receiver("Q", credit=50)
                while True:
                    receiver.receive(5)
                    receiver.release()
                    taken += 1
            except Exception:  # it has been given back
                self.assertTrue(server2.running(), server2.log()[-3000:])
        self.assertGreater(taken, 0)
        group.wait_standby(server2)
        self.assertEqual([body] * 1500, [bytes(one) for one in group.take("Q")])

    def test_fail_back_waits_for_one_that_comes_and_goes(self):
        group, server1, server2, server3 = self.fail_twice(failBack="true", failBackDelay="3600")
        server1.start()
        group.wait_standby(server1)
        server1.kill()
        beat = server3.says()["beat"]
        eventually(lambda: server3.says()["beat"] > beat + 5, "some time has passed")
        self.assertTrue(server3.is_active())
        self.assertNotIn("BFGQM0036I", server3.log())

    def test_clients_are_told_when_it_is_given_back(self):
        group, server1, server2, server3 = self.fail_twice(failBack="true", failBackDelay="1")
        connection = server3.connect()
        server1.start()
        with self.assertRaisesRegex(Exception, "amqp:connection:forced"):
            connection.wait(lambda: False, timeout=30)
        group.wait_active(server1)
        self.assertEqual([1, 2, 3], group.take("Q"))

    def test_any_other_takes_over_when_the_preferred_one_does_not(self):
        group, server1, server2, server3 = self.three()
        server2.send(signal.SIGSTOP)  # stands by, as far as anybody can see
        server1.kill()
        group.wait_active(server3)
        self.assert_logged(server3, "BFGQM0035I")
        server2.send(signal.SIGCONT)
        group.wait_standby(server2)


class Paused(InstancesTest):
    """An active instance that is stopped past its lease, then goes on."""

    def pair(self, program=PROGRAM):
        group = self.group("alpha", "beta", program=program)
        return group, *group.start()

    def wait_until_ended(self, instance):
        code = instance.end()
        self.assertIn(code, (LOST, KILLED), instance.log())
        if code == LOST:
            self.assertEqual(1, instance.log().count("BFGQM0032E"), instance.log())

    @staticmethod
    def wait_until_sent(connection, link):
        """It is in the other side's socket then."""
        connection.wait(lambda: link.queued == 0 and connection.conn.transport.pending() == 0, timeout=20)

    def stale_write(self, program, ends=True):
        """What is in the store in the end, after a durable message went to an instance that was stopped."""
        group, alpha, beta = self.pair(program)
        group.send("Q", "before")
        connection = alpha.connect()
        sender = connection.create_sender("Q").link
        alpha.send(signal.SIGSTOP)
        group.wait_active(beta)
        delivery = sender.send(Message(body="stale", durable=True))
        self.wait_until_sent(connection, sender)
        alpha.send(signal.SIGCONT)
        if ends:
            self.wait_until_ended(alpha)
            self.assertFalse(delivery.settled or delivery.remote_state)
        else:
            connection.wait(lambda: delivery.settled, timeout=20)
            alpha.kill()
        beta.kill()
        alpha.start()
        group.wait_active(alpha)
        return group.take("Q")

    def test_it_cannot_write_and_ends(self):
        self.assertEqual(["before"], self.stale_write(PROGRAM))

    def test_the_epoch_check_alone_keeps_it_from_writing(self):
        self.assertEqual(["before"], self.stale_write(VARIANTS + "lease_check"))

    def test_without_the_epoch_check_it_writes(self):
        """What the others would not see, had it no effect."""
        self.assertEqual(["before", "stale"], self.stale_write(VARIANTS + "any_check", ends=False))

    def stale_answer(self, program):
        """What became of a message that is not durable, sent to an instance that was stopped: no commit protects it."""
        group, alpha, beta = self.pair(program)
        group.send("Q", "before")
        connection = alpha.connect()
        sender = connection.create_sender("Q")
        alpha.send(signal.SIGSTOP)
        group.wait_active(beta)
        delivery = sender.link.send(Message(body="stale"))
        self.wait_until_sent(connection, sender.link)
        alpha.send(signal.SIGCONT)
        try:
            connection.wait(lambda: delivery.settled, timeout=20)
        except Exception:  # alpha has cut the connection
            self.wait_until_ended(alpha)
        return bool(delivery.remote_state)

    def test_it_answers_nothing(self):
        self.assertFalse(self.stale_answer(PROGRAM))

    def test_without_the_lease_check_it_answers(self):
        self.assertTrue(self.stale_answer(VARIANTS + "lease_check"))

    def test_nobody_else_there_it_goes_on(self):
        group = self.group("alpha")
        (alpha,) = group.start()
        group.send("Q", 1)
        alpha.send(signal.SIGSTOP)
        beat = os.stat(os.path.join(group.shared, "instances", "alpha")).st_mtime
        other = self.group("clock").start()[0]  # the lease passes while this one works
        seen = other.says()["beat"]
        eventually(lambda: other.says()["beat"] > seen + 10, "more than a lease has passed")
        self.assertEqual(beat, os.stat(os.path.join(group.shared, "instances", "alpha")).st_mtime)
        alpha.send(signal.SIGCONT)
        group.send("Q", 2)
        self.assert_logged(alpha, "BFGQM0034W")
        self.assertEqual([1, 2], group.take("Q"))

    def test_one_that_is_stopped_in_a_commit_is_ended_on_the_same_machine(self):
        group, alpha, beta = self.pair()
        group.send("Q", 1)
        import sqlite3
        # Stands for a commit that does not end: alpha's own locks cannot be held from here.
        store = sqlite3.connect(os.path.join(group.shared, "store.db"), isolation_level=None)
        self.addCleanup(store.close)
        alpha.send(signal.SIGSTOP)
        store.execute("BEGIN IMMEDIATE")
        self.assert_logged(beta, "BFGQM0038W")
        self.assert_logged(beta, "BFGQM0039W")
        self.assertEqual(KILLED, alpha.end())
        self.assertFalse(beta.is_active())
        store.execute("ROLLBACK")
        group.wait_active(beta)
        self.assertEqual([1], group.take("Q"))

    def test_a_stopped_standby_does_no_harm(self):
        group, alpha, beta = self.pair()
        beta.send(signal.SIGSTOP)
        group.send("Q", 1)
        beta.send(signal.SIGCONT)
        alpha.kill()
        group.wait_active(beta)
        self.assertEqual([1], group.take("Q"))


class Folder(InstancesTest):
    """What can become of the shared folder."""

    def test_deleted_files_of_instances_come_back(self):
        group = self.group("alpha", "beta")
        alpha, beta = group.start()
        for one in group:
            os.remove(os.path.join(group.shared, "instances", one.name))
        group.wait_active(alpha)
        group.wait_standby(beta)
        self.assertEqual(1, alpha.says()["epoch"])

    def test_a_deleted_lock_file_lets_nobody_in(self):
        """A new file has other locks: the one that takes them writes a higher epoch, and the other one ends."""
        group = self.group("alpha", "beta")
        alpha, beta = group.start()
        group.send("Q", 1)
        os.remove(os.path.join(group.shared, "active.lock"))
        beta.kill()
        beta.start()
        group.wait_active(beta)
        self.assertEqual(LOST, alpha.end())
        self.assertEqual([1], group.take("Q"))

    def test_a_file_that_cannot_be_read_is_not_taken_for_silence(self):
        group = self.group("alpha", "beta")
        alpha, beta = group.start()
        with open(os.path.join(group.shared, "instances", "noise"), "w") as out:
            out.write("{")
        alpha.send(signal.SIGSTOP)
        beat = beta.says()["beat"]
        eventually(lambda: beta.says()["beat"] > beat + 12, "more than a lease has passed")
        self.assertTrue(beta.is_standby())
        alpha.send(signal.SIGCONT)
        os.remove(os.path.join(group.shared, "instances", "noise"))
        group.send("Q", 1)
        alpha.kill()
        group.wait_active(beta)
        self.assertEqual([1], group.take("Q"))

    def test_a_store_of_one_instance_becomes_a_shared_one(self):
        group = self.group("alpha", "beta")
        alpha, beta = group.all
        alpha.configure({"dataPath": ""})
        alpha.start("-p", str(alpha.port))
        group.send("Q", 1)
        alpha.send(signal.SIGINT)
        self.assertEqual(0, alpha.end())
        os.makedirs(group.shared)
        os.rename(os.path.join(alpha.home, "store.db"), os.path.join(group.shared, "store.db"))
        alpha.configure({})
        group.start()
        self.assertFalse(os.path.exists(os.path.join(group.shared, "store.db-wal")))
        alpha.kill()
        group.wait_active(beta)
        self.assertEqual([1], group.take("Q"))

    def test_two_with_one_name(self):
        group = self.group("alpha", "beta")
        alpha, beta = group.all
        beta.configure({"instanceName": "alpha"})
        alpha.start()
        group.wait_active(alpha)
        beta.start()
        self.assertEqual(1, beta.end())
        self.assertIn("the name of instance alpha is used", beta.log())

    def test_bad_properties(self):
        for properties, text in (({"instanceName": "a/b"}, "not the name of an instance"),
                                 ({"preferredInstances": "a,../b"}, "preferredInstances"),
                                 ({"instanceLease": "500", "instanceRenewInterval": "400"}, "instanceLease"),
                                 ({"bindAddress": "0.0.0.0"}, "BFGQM0008E"),
                                 ({"dataPath": "/dev/null/x"}, "dataPath"), ({"dataPath": "shared"}, "must begin with /")):
            group = self.group("alpha")
            (alpha,) = group.all
            alpha.configure(properties)
            alpha.start()
            self.assertEqual(1, alpha.end(), properties)
            self.assertIn(text, alpha.log())

    def test_a_taken_port_ends_it_and_another_one_takes_over(self):
        group = self.group("alpha", "beta", "gamma")
        alpha, beta, gamma = group.all
        beta.configure({"port": alpha.port, "preferredInstances": "beta"})
        gamma.configure({"preferredInstances": "beta"})
        import socket
        alpha.start()
        group.wait_active(alpha)
        for one in (beta, gamma):
            one.start()
            group.wait_standby(one)
        alpha.send(signal.SIGKILL)
        alpha.end()
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", alpha.port))
        taken.listen()
        group.wait_active(gamma)

    def test_the_history_of_transfers_moves_along(self):
        group = self.group("alpha", "beta", coordination="true")
        alpha, beta = group.start()
        eventually(lambda: os.path.exists(os.path.join(group.shared, "coordination.db")), "the history is in the shared folder")
        alpha.kill()
        group.wait_active(beta)


class Commands(InstancesTest):
    """As IBM MQ's strmqm -x, endmqm -s, endmqm -x and dspmq -x."""

    def pair(self):
        group = self.group("alpha", "beta")
        for one in group:
            done = one.command("fteStartQMgr", "-x", QMGR)
            self.assertEqual(0, done.returncode, done.stdout)
            self.addCleanup(one.command, "fteStopQMgr", "-i", QMGR)
            self.addCleanup(one.command, "fteStopQMgr", "-x", QMGR)
            one.started = done.stdout
        return group, *group.all

    def succeed(self, instance, *words):
        done = instance.command(*words)
        self.assertEqual(0, done.returncode, done.stdout)
        return done.stdout

    def refuse(self, instance, *words):
        done = instance.command(*words)
        self.assertEqual(1, done.returncode, done.stdout)
        return done.stdout

    def modes(self, instance):
        shown = json.loads(self.succeed(instance, "fteShowQMgrDetails", "--json", QMGR))
        return {one["name"]: one["state"] if one["running"] else "down" for one in shown["instances"]}

    def test_start_and_show(self):
        group, alpha, beta = self.pair()
        self.assertIn("BFGCL0920I", alpha.started)
        self.assertIn("BFGCL0970I", beta.started)
        self.assertIn("alpha (process", beta.started)
        self.assertIn("BFGCL0971I", self.succeed(beta, "fteStartQMgr", "-x", QMGR))
        for one in group:
            self.assertEqual({"alpha": "active", "beta": "standby"}, self.modes(one))
            shown = self.succeed(one, "fteShowQMgrDetails", QMGR)
            self.assertRegex(shown, r"(?m)^alpha +active ")
            self.assertRegex(shown, r"(?m)^beta +standby ")
            self.assertIn("Queue Name", shown)

    def test_switch_over(self):
        group, alpha, beta = self.pair()
        self.assertIn("stands by", self.refuse(beta, "fteStopQMgr", "-s", QMGR))
        said = self.succeed(alpha, "fteStopQMgr", "-s", QMGR)
        self.assertIn("BFGCL0972I", said)
        self.assertIn("beta (process", said)
        self.assertEqual({"alpha": "down", "beta": "active"}, self.modes(beta))
        self.assertIn("no instance of the queue manager QM stands by", self.refuse(beta, "fteStopQMgr", "-s", QMGR))
        self.succeed(alpha, "fteStartQMgr", "-x", QMGR)
        self.assertEqual({"alpha": "standby", "beta": "active"}, self.modes(alpha))

    def test_end_a_standby(self):
        group, alpha, beta = self.pair()
        self.assertIn("fteStopQMgr -x QM ends it", self.refuse(beta, "fteStopQMgr", QMGR))
        self.assertIn("fteStopQMgr -s QM switches over", self.refuse(alpha, "fteStopQMgr", "-x", QMGR))
        self.assertIn("BFGCL0974I", self.succeed(beta, "fteStopQMgr", "-x", QMGR))
        self.assertEqual({"alpha": "active", "beta": "down"}, self.modes(alpha))

    def test_end_all(self):
        for how in ([], ["-i"]):
            group, alpha, beta = self.pair()
            self.assertIn("BFGCL0923I", self.succeed(alpha, "fteStopQMgr", *how, QMGR))
            self.assert_logged(beta, "BFGQM0037I")
            eventually(lambda: not os.path.exists(os.path.join(beta.home, "qmgr.pid")), "the standby instance has ended, too")
            for words in ([], ["--json"]):
                shown = self.refuse(beta, "fteShowQMgrDetails", *words, QMGR)
                self.assertIn("no instance of the queue manager QM is active", shown)
                self.assertIn("alpha", shown)

    def test_without_x_it_runs_alone(self):
        group = self.group("alpha", "beta")
        alpha, beta = group.all
        alpha.start("-p", str(alpha.port))
        group.wait_active(alpha)
        self.assertIn("BFGQM0041E", self.refuse(beta, "fteStartQMgr", "-x", QMGR))
        self.assertIn("BFGQM0041E", self.refuse(beta, "fteStartQMgr", QMGR))
        alpha.kill()
        self.assertIn("BFGCL0920I", self.succeed(beta, "fteStartQMgr", QMGR))
        self.addCleanup(beta.command, "fteStopQMgr", "-i", QMGR)

    def test_without_a_shared_folder(self):
        group = self.group("alpha")
        (alpha,) = group.all
        alpha.configure({"dataPath": ""})
        self.assertIn("BFGQM0042E", self.refuse(alpha, "fteStartQMgr", "-x", QMGR))
        self.succeed(alpha, "fteStartQMgr", QMGR)
        self.assertIn("has no instances", self.refuse(alpha, "fteStopQMgr", "-s", QMGR))
        self.succeed(alpha, "fteStopQMgr", QMGR)

    def test_sigterm_lets_another_one_take_over(self):
        """As a service manager does it when a host goes down."""
        group = self.group("alpha", "beta")
        alpha, beta = group.start()
        alpha.send(signal.SIGTERM)
        self.assertEqual(0, alpha.end())
        group.wait_active(beta)

    def test_a_stop_request_ends_all(self):
        group = self.group("alpha", "beta")
        alpha, beta = group.start()
        try:
            Admin(alpha.connect()).request("stop", body={"immediate": True})
        except Exception:  # the end may overtake the answer
            pass
        self.assertEqual([0, 0], [alpha.end(), beta.end()])


if __name__ == "__main__":
    unittest.main()
