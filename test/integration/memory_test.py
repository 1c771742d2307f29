"""Memory of the agents does not depend on the size or the count of files. Short here; BATON_LARGE=1: 10,000 files, 8 GiB."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from processes import SANITIZED  # noqa: E402
from topology import TopologyTest  # noqa: E402

LARGE = bool(os.environ.get("BATON_LARGE"))
PEAK_MIB_MAX = 64


class Memory(TopologyTest):
    def assert_peaks(self, what):
        peaks = {agent: round(self.t.peak_memory_mib(agent), 1) for agent in ("SRC", "DST")}
        print("%s: peak memory %s MiB" % (what, peaks))
        if not SANITIZED:  # the tools' own memory would be measured
            self.assertLess(max(peaks.values()), PEAK_MIB_MAX)

    def test_many_files(self):
        count = 10000 if LARGE else 2000
        for i in range(count):
            self.write("in/d%d/f%d" % (i % 20, i), b"%d" % i * 800)
        self.assert_result(0, self.t.transfer("-r", "-dd", self.place("out"), self.place("in"), timeout_s=600))
        self.assert_same_tree(self.place("in"), self.place("out"))
        self.assert_peaks("%d files" % count)

    def test_one_large_file(self):
        size = 8 << 30 if LARGE else 256 << 20
        with open(self.write("in/large", b""), "r+b") as out:
            for at in range(0, size, 64 << 20):
                out.seek(at)
                out.write(os.urandom(4096))
            out.truncate(size)
        self.assert_result(0, self.t.transfer("-df", self.place("out/large"), self.place("in/large"), timeout_s=600))
        self.assertEqual(size, os.path.getsize(self.place("out/large")))
        self.assert_peaks("%d MiB in one file" % (size >> 20))


class ThroughTheQueue(Memory):
    PROPERTIES = {"agentDataDirect": "false"}


if __name__ == "__main__":
    unittest.main(verbosity=2)
