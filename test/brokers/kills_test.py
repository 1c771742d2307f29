"""A short run of `scripts/chaos KIND -mode broker`: kill -9 and restart of the queue manager under large transfers. All of them
arrive whole and once, leave no part file, and each item is in the log of transfers once."""
import os
import subprocess
import sys
import unittest

CHAOS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "ha/chaos.py")
KILLS = os.environ.get("BATON_KILLS", "5")


class Kills(unittest.TestCase):
    def test_transfers_are_whole_however_often_the_queue_manager_is_killed(self):
        done = subprocess.run([sys.executable, CHAOS, "-mode", "broker", "-n", KILLS, "-size", "128M"], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout[-20000:] + done.stderr[-5000:])


if __name__ == "__main__":
    unittest.main(verbosity=2)
