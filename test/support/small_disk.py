"""A file system of a few mebibytes, in memory, that a test can fill up. Mounting needs root."""
import os
import subprocess


class SmallDisk:
    def __init__(self, test, path, mebibytes):
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % mebibytes, "tmpfs", path], check=True)
        test.addCleanup(subprocess.run, ["umount", "-l", path])
        self.path = path
        self.filler = os.path.join(path, "filler")

    def fill(self):
        with open(self.filler, "ab", buffering=0) as out:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        out.write(bytes(size))
                except OSError:
                    pass

    def fill_to(self, share):
        """So much of it is in use then."""
        about = os.statvfs(self.path)
        free = about.f_bavail * about.f_frsize - (1 - share) * about.f_blocks * about.f_frsize
        with open(self.filler, "wb") as out:
            os.posix_fallocate(out.fileno(), 0, int(free))

    def empty(self):
        os.unlink(self.filler)
