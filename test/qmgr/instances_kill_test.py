"""The active instance of three is killed, or stopped past its lease and let go on, again and again, under a load of
durable messages: kill_test.py with a next one that takes over by itself.

BATON_KILLS: rounds (10). BATON_MODE: kill, pause, or mixed (this is the default). BATON_SEED: seed; it is printed.
"""
import os
import signal
import sys
import time
import unittest

os.environ.setdefault("BATON_KILLS", "10")
import kill_test
from qmgr_group import Group
from support import Admin, eventually

MODE = os.environ.get("BATON_MODE", "mixed")
LOST, KILLED = 75, -signal.SIGKILL


class PauseRound(kill_test.Round):
    """Stops it and goes on sending; once another one is active, lets it go on."""

    def __init__(self, test, manager, sent, after_s, rng):
        super().__init__(manager, sent, after_s, rng)
        self.test, self.stopped = test, False

    def on_timer_task(self, event):
        if not self.killing:
            event.container.stop()
        elif not self.stopped:
            self.stopped = True
            self.manager.send(signal.SIGSTOP)
            event.container.schedule(0.05, self)
        elif not any(one.is_active() for one in self.test.group if one is not self.manager):
            event.container.schedule(0.05, self)
        elif self.manager.running():
            self.manager.send(signal.SIGCONT)  # it ends, or is ended, and on_disconnected comes


class InstancesKillTest(kill_test.KillTest):
    KIND = "instances kill test"

    def setUp(self):
        self.group = Group("alpha", "beta", "gamma")
        self.addCleanup(self.group.close)
        self.group.start()
        self.killed_at, self.gaps, self.fenced, self.ended_by_others = None, [], 0, 0

    def next_manager(self):
        active = self.group.wait_any_active()
        if self.killed_at is not None:  # until a client is served
            connection = self.group.connect()
            Admin(connection).get("LOAD")
            connection.close()
            self.gaps.append(time.monotonic() - self.killed_at)
            self.killed_at = None
        for one in self.group:
            if one is not active:
                self.group.wait_standby(one)
        return active

    def round(self, manager, sent, rng):
        self.pause = MODE == "pause" or MODE == "mixed" and rng.random() < 0.5
        if self.pause:
            return PauseRound(self, manager, sent, rng.uniform(0, 0.12), rng)
        return super().round(manager, sent, rng)

    def after_kill(self, manager):
        code = manager.end()
        if self.pause:
            self.assertIn(code, (LOST, KILLED), manager.log())
            self.fenced += code == LOST
            self.ended_by_others += code == KILLED
        else:
            self.killed_at = time.monotonic()
            self.assertEqual(KILLED, code)
        self.group.wait_any_active(but=(manager,))
        manager.start()

    def end(self, manager):
        for one in self.group:
            if one is not manager:
                one.send(signal.SIGTERM)
                self.assertEqual(0, one.end())
        manager.send(signal.SIGTERM)
        self.assertEqual(0, manager.end())
        if self.gaps:
            gaps = sorted(self.gaps)
            print("%s: after kill -9 the next one served after %.0f ms (median), at most %.0f ms"
                  % (self.KIND, 1000 * gaps[len(gaps) // 2], 1000 * gaps[-1]))
        print("%s: of those that were stopped %d ended by themselves, %d were ended in a commit"
              % (self.KIND, self.fenced, self.ended_by_others))


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    unittest.main()
