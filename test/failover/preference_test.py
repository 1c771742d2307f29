"""Which of several instances is the active one: the preferred one, when there is a choice; any other, when there is none.
On every kind of queue manager."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from instances import InstancesTest, LargeTransfer, write_large  # noqa: E402
from processes import eventually  # noqa: E402

SLOW = {"agentChunkSize": "65536", "agentWindowSize": "4", "agentDataDirect": "false"}
WINDOW = 4 * 65536
PACE = ("-bw", str(12 << 20))  # slow enough that the lock goes back on the way
GIVES_BACK = "BFGAG0930I"
LIST = {"preferredInstances": "one,two"}


AROUND = 2 << 20  # what the destination writes besides the file: acknowledgements, records, its log


def written(pid):
    """Bytes that a process has written, to files and connections."""
    with open("/proc/%d/io" % pid) as io:
        return int(re.search(r"wchar: (\d+)", io.read()).group(1))


class PreferenceTest(InstancesTest):
    def prefer(self, t, priorities):
        for name, priority in priorities.items():
            t.place[name].set_properties("SRC", {"instancePriority": str(priority)})
        return t

    def active_is(self, t, name):
        eventually(lambda: t.active() == name, lambda: "%s is active: %s" % (name, t.tails()))


class WhoTakesOver(PreferenceTest):
    def test_of_those_that_stand_by_the_one_with_the_highest_priority_takes_over(self):
        t = self.prefer(self.instances(("one", "two", "three")), {"one": 127, "two": 100, "three": 110})
        t.start_on("one", "two", "three")
        self.active_is(t, "one")
        t.kill_instance("one", for_good=True)
        self.active_is(t, "three")
        t.kill_instance("three", for_good=True)
        self.active_is(t, "two")

    def test_the_list_counts_before_priorities_and_others_run_when_none_of_it_is_up(self):
        t = self.prefer(self.instances(("one", "two", "three"), properties=LIST), {"three": 127})
        t.start_on("three", "two", "one")
        self.active_is(t, "three")  # it was alone when it came: nobody is pushed out
        t.kill_instance("three", for_good=True)
        self.active_is(t, "one")
        t.kill_instance("one", for_good=True)
        self.active_is(t, "two")
        t.kill_instance("two", for_good=True)
        t.start_on("three")
        self.active_is(t, "three")

    def test_of_two_that_start_together_the_preferred_one_is_active(self):
        t = self.prefer(self.instances(), {"one": 127, "two": 100})
        for times in (1, 2, 3):
            t.place["two"].launch("SRC")
            t.place["one"].launch("SRC")
            eventually(lambda: t.roles("one") == times and t.roles("two") == times, t.tails)
            self.active_is(t, "one")
            t.kill_instance("two")
            t.kill_instance("one")

    def test_lists_show_priority_and_preference(self):
        t = self.prefer(self.instances(properties={"failBack": "true", "failBackDelay": "3600"}), {"one": 127, "two": 100})
        t.start_on("one", "two")
        listed = lambda: t.must("fteListAgents", "-v").out  # noqa: E731
        eventually(lambda: "one (active, 127), two (100)" in listed(), listed)
        shown = t.must("fteShowAgentDetails", "SRC").out
        self.assertRegex(shown, r"one +active .* 127 ")
        self.assertRegex(shown, r"Fail Back: +after 1h")
        self.assertRegex(shown, r"Preferred Instances: +by priority")


class FailBack(PreferenceTest):
    def test_without_it_a_preferred_one_that_returns_stands_by(self):
        t = self.prefer(self.instances(), {"one": 127, "two": 100})
        t.start_on("two", "one")
        self.active_is(t, "two")
        listed = lambda: t.must("fteListAgents", "-v").out  # noqa: E731
        eventually(lambda: "one (127)" in listed(), listed)
        self.assertEqual("two", t.active())
        self.assertNotIn(GIVES_BACK, t.tails(length=1 << 20))

    def test_with_it_the_lock_goes_back_and_no_more_than_a_window_is_sent_again(self):
        # Between two checkpoints are 16 MiB: about half of that would come again if they were not waited for.
        back = {"failBack": "true", "failBackDelay": "1", "agentCheckpointInterval": "64"}
        t = self.prefer(self.instances(other_agents=("DST",), properties=dict(SLOW, **back)), {"one": 127, "two": 100})
        t.start_on("two")
        t.start("DST")
        source, size = t.path("in/large"), 128 << 20
        before = written(t.pid("DST"))
        transfer = LargeTransfer(t, source, size, write_large(source, size), PACE)
        self.addCleanup(transfer.close)
        self.assertTrue(transfer.until_it_has(size // 16))
        t.start_on("one")
        t.wait_active("one")
        self.assertTrue(transfer.under_way(), "it was moving when the lock went back")
        self.assertEqual([], transfer.faults_at_the_end(), t.tails())
        self.assertIn(GIVES_BACK, t.place["two"].log("SRC"))
        self.assertIn("which has given it back", t.place["one"].log("SRC"))
        self.assertLessEqual(written(t.pid("DST")) - before - size, WINDOW + AROUND)
        self.assertEqual("one", t.active())

    def test_a_destination_agent_gives_the_lock_back_too_and_no_more_than_a_window_comes_again(self):
        back = {"failBack": "true", "failBackDelay": "1"}
        t = self.instances(agents=("DST",), other_agents=("SRC",), properties=dict(SLOW, **back))
        for name, priority in {"one": 127, "two": 100}.items():
            t.place[name].set_properties("DST", {"instancePriority": str(priority)})
        t.start_on("two", agent="DST")
        t.start("SRC")
        source, size = t.path("in/large"), 128 << 20
        transfer = LargeTransfer(t, source, size, write_large(source, size), PACE)
        self.addCleanup(transfer.close)
        self.assertTrue(transfer.until_it_has(size // 16))
        t.start_on("one", agent="DST")
        t.wait_active("one", agent="DST")
        self.assertTrue(transfer.under_way(), "it was moving when the lock went back")
        self.assertEqual([], transfer.faults_at_the_end(), t.tails("DST"))
        record = t.items_of(transfer.id)
        self.assertLessEqual(record["wastedBytes"], 2 * WINDOW, str(record)[:1000])

    def test_a_preferred_one_that_comes_and_hangs_does_not_cost_the_lock(self):
        """It is given back only to one that shows that it is well."""
        t = self.prefer(self.instances(properties={"failBack": "true", "failBackDelay": "3"}), {"one": 127, "two": 100})
        t.start_on("two", "one")
        t.place["two"].wait_for_log("SRC", "BFGAG0919I")
        t.pause("one")
        since = re.findall("BFGAG0915I", t.place["two"].log("SRC"))
        self.stays(lambda: t.active() == "two" and GIVES_BACK not in t.place["two"].log("SRC"), 5)
        self.assertEqual(since, re.findall("BFGAG0915I", t.place["two"].log("SRC")))
        t.go_on("one")
        t.wait_active("one")

    @staticmethod
    def stays(condition, seconds):
        """Whatever the machine's speed: nothing else may happen in that time."""
        from processes import pass_time
        for _ in range(int(seconds * 10)):
            assert condition()
            pass_time(0.1)


if __name__ == "__main__":
    unittest.main()
