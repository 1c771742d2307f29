"""A way to a server that a test can cut, so that every connection ends at once and new ones are let through; or hold,
so that nothing passes and nobody is told, as when packets are dropped: in both directions, or of what clients say."""
import socket
import threading


class Relay:
    def __init__(self, port, at=0, swallows_behind=None):
        """To this port, from another one, which may be given. Of a connection that says what `swallows_behind` is true of,
        once, nothing more reaches the server; `swallowed` tells that it was said."""
        self.swallows_behind, self.swallowed = swallows_behind, threading.Event()
        self.target = ("127.0.0.1", port)
        self.server = socket.create_server(("127.0.0.1", at))
        self.port = self.server.getsockname()[1]
        self.ends = []  # in pairs: a client's, and the server's
        self.said = {}  # what each client began with, up to 64 KiB
        self.up, self.down = threading.Event(), threading.Event()  # set: what clients say passes, and what they are told
        self.release()
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                here, _ = self.server.accept()
                there = socket.create_connection(self.target)
            except OSError:
                return  # closed, or the server has gone: the test says what it expected
            with self.lock:
                self.ends += [here, there]
            for a, b, passes in ((here, there, self.up), (there, here, self.down)):
                threading.Thread(target=self.carry, args=(a, b, passes), daemon=True).start()

    def is_the_last(self, content):
        if self.swallows_behind is None or not self.swallows_behind(content):
            return False
        self.swallows_behind = None
        return True

    def carry(self, a, b, passes):
        swallows = False
        try:
            while content := a.recv(1 << 16):
                passes.wait()
                if passes is self.up:
                    self.said[a] = (self.said.get(a, b"") + content)[:1 << 16]
                if swallows:
                    continue
                swallows = passes is self.up and self.is_the_last(content)
                b.sendall(content)
                if swallows:
                    self.swallowed.set()
            passes.wait()
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        a.close()  # the other is closed by whoever reads from it

    def cut(self, word=b""):
        """Those whose clients said this; how many connections there were."""
        with self.lock:
            chosen = [pair for pair in zip(self.ends[::2], self.ends[1::2]) if word in self.said.get(pair[0], b"")]
            self.ends = [end for pair in zip(self.ends[::2], self.ends[1::2]) if pair not in chosen for end in pair]
        for pair in chosen:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        return len(chosen)

    def hold(self):
        self.hold_clients()
        self.down.clear()

    def hold_clients(self):
        self.up.clear()

    def release(self):
        self.up.set()
        self.down.set()

    def close(self):
        try:
            self.server.shutdown(socket.SHUT_RDWR)  # or who waits in accept() would still take one
        except OSError:
            pass
        self.server.close()
        self.release()
        self.cut()
