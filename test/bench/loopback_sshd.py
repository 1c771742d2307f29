"""An sshd of our own on a free port of 127.0.0.1, with keys made for it, so that scp can be measured."""
import getpass
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from processes import eventually

PROGRAM = "/usr/sbin/sshd"
SEPARATION = "/run/sshd"  # sshd insists on it when it runs as root
ANSWER_S = 5


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class LoopbackSshd:
    @classmethod
    def start(cls, directory):
        """None where it cannot be had."""
        if not os.path.exists(PROGRAM):
            return None
        # Without PAM accounts without a password are often taken for locked; with it sshd must be root's.
        for pam in ("no", "yes"):
            made = cls(os.path.join(directory, "pam-" + pam), pam)
            if made.works():
                return made
            made.close()
        return None

    def __init__(self, directory, pam):
        os.makedirs(directory, mode=0o700)
        self.directory, self.port, self.made_separation = directory, free_port(), False
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(key)], check=True)
        with open(self.path("config"), "w") as out:
            out.write("Port %d\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nUsePAM %s\n"
                      "StrictModes no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
                      "Subsystem sftp internal-sftp\n" % (self.port, self.path("host"), self.path("user.pub"), pam))
        if os.geteuid() == 0 and not os.path.exists(SEPARATION):
            os.mkdir(SEPARATION, 0o755)
            self.made_separation = True
        with open(self.path("log"), "wb") as log:
            self.process = subprocess.Popen([PROGRAM, "-D", "-e", "-f", self.path("config")], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def path(self, name):
        return os.path.join(self.directory, name)

    def options(self):
        return ["-P", str(self.port), "-F", "/dev/null", "-i", self.path("user"), "-o", "IdentitiesOnly=yes",
                "-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
                "-o", "BatchMode=yes"]

    @staticmethod
    def target(path):
        return "%s@127.0.0.1:%s" % (getpass.getuser(), path)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def works(self):
        try:
            eventually(lambda: self.process.poll() is not None or self.listens(), "sshd listens", ANSWER_S)
        except AssertionError:
            return False
        tried = subprocess.run(["scp", "-q", *self.options(), self.path("user.pub"), self.target(self.path("copy"))],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)
        return tried.returncode == 0

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        if self.made_separation:
            os.rmdir(SEPARATION)
