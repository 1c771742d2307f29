"""A way to a server that a test can cut: every connection that goes through it ends at once, new ones are let through."""
import socket
import threading


class Relay:
    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.ends = []
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

    @staticmethod
    def carry(a, b):
        try:
            while content := a.recv(1 << 16):
                b.sendall(content)
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

    def close(self):
        self.server.close()
        self.cut()
