"""A transfer of a tree of mixed files with odd names, of which one may change meanwhile, to a disk that may fill up."""
import json
import os
import re
import shutil
import subprocess

from processes import BIN, eventually

ODD_NAMES = [b"with space", "\u00fcml\u00e4ut \u65e5\u672c".encode(), b"quote'\"`$(x)", b"new\nline", b"%41", b"-dash", b".hidden", b"*", b"bad\xff\xfeutf8",
             b"x" * 250, b"back\\slash", b"tab\there", b"a.part"]


def write_tree(root, count, largest, chance):
    """Most files are small, one is the largest; each directory has some odd names. Bytes in all."""
    block, total = os.urandom(1 << 20), 0
    for i in range(count):
        directory = os.path.join(os.fsencode(root), b"d%02d" % (i % 23), b"sub" if i % 7 == 0 else b"")
        os.makedirs(directory, exist_ok=True)
        name = b"%d-%s" % (i // 50, ODD_NAMES[i % len(ODD_NAMES)][:240]) if i % 50 < len(ODD_NAMES) else b"f%05d" % i
        size = largest if i == count // 2 else 0 if i % 11 == 0 else chance.randrange(1, 100) if i % 3 else int(chance.paretovariate(0.6) * 100) % (1 << 20)
        with open(os.path.join(directory, name), "wb") as out:
            out.write(i.to_bytes(8, "big")[:size])
            for at in range(8, size, 1 << 20):
                out.write(block[:min(size - at, 1 << 20)])
        total += size
    os.makedirs(os.path.join(root, "empty/inner"))
    return total


class TreeTransfer:
    def __init__(self, t, master, source, directory, chance, deletes):
        self.t, self.master, self.source, self.directory, self.chance, self.deletes = t, master, source, directory, chance, deletes
        subprocess.run(["cp", "-al", master, source], check=True)
        self.changed = None
        done = t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-r", *(("-sd", "delete") if deletes else ()), "-dd", directory, source)
        self.id = t.id_of(done)

    def change_one(self):
        """A file of the source becomes another one; its path below the source, if it was still there."""
        files = [os.path.join(where, name) for where, _, names in os.walk(os.fsencode(self.source)) for name in names]
        if not files:
            return
        path = self.chance.choice(files)
        fresh = path[:-1] + b"~"
        with open(fresh, "wb") as out:
            out.write(b"changed")
        os.rename(fresh, path)
        self.changed = os.path.relpath(path, os.fsencode(self.source))

    def record(self):
        shown = self.t.run("fteShowTransfer", self.id, "-n", "100000", "--json")
        return json.loads(shown.out) if shown.code == 0 else None

    def under_way(self):
        found = self.t.run("fteShowTransfer", self.id, "-n", "0", "--json")
        return found.code != 0 or '"resultCode":-1' in found.out.replace(" ", "")

    def faults_at_the_end(self, deadline_s):
        eventually(lambda: not self.under_way(), lambda: "transfer %s has ended: %s" % (self.id, self.t.tails()), deadline_s)
        record = self.record()
        failed = [item for item in record["items_list"] if item["resultCode"] == 1]
        faults = []
        if record["resultCode"] != (20 if failed else 0):
            faults.append("result %d: %s" % (record["resultCode"], record["supplement"]))
        if [item for item in failed if self.changed is None or not item["source"].endswith(shown(os.path.basename(self.changed)))]:
            faults.append("failed: %s" % failed[:3])
        if record["items"] != record["itemsTotal"] or len(record["items_list"]) != record["itemsTotal"]:
            faults.append("%d items are reported, %d are kept, of %d" % (record["items"], len(record["items_list"]), record["itemsTotal"]))
        return faults + self.faults_of_trees(bool(failed))

    def faults_of_trees(self, one_failed):
        faults = []
        differ = subprocess.run(["diff", "-rq", "--no-dereference", self.master, self.directory], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        told = len(re.findall(rb"^(?:Files|Only in|File|diff:) ", differ.stdout, re.M))  # names may have lines of their own
        if told > (self.changed is not None) or (differ.returncode != 0 and told == 0):
            faults.append("trees differ: %s" % differ.stdout.splitlines()[:5])
        if self.changed is not None:
            path = os.path.join(os.fsencode(self.directory), self.changed)
            there = open(path, "rb").read() if os.path.exists(path) else None
            whole = open(os.path.join(os.fsencode(self.master), self.changed), "rb").read()
            # One that had arrived before it changed stays, whether the later one may replace it or not.
            if there not in ((None, whole) if one_failed else (b"changed", whole)):
                faults.append("the changed file is %s" % ("not there" if there is None else repr(there[:100])))
        parts = [name for _, _, names in os.walk(os.fsencode(self.directory)) for name in names if re.search(rb"\.[0-9a-f]{12}\.\d+\.e\d+\.part$", name)]
        if parts:
            faults.append("part files are left: %s" % parts[:3])
        left = sum(len(names) for _, _, names in os.walk(self.source))
        if self.deletes and left > (self.changed is not None):
            faults.append("%d sources are left" % left)
        if not self.deletes and left != sum(len(names) for _, _, names in os.walk(self.master)):
            faults.append("sources are gone")
        return faults

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.source, ignore_errors=True)


def shown(name):
    """A name's end as records show it: escaped where it is not plain."""
    plain = re.search(rb"[\w.-]*$", name).group(0).decode()
    return plain
