"""Certificates of an authority of our own, and a relay that ends TLS in front of a server that has none."""
import os
import select
import socket
import ssl
import subprocess
import threading


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory)
        self.certificate, self.key = self.path("ca.pem"), self.path("ca.key")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.certificate, "-subj", "/CN=authority", "-days", "2")

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name="localhost", days=2):
        """For this host name; with days below 0 it has expired. A context for a server."""
        stem = self.path("%s_%d" % (name, days))
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", stem + ".key", "-out", stem + ".req", "-subj", "/CN=" + name)
        with open(stem + ".ext", "w") as out:
            out.write("subjectAltName=DNS:%s\n" % name)
        openssl("x509", "-req", "-in", stem + ".req", "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", str(days),
                "-extfile", stem + ".ext", "-out", stem + ".pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(stem + ".pem", stem + ".key")
        return context


class TlsRelay:
    """A way to a server that speaks TLS in front of it. Its certificate, a context of an Authority, may be changed at any time."""

    def __init__(self, port, context):
        self.target = ("127.0.0.1", port)
        self.context = context
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                here, _ = self.server.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self.serve, args=(here,), daemon=True).start()

    def serve(self, plain):
        """One thread for both directions: an SSL object is not for two."""
        try:
            with self.context.wrap_socket(plain, server_side=True) as here, socket.create_connection(self.target) as there:
                while True:
                    ready = [here] if here.pending() else select.select([here, there], [], [])[0]
                    for a in ready:
                        content = a.recv(1 << 16)
                        if not content:
                            return
                        (there if a is here else here).sendall(content)
        except OSError:
            pass  # who does not like the certificate goes; the test says what it expected

    def close(self):
        self.server.close()
