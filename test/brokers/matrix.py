"""Prints what a run of ctest says of each suite on each kind of queue manager: matrix.py JUNIT_FILE. Ends with 1 when a cell is
missing, has failed, or left something out for a reason that docs/brokers.md does not give."""
import collections
import os
import re
import sys
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KINDS = ("embedded", "rabbitmq", "artemis", "qpid")
# Cells that need not be there, with the words of the document.
NOT_THERE = {("brokers_agents", "embedded"): "its topologies are those of `integration/`",
             ("brokers_tls", "embedded"): "the embedded queue manager has TLS tests of its own",
             **{("failover_list", kind): "lists are tested with embedded queue managers, in `failover/`, and with RabbitMQ" for kind in KINDS}}


def cells(path):
    """(suite, kind): (has passed, tests, reasons of those that were left out)."""
    found = collections.OrderedDict()
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        seen = re.fullmatch(r"(\w+)_(%s)" % "|".join(KINDS), case.get("name"))
        if not seen or seen.group(1) in ("brokers_start", "brokers_stop"):
            continue
        said = case.findtext("system-out") or ""
        counted = re.search(r"^Ran (\d+) tests?|in (\d+) test cases", said, re.M)
        tests = int(counted.group(1) or counted.group(2)) if counted else 0
        found[seen.groups()] = (case.get("status") == "run", tests, re.findall(r"skipped '([^']+)'", said))
    return found


def main():
    found = cells(sys.argv[1])
    with open(os.path.join(ROOT, "docs/brokers.md")) as text:
        document = text.read()
    faults, reasons = [], []
    suites = list(dict.fromkeys(suite for suite, _ in found))
    print("%-20s" % "" + "".join("%-28s" % kind for kind in KINDS))
    for suite in suites:
        row = "%-20s" % suite
        for kind in KINDS:
            cell = found.get((suite, kind))
            why = [NOT_THERE.get((suite, kind), "there is no such test")] if cell is None else cell[2]
            for reason in why:
                if reason not in reasons:
                    reasons.append(reason)
                if reason not in document:
                    faults.append("%s on %s: docs/brokers.md does not say: %s" % (suite, kind, reason))
            marks = " ".join("[%d]" % (reasons.index(reason) + 1) for reason in dict.fromkeys(why))
            if cell is None:
                row += "%-28s" % ("- " + marks)
                continue
            passed, tests, left_out = cell
            if not passed or tests == 0:
                faults.append("%s on %s has failed" % (suite, kind))
            row += "%-28s" % (("ok %d " % (tests - len(left_out)) if passed else "FAILED ") + marks)
        print(row)
    for number, reason in enumerate(reasons, 1):
        print("[%d] %s" % (number, reason))
    for fault in faults:
        print("matrix: " + fault)
    return 1 if faults or not suites else 0


if __name__ == "__main__":
    sys.exit(main())
