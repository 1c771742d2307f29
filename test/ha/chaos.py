"""What scripts/chaos runs: transfers whose agents are killed, paused, or die together with their queue manager."""
import argparse
import contextlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from instances import EMBEDDED, KIND, Instances, LargeTransfer, write_large  # noqa: E402
from processes import eventually, pass_time  # noqa: E402
from trees import TreeTransfer, write_tree  # noqa: E402

AGENTS = ("SRC", "DST")
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
END_S = 180  # for a transfer that is left alone
AT_ONCE = 0.25  # of the disturbances come as soon as the one before is over, while the new active one finds its way
OUTAGE_S = 10.0  # of an agent with all its instances there: nothing takes longer
LEASE_S = 4.0  # lockLease, by default
OFTEN_S = 2.0  # disturbances of one transfer come this quickly behind each other, on average


def size_of(text):
    return int(float(text[:-1]) * UNITS[text[-1].upper()]) if text[-1].upper() in UNITS else int(text)


def arguments():
    parser = argparse.ArgumentParser(prog="chaos", prefix_chars="-")
    parser.add_argument("-n", type=int, default=50)
    parser.add_argument("-i", type=int, default=2, choices=(2, 3))
    parser.add_argument("-size", type=size_of, default=2 << 30)
    parser.add_argument("-mode", default="kill", choices=("kill", "pause", "broker", "all", "tree"))
    parser.add_argument("-files", type=int, default=5000)
    asked = parser.parse_args()
    if asked.mode == "tree" and not EMBEDDED:
        parser.error("-mode tree is for the embedded queue manager")
    return asked


class Chaos:
    PROPERTIES = None

    def __init__(self, asked):
        self.asked = asked
        self.seed = int(os.environ.get("BATON_SEED", random.randrange(1 << 30)))
        self.chance = random.Random(self.seed)
        self.names = ("one", "two", "three")[:asked.i]
        self.done = 0
        self.took = {agent: [] for agent in AGENTS}  # seconds without an active instance
        self.qmgr_kills = self.standby_kills = self.transfers = self.deleted = 0
        self.faults = []
        # So that a kill costs the time of its start, and little more.
        soon = {"agentQMgrRetryInterval": "3"} if asked.mode == "broker" else None
        self.t = Instances(self.names, AGENTS, self.PROPERTIES or soon)

    def run(self):
        for agent in AGENTS:
            self.t.launch_on(*self.names, agent=agent)
        self.master = self.t.path("in/master")
        checksum = write_large(self.master, self.asked.size)
        while self.done < self.asked.n and not self.faults:
            self.one_transfer(checksum)
        for agent in AGENTS:
            self.faults += self.t.faults_of_history(agent)

    def one_transfer(self, checksum):
        source = self.t.path("in/%d" % self.transfers)
        os.link(self.master, source)
        deletes = self.chance.random() < 0.5
        transfer = LargeTransfer(self.t, source, self.asked.size, checksum, ("-sd", "delete") if deletes else (),
                                 waits=self.asked.mode not in ("all", "broker"))
        if not transfer.waits:
            transfer.command.wait(END_S)  # the request is accepted: a queue manager that dies before has promised nothing
        before = self.done
        try:
            while self.done < self.asked.n and self.until_next(transfer):
                self.disturb()
                self.done += 1
            self.note_faults(transfer.faults_at_the_end(END_S))
        except AssertionError as failure:
            self.note_faults([str(failure)])
        finally:
            transfer.close()
        self.transfers += 1
        self.deleted += deletes
        print("transfer %d%s: %d disturbances (%d of %d)%s" % (self.transfers, ", deleting" if deletes else "", self.done - before,
                                                             self.done, self.asked.n, "" if not self.faults else ": BROKEN"), flush=True)

    def note_faults(self, found):
        if found:
            tails = "".join(self.t.tails(agent, 5000) for agent in AGENTS)
            self.faults += ["transfer %d: %s" % (self.transfers + 1, fault) for fault in found] + [tails]

    def until_next(self, transfer):
        """Waits for some more data; false when the transfer has ended meanwhile."""
        if self.chance.random() >= AT_ONCE:
            more = transfer.bytes() + self.chance.randrange(1, max(self.asked.size // 5, 2))
            limit = time.monotonic() + self.chance.uniform(0, 2 * OFTEN_S)
            eventually(lambda: transfer.bytes() >= more or not transfer.under_way() or time.monotonic() > limit, "data arrives")
        return transfer.under_way()

    def disturb(self):
        if self.asked.mode == "broker":
            return self.kill_qmgr()
        if self.asked.mode in ("all", "tree"):
            what = self.chance.random()
            if what < 0.2:
                return self.kill_qmgr()
            if what < 0.35:
                return self.kill_standby()
        agent = self.chance.choice(AGENTS)
        name = self.t.wait_for_an_active(agent)
        began = time.time()
        if self.asked.mode == "pause":
            return self.pause(agent, name, began)
        self.t.kill_instance(name, agent)
        self.t.place[name].launch(agent)
        self.wait_for_the_next(agent, began)

    def wait_for_the_next(self, agent, began):
        eventually(lambda: self.t.active(agent), lambda: "another instance of %s is active%s" % (agent, self.t.tails(agent)))
        took = eventually(lambda: self.t.active_after(began, agent), "it says so")
        self.took[agent].append(took)
        if took > OUTAGE_S:
            raise AssertionError("for %.1f s no instance of %s was active" % (took, agent))

    def pause(self, agent, name, began):
        until = time.monotonic() + 2 * LEASE_S + self.chance.uniform(0, 1)
        self.t.pause(name, agent)
        try:
            self.wait_for_the_next(agent, began)
            pass_time(max(until - time.monotonic(), 0))
        finally:
            self.t.go_on(name, agent)
            eventually(lambda: not self.t.is_active(name, agent), "it knows that it is not active any more")

    def kill_standby(self):
        agent = self.chance.choice(AGENTS)
        active = self.t.wait_for_an_active(agent)
        name = self.chance.choice([name for name in self.names if name != active])
        self.t.kill_instance(name, agent)
        self.t.place[name].launch(agent)
        self.standby_kills += 1

    def kill_qmgr(self):
        """And starts it where it was; sometimes an active instance dies with it."""
        self.qmgr_kills += 1
        both = self.chance.choice((None,) + AGENTS)
        name = both and self.t.active(both)
        now = time.time()
        self.t.gone += [(agent, one, now) for agent in AGENTS for one in self.names]
        port = self.t.kill_qmgr()
        if name:
            self.t.kill_instance(name, both)
            self.t.place[name].launch(both)
        self.t.start_qmgr(port)
        self.revive()
        for agent in AGENTS:
            eventually(lambda: self.t.active_after(now, agent), lambda: "an instance of %s is active again%s" % (agent, self.t.tails(agent)))

    def revive(self):
        """What controllers do: instances on the queue manager's own host end with it."""
        for host in self.t.place.values():
            for agent in AGENTS:
                try:
                    host.launched[agent].wait(1 if host is self.t else 0)
                except subprocess.TimeoutExpired:
                    continue
                host.launch(agent)

    def report(self):
        print("\n%s, %d instances of each agent, files of %.2f GiB, mode %s, seed %d"
              % (KIND, self.asked.i, self.asked.size / (1 << 30), self.asked.mode, self.seed))
        print("disturbances %d (queue manager %d, standby %d), transfers %d, of them deleting %d"
              % (self.done, self.qmgr_kills, self.standby_kills, self.transfers, self.deleted))
        for agent in AGENTS:
            took = sorted(self.took[agent])
            if took:
                print("%s without an active instance, %d times: median %.0f ms, longest %.0f ms"
                      % (agent, len(took), statistics.median(took) * 1e3, took[-1] * 1e3))
        for agent in AGENTS:
            refused = sum(host.log(agent).count(word) for host in self.t.place.values() for word in ("BFGTR0025W", "BFGTR0026W"))
            suspended = sum(host.log(agent).count("BFGAG0914W") for host in self.t.place.values())
            print("%s: epochs up to %d, messages of older ones refused %d times, suspended %d times"
                  % (agent, max([epoch for epoch, _, _ in self.t.epochs(agent)], default=0), refused, suspended))
        print("\n".join(["WRONG:"] + self.faults) if self.faults else "nothing was wrong")


class TreeChaos(Chaos):
    """Each round is one transfer of the same tree, to a disk in memory that something else may fill for a while."""
    PROPERTIES = {"senderTransferRetryInterval": "1000", "outputLogSize": "104857600"}
    KILLS_MAX = 8  # in one round

    def run(self):
        for agent in AGENTS:
            self.t.launch_on(*self.names, agent=agent)
        self.master, self.disk = self.t.path("in/master"), self.t.path("disk")
        total = write_tree(self.master, self.asked.files, self.asked.size, self.chance)
        os.makedirs(self.disk)
        self.room = 2 * total + (256 << 20)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % self.room, "tmpfs", self.disk], check=True)
        self.kills = self.filled = self.changed = self.failed = 0
        try:
            while self.done < self.asked.n and not self.faults:
                self.one_round()
                self.done += 1
            for agent in AGENTS:
                self.faults += self.t.faults_of_history(agent)
        finally:
            subprocess.run(["umount", "-l", self.disk], check=True)

    def one_round(self):
        self.transfers += 1
        deletes = self.chance.random() < 0.5
        tree = TreeTransfer(self.t, self.master, self.t.path("in/%d" % self.transfers), os.path.join(self.disk, "out"), self.chance, deletes)
        fills, changes = self.chance.random() < 0.3, self.chance.random() < 0.3
        kills = self.chance.randrange(1, self.KILLS_MAX + 1)
        try:
            for i in range(kills):
                self.wait_some(tree)
                if fills and i == 0:
                    self.fill()
                if changes and i == kills // 2:
                    tree.change_one()
                self.disturb()
            self.make_room()
            self.note_faults(tree.faults_at_the_end(END_S))
        except AssertionError as failure:
            self.note_faults([str(failure)])
        finally:
            self.make_room()
            tree.close()
        self.kills += kills
        self.filled += fills
        self.changed += tree.changed is not None
        self.deleted += deletes
        print("round %d: %d kills%s%s%s%s" % (self.transfers, kills, ", deleting" if deletes else "", ", disk full" if fills else "",
                                            ", changed %r" % tree.changed if tree.changed else "", ": BROKEN" if self.faults else ""), flush=True)

    def wait_some(self, tree):
        pass_time(self.chance.uniform(0, 1))

    def fill(self):
        """All but a little: it is full at once, or soon."""
        room = os.statvfs(self.disk)
        # Data that arrives meanwhile may be quicker: then it is full, too.
        with open(os.path.join(self.disk, "filler"), "wb") as out, contextlib.suppress(OSError):
            os.posix_fallocate(out.fileno(), 0, max(room.f_bavail * room.f_frsize - self.chance.randrange(1, 8 << 20), 1))

    def make_room(self):
        if os.path.exists(os.path.join(self.disk, "filler")):
            os.unlink(os.path.join(self.disk, "filler"))

    def report(self):
        super().report()
        print("%d files a round; kills in all %d, rounds with a full disk %d, with a changed source %d" % (self.asked.files, self.kills, self.filled, self.changed))


def main():
    asked = arguments()
    chaos = (TreeChaos if asked.mode == "tree" else Chaos)(asked)
    try:
        chaos.run()
        chaos.report()
        if os.environ.get("BATON_KEEP"):
            shutil.copytree(chaos.t.root, os.environ["BATON_KEEP"], ignore=shutil.ignore_patterns("in", "out-*"), dirs_exist_ok=True)
    finally:
        chaos.t.close()
    return 1 if chaos.faults else 0


if __name__ == "__main__":
    sys.exit(main())
