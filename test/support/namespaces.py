"""A network namespace: a loopback interface of its own, whose ports can be cut off. Needs root."""
import os
import subprocess


class Namespace:
    def __init__(self):
        self.name = "baton-%d" % os.getpid()
        self.run("ip", "netns", "add", self.name)
        self.run("ip", "-n", self.name, "link", "set", "lo", "up")

    @staticmethod
    def run(*words):
        subprocess.run(words, check=True, capture_output=True)

    def inside(self):
        """What a command line begins with to run there."""
        return ["ip", "netns", "exec", self.name]

    def cut(self, port, how="DROP", which="--dport"):
        """What comes to the port, or with --sport from it, is dropped, or refused with tcp-reset, until mend()."""
        answer = ["REJECT", "--reject-with", "tcp-reset"] if how == "tcp-reset" else ["DROP"]
        self.run(*self.inside(), "iptables", "-A", "INPUT", "-p", "tcp", which, str(port), "-j", *answer)

    def mend(self):
        self.run(*self.inside(), "iptables", "-F", "INPUT")

    def close(self):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)
