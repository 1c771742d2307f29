"""What every suite that runs real processes needs: where the programs are, waiting with a deadline, who is alive."""
import os
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("BATON_BIN", os.path.join(ROOT, "build", "release", "bin"))
SANITIZED = bool(os.environ.get("BATON_SANITIZED"))  # programs that are ten times slower
DEADLINE_S = float(os.environ.get("BATON_TEST_DEADLINE", "60"))  # more for slow builds


def eventually(condition, what, deadline_s=DEADLINE_S):
    """Polls until condition() is true; its value. Fails with what was last seen; `what` may be a function."""
    end = time.monotonic() + deadline_s
    while True:
        seen = condition()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError("not within %s s: %s (last seen: %r)" % (deadline_s, what() if callable(what) else what, seen))
        time.sleep(0.005)


def pass_time(seconds):
    """For what comes at random moments; never to wait for something."""
    time.sleep(seconds)


def alive(pid):
    """Runs, and is not only waiting to be reaped."""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
