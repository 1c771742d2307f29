"""Keeps the shape of the tree: sizes of files and functions, directions of includes, words that do not belong here."""
import os
import re
import statistics
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
MEDIAN_LINES_MAX = 150
LINE_COLUMNS_MAX = 120

# Folder -> the folders that it may include from.
ALLOWED = {
    "common": {"common"},
    "properties": {"properties", "common"},
    "coordination": {"coordination", "common", "properties"},
    "qmgr": {"qmgr", "common", "properties", "coordination"},  # coordination only in main.cpp, see below
    "agent": {"agent", "common", "properties"},
    "commands": {"commands", "common", "properties"},
}
# Pure machines: standard headers, and what is named here.
PURE = {
    "agent/transfer/source_machine": set(),
    "agent/transfer/destination_machine": {"agent/transfer/outcome.hpp"},
    "agent/transfer/epoch_fence": set(),
    "agent/controller": {"agent/exit_codes.hpp", "common/backoff.hpp"},
    "agent/lock/machine": {"common/backoff.hpp"},
    "qmgr/instances/machine": set(),
}


def sources():
    listed = subprocess.run(["git", "ls-files", "*.cpp", "*.hpp", "*.py", "scripts/*"], cwd=ROOT, capture_output=True,
                            text=True, check=True).stdout.split()
    return [name for name in listed if os.path.exists(os.path.join(ROOT, name))]


def lines_of(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as text:
        return text.read().splitlines()


def includes_of(name):
    found = []
    for line in lines_of(name):
        match = re.match(r'#include ([<"])(\S+)[>"]', line)
        if match:
            found.append((match.group(1), match.group(2)))
    return found


def functions_of(name):
    """(first line, lines) of each function: a block that starts in a line at the outermost or a class's level."""
    start, level = None, 0
    for number, line in enumerate(lines_of(name), 1):
        if start is None and re.match(r"( {0,4})\S.*\) ?(const|noexcept|override|mutable|-> .*|: .*)*\{$", line):
            start = number
            level = len(line) - len(line.lstrip())
        elif start is not None and re.match(r" {0,%d}\}" % level, line):
            yield start, number - start + 1
            start = None


class Tidy(unittest.TestCase):
    def test_no_file_is_too_long(self):
        long = ["%s: %d lines" % (n, len(lines_of(n))) for n in sources() if len(lines_of(n)) > FILE_LINES_MAX]
        self.assertEqual([], long, "files over %d lines" % FILE_LINES_MAX)

    def test_the_median_file_is_short(self):
        median = statistics.median(len(lines_of(n)) for n in sources() if n.endswith((".cpp", ".hpp")))
        self.assertLessEqual(median, MEDIAN_LINES_MAX)

    def test_no_function_is_too_long(self):
        long = ["%s:%d: %d lines" % (n, first, count) for n in sources() if n.endswith((".cpp", ".hpp"))
                for first, count in functions_of(n) if count > FUNCTION_LINES_MAX]
        self.assertEqual([], long, "functions over %d lines" % FUNCTION_LINES_MAX)

    def test_no_line_is_too_long(self):
        long = ["%s:%d" % (n, i) for n in sources() if n.endswith((".cpp", ".hpp"))
                for i, line in enumerate(lines_of(n), 1) if len(line) > LINE_COLUMNS_MAX and "BATON_MESSAGE" not in line]
        self.assertEqual([], long, "lines over %d columns" % LINE_COLUMNS_MAX)

    def test_the_embedded_queue_manager_stays_small(self):
        """When it is outgrown, people move to a real broker; lines of code, without comments and blank lines."""
        for pattern, lines_max in ((r"qmgr/[^/]*\.[ch]pp$", 3250), (r"qmgr/instances/.*\.[ch]pp$", 1000)):
            code = [line for n in sources() if re.match(pattern, n) for line in lines_of(n)
                    if line.strip() and not line.strip().startswith("//")]
            self.assertLessEqual(len(code), lines_max, pattern)

    def test_includes_go_in_the_allowed_directions(self):
        wrong = []
        for name in sources():
            folder = name.split("/")[0]
            for quote, path in includes_of(name):
                target = path.split("/")[0]
                if quote != '"' or target not in ALLOWED or folder not in ALLOWED:
                    continue
                if target not in ALLOWED[folder]:
                    wrong.append("%s includes %s" % (name, path))
                if folder == "qmgr" and target == "coordination" and name != "qmgr/main.cpp":
                    wrong.append("%s includes %s: only qmgr/main.cpp may" % (name, path))
        self.assertEqual([], wrong)

    def test_only_adapters_include_proton(self):
        wrong = [n for n in sources() for quote, path in includes_of(n)
                 if path.startswith("proton/") and not n.startswith(("common/amqp/proton_", "qmgr/", "test/"))]
        self.assertEqual([], sorted(set(wrong)))

    def test_pure_machines_include_only_what_is_pure(self):
        wrong = []
        for stem, allowed in PURE.items():
            for name in (stem + ".hpp", stem + ".cpp"):
                for quote, path in includes_of(name):
                    own = path == stem + ".hpp"
                    if not own and (quote == '"' and path not in allowed or "." in path and quote == "<"):
                        wrong.append("%s includes %s" % (name, path))
        self.assertEqual([], wrong)

    def test_tests_do_not_sleep_to_wait(self):
        """A pause inside a polling helper is fine; it is in a support module."""
        wrong = ["%s:%d" % (n, i) for n in sources() if n.startswith("test/") and n != "test/support/processes.py"
                 for i, line in enumerate(lines_of(n), 1)
                 if re.search(r"sleep_for|sleep_until|time\.sleep|usleep", line) and "tidy_test" not in n]
        self.assertEqual([], wrong)

    def test_every_folder_says_what_it_is(self):
        for folder in sorted(ALLOWED):
            self.assertTrue(os.path.exists(os.path.join(ROOT, folder, "README.md")), folder + "/README.md is missing")


if __name__ == "__main__":
    unittest.main()
