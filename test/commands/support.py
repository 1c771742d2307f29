"""Runs commands of the build under test, each test with a data root of its own."""
import os
import shutil
import subprocess
import tempfile
import unittest

BIN = os.environ["BATON_BIN"]


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="baton-commands.")
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        self.environment = dict(os.environ, BFG_DATA=self.data)

    def run_command(self, *words, timeout=30):
        return subprocess.run([os.path.join(BIN, words[0]), *words[1:]], env=self.environment, capture_output=True,
                              text=True, errors="replace", timeout=timeout, stdin=subprocess.DEVNULL)

    def succeed(self, *words, **more):
        done = self.run_command(*words, **more)
        self.assertEqual(done.returncode, 0, (words, done.stdout, done.stderr))
        return done.stdout

    def fail_with(self, code, *words, **more):
        """Expects an exit code and one or more messages on standard error, each with an id; gives standard error."""
        done = self.run_command(*words, **more)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        self.assertRegex(done.stderr, r"(?m)^BFG[A-Z]{2}\d{4}E: ", words)
        for trace in ("terminate", "Traceback", "std::", "boost", "core dumped"):
            self.assertNotIn(trace, done.stderr)
        return done.stderr

    def path(self, *parts):
        return os.path.join(self.data, *parts)

    def write(self, relative, text):
        path = self.path(relative)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def read(self, relative):
        with open(self.path(relative), encoding="utf-8") as file:
            return file.read()
