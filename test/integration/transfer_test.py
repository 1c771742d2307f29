"""Managed transfers between two real agents: what arrives, what is reported, and what happens to what cannot arrive."""
import hashlib
import os
import stat
import subprocess
import sys
import unittest

from proton import Message

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from processes import eventually
from topology import TopologyTest


class Files(TopologyTest):
    def test_one_file(self):
        source = self.write("in/a.txt", b"hello\n")
        os.chmod(source, 0o640)
        os.utime(source, ns=(1, 1234567890123456789))
        result = self.t.transfer("-df", self.place("out/b.txt"), source)
        self.assert_result(0, result)
        self.assertIn("BFGRP0032I", result.out)
        self.assertEqual(b"hello\n", self.read(self.place("out/b.txt")))
        about = os.stat(self.place("out/b.txt"))
        self.assertEqual(0o640, stat.S_IMODE(about.st_mode))
        self.assertEqual(1234567890123456789, about.st_mtime_ns)
        self.assertTrue(os.path.exists(source))

    def test_tree_with_odd_names_and_sizes(self):
        names = ["plain", "with space", "ümläut", "quote'\"", "new\nline", "%41", "-dash", ".hidden", "x" * 255, "*", "日本"]
        for i, name in enumerate(names):
            self.write("in/d%d/%s" % (i % 3, name), os.urandom(i * 10007))
        raw = os.fsencode(self.place("in/d0/")) + b"bad\xff\xfeutf8"
        with open(raw, "wb") as out:
            out.write(b"raw")
        os.makedirs(self.place("in/empty/inner"))
        self.write("in/zero", b"")
        result = self.t.transfer("-r", "-dd", self.place("out"), self.place("in"))
        self.assert_result(0, result)
        self.assert_same_tree(self.place("in"), self.place("out"))
        self.assert_no_part_files(self.place("out"))

    def test_wildcards_take_files_only(self):
        for name in ("a1.csv", "a2.csv", "b1.csv", "a1.txt", "sub/a3.csv"):
            self.write("in/" + name)
        self.assert_result(0, self.t.transfer("-dd", self.place("out"), self.place("in/a?.csv")))
        self.assertEqual(["a1.csv", "a2.csv"], sorted(os.listdir(self.place("out"))))
        self.assert_result(0, self.t.transfer("-r", "-dd", self.place("deep"), self.place("in/a*.csv")))
        self.assertEqual(["a1.csv", "a2.csv", "sub"], sorted(os.listdir(self.place("deep"))))
        self.assertEqual(["a3.csv"], os.listdir(self.place("deep/sub")))

    def test_checksums_are_those_of_the_file(self):
        content = os.urandom(1_000_003)
        source = self.write("in/data", content)
        for method, expected in (("MD5", hashlib.md5(content)), ("SHA-256", hashlib.sha256(content)), ("XXH3", None), ("none", None)):
            result = self.t.transfer("-cs", method, "-df", self.place("out/" + method), source)
            self.assert_result(0, result)
            item = self.t.items_of(self.t.id_of(result))["items_list"][0]
            self.assertEqual(method, item["checksumMethod"])
            if expected:
                self.assertEqual(expected.hexdigest(), item["checksum"])
            self.assertEqual({"none": 0, "XXH3": 32, "MD5": 32, "SHA-256": 64}[method], len(item["checksum"]))
            self.assertEqual(content, self.read(self.place("out/" + method)))

    def test_text_mode_turns_line_ends(self):
        source = self.write("in/dos.txt", b"one\r\ntwo\rstill two\n" + b"\r\n" * 300000 + b"end\r")
        self.assert_result(0, self.t.transfer("-t", "text", "-df", self.place("out/unix.txt"), source))
        self.assertEqual(b"one\ntwo\rstill two\n" + b"\n" * 300000 + b"end\r", self.read(self.place("out/unix.txt")))

    def test_existing_file_stays_unless_overwrite_is_said(self):
        source = self.write("in/new", b"new")
        there = self.write("out/there", b"old")
        result = self.t.transfer("-df", there, source)
        self.assert_result(40, result)
        self.assertEqual(b"old", self.read(there))
        item = self.t.items_of(self.t.id_of(result))["items_list"][0]
        self.assertIn("BFGIO0006E", item["supplement"])
        self.assert_result(0, self.t.transfer("-de", "overwrite", "-df", there, source))
        self.assertEqual(b"new", self.read(there))

    def test_a_large_file_that_is_refused_at_its_start_is_reported_and_kept(self):
        source = self.write("in/large", os.urandom(30 << 20))
        there = self.write("out/large", b"old")
        result = self.t.transfer("-sd", "delete", "-dd", self.place("out"), source, self.write("in/next", b"n"))
        self.assert_result(20, result)
        self.assertEqual(b"old", self.read(there))
        self.assertTrue(os.path.exists(source))
        self.assertEqual(b"n", self.read(self.place("out/next")))

    def test_sources_are_deleted_only_when_they_arrived(self):
        good = self.write("in/good", b"good")
        kept = self.write("in/kept", b"kept")
        self.write("out/kept", b"in the way")
        result = self.t.transfer("-sd", "delete", "-dd", self.place("out"), good, kept)
        self.assert_result(20, result)
        self.assertFalse(os.path.exists(good))
        self.assertEqual(b"kept", self.read(kept))
        self.assertEqual(b"in the way", self.read(self.place("out/kept")))

    def test_metadata_job_and_priority_are_in_the_record(self):
        source = self.write("in/a")
        result = self.t.transfer("-jn", "nightly", "-md", "team=blue,case=42", "-pr", "7", "-df", self.place("out/a"), source)
        self.assert_result(0, result)
        record = self.t.items_of(self.t.id_of(result))
        self.assertEqual("nightly", record["job"])
        self.assertEqual({"team": "blue", "case": "42"}, record["metaData"])

    def test_relative_paths_start_at_the_home_directory(self):
        os.makedirs(self.t.path("here"), exist_ok=True)
        with open(self.t.path("here/rel"), "w") as out:
            out.write("x")
        self.assert_result(0, self.t.transfer("-df", "there/rel", "here/rel"))
        self.assertTrue(os.path.exists(self.t.path("there/rel")))


class Troubles(TopologyTest):
    def failed_items(self, result):
        return {os.path.basename(i["source"]): i["supplement"] for i in self.t.items_of(self.t.id_of(result))["items_list"]
                if i["resultCode"] == 1}

    def test_links_pipes_and_sockets_fail_and_the_rest_goes_on(self):
        self.write("in/file", b"x" * 1000)
        os.symlink("file", self.place("in/link"))
        os.mkfifo(self.place("in/pipe"))
        result = self.t.transfer("-r", "-dd", self.place("out"), self.place("in"))
        self.assert_result(20, result)
        failed = self.failed_items(result)
        self.assertEqual({"link", "pipe"}, set(failed))
        self.assertTrue(all("BFGIO0002E" in text for text in failed.values()), failed)
        self.assertEqual(["file"], os.listdir(self.place("out")))

    def test_missing_source(self):
        result = self.t.transfer("-df", self.place("out"), self.place("nothing/here"))
        self.assert_result(40, result)
        self.assertIn("BFGIO0001E", list(self.failed_items(result).values())[0])

    def test_some_missing_sources(self):
        source = self.write("in/a")
        result = self.t.transfer("-dd", self.place("out"), source, self.place("in/b"))
        self.assert_result(20, result)
        self.assertEqual({"b"}, set(self.failed_items(result)))

    def test_several_files_do_not_go_into_one(self):
        self.write("in/a")
        self.write("in/b")
        result = self.t.transfer("-df", self.place("out"), self.place("in/*"))
        self.assert_result(40, result)
        self.assertIn("-dd", result.out)
        self.assertFalse(os.path.exists(self.place("out")))

    def test_a_file_in_the_place_of_a_directory(self):
        source = self.write("in/a")
        self.write("out")
        result = self.t.transfer("-dd", self.place("out/sub"), source)
        self.assert_result(40, result)
        self.assertIn("BFGIO0012E", list(self.failed_items(result).values())[0])

    def test_a_read_only_destination(self):
        mount = self.place("ro")
        os.makedirs(mount)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", mount], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", mount])
        result = self.t.transfer("-df", os.path.join(mount, "a"), self.write("in/a"))
        self.assert_result(40, result)
        self.assertIn("Read-only", list(self.failed_items(result).values())[0])

    def test_an_unknown_destination_agent(self):
        result = self.t.transfer("-df", self.place("out"), self.write("in/a"), destination="NOBODY")
        self.assert_result(49, result)
        self.assertIn("NOBODY", result.out)

    def test_garbage_on_every_queue_stops_nothing(self):
        connection = self.t.stock_client()
        self.addCleanup(connection.close)
        subjects = ["", "transfer.request", "transfer.cancel", "agent.stop", "transfer.negotiate", "transfer.negotiated",
                    "transfer.ack", "transfer.finish", "transfer.data", "state.source", "state.destination", "state.plan", "state.mark",
                    "agent.status", "transfer.log", "query"]
        bodies = [b"", b"{", b"[]", b'{"version":99}', b'{"id":7}', b'{"specs":"x"}', b'{"transferId":"zz","attempt":-1}',
                  b"BTNF\x01" + os.urandom(100), os.urandom(2000), "text", 17, None, {"a": 1}]
        for queue in ["SYSTEM.FTE.%s.%s" % (kind, agent) for kind in ("COMMAND", "REPLY", "DATA", "STATE") for agent in ("SRC", "DST")] + ["SYSTEM.FTE", "SYSTEM.FTE.QUERY"]:
            sender = connection.create_sender(queue, name=queue)
            for subject in subjects:
                for body in bodies:
                    if subject == "agent.stop" and body in (b'{"id":7}', b'{"specs":"x"}', b'{"transferId":"zz","attempt":-1}'):
                        continue  # that is a proper request to stop
                    sender.send(Message(subject=subject, body=body, durable=True, reply_to="NOWHERE"))
        before = self.t.pid("SRC"), self.t.pid("DST"), self.t.qmgr_pid()
        self.assert_result(0, self.t.transfer("-df", self.place("out/a"), self.write("in/a")))
        self.assertEqual(before, (self.t.pid("SRC"), self.t.pid("DST"), self.t.qmgr_pid()))
        self.assertIn("BFGCH0901W", self.t.log("SRC"))
        self.assertIn("BFGSS0034E", self.t.log("SRC"))


class LongTransferTest(TopologyTest):
    """Of 8 GiB, so that it runs until it is cancelled."""

    def start_long_transfer(self):
        os.makedirs(self.place(), exist_ok=True)
        with open(self.place("long"), "wb") as out:
            out.truncate(8 << 30)
        done = self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-cs", "none", "-df", self.place("out/long"), self.place("long"))
        eventually(lambda: os.path.isdir(self.place("out")) and os.listdir(self.place("out")), "data arrives")
        return self.t.id_of(done)


class Cancel(LongTransferTest):
    def assert_cancelled(self, transfer):
        self.assertEqual(41, self.t.items_of(transfer)["resultCode"])
        eventually(lambda: not os.listdir(self.place("out")), "the part file goes")

    def test_cancel_at_the_source(self):
        transfer = self.start_long_transfer()
        self.t.must("fteCancelTransfer", "-a", "SRC", transfer)
        self.assert_cancelled(transfer)

    def test_cancel_at_the_destination(self):
        transfer = self.start_long_transfer()
        self.t.must("fteCancelTransfer", "-a", "DST", transfer)
        self.assert_cancelled(transfer)

    def test_cancel_of_an_unknown_transfer(self):
        done = self.t.run("fteCancelTransfer", "-a", "SRC", "00" * 24)
        self.assertEqual(26, done.code, repr(done))


class Limits(LongTransferTest):
    PROPERTIES = {"maxSourceTransfers": "1", "maxDestinationTransfers": "1", "maxQueuedTransfers": "2", "maxFilesForTransfer": "3",
                  "agentDesc": "a small one"}

    def test_too_many_files(self):
        for i in range(4):
            self.write("in/%d" % i)
        result = self.t.transfer("-dd", self.place("out"), self.place("in/*"))
        self.assert_result(46, result)
        self.assertFalse(os.path.exists(self.place("out")))

    def test_queued_transfers_run_one_after_the_other_and_by_priority(self):
        long = self.start_long_transfer()
        small = self.write("in/small")
        low = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-pr", "1", "-df", self.place("out/low"), small))
        high = self.t.id_of(self.t.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-pr", "8", "-df", self.place("out/high"), small))
        refused = self.t.transfer("-df", self.place("out/refused"), small)
        self.assert_result(44, refused)
        self.t.must("fteCancelTransfer", "-a", "SRC", long)
        self.assertEqual(0, self.t.items_of(low)["resultCode"])
        log = self.t.log("SRC")
        self.assertLess(log.index("Transfer %s from" % high), log.index("Transfer %s from" % low))


if __name__ == "__main__":
    unittest.main(verbosity=2)
