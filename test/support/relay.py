"""A way to a server that a test can cut, so that every connection ends at once and new ones are let through; or hold,
so that nothing passes and nobody is told, as when packets are dropped."""
import socket
import threading


class Relay:
    def __init__(self, port, own_port=0):
        self.target = ("127.0.0.1", port)
        self.server = socket.create_server(("127.0.0.1", own_port))
        self.port = self.server.getsockname()[1]
        self.ends = []
        self.passes = threading.Event()
        self.passes.set()
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
            for a, b in ((here, there), (there, here)):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    def carry(self, a, b):
        try:
            while content := a.recv(1 << 16):
                self.passes.wait()
                b.sendall(content)
            self.passes.wait()
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        a.close()  # the other is closed by whoever reads from it

    def cut(self):
        """How many connections there were."""
        with self.lock:
            ends, self.ends = self.ends, []
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        return len(ends) // 2

    def hold(self):
        self.passes.clear()

    def release(self):
        self.passes.set()

    def close(self):
        self.server.close()
        self.release()
        self.cut()
