"""Requests a second: transfers of one small file each, sent at a steady pace by one client, from the sending of each to its
result. Baton's two agents, and all properties as they are by default.

BATON_BENCH_RATE: requests a second (200). BATON_BENCH_SECONDS: for so long (20).
"""
import json
import os
import secrets
import sys
import threading
import time

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
from topology import Topology

RATE = int(os.environ.get("BATON_BENCH_RATE", "200"))
SECONDS = int(os.environ.get("BATON_BENCH_SECONDS", "20"))
TICK_S = 0.005
GOAL_MS = 250


class Client(MessagingHandler):
    def __init__(self, t):
        super().__init__()
        self.t, self.sent, self.ended, self.codes = t, {}, {}, []

    def on_start(self, event):
        connection = event.container.connect("127.0.0.1:%d" % self.t.qmgr_port(), reconnect=False)
        self.receiver = event.container.create_receiver(connection, None, dynamic=True)
        self.sender = event.container.create_sender(connection, "SYSTEM.FTE.COMMAND.SRC")

    def on_link_opened(self, event):
        if event.receiver == self.receiver:
            self.began = time.monotonic()
            event.container.schedule(TICK_S, self)

    def on_timer_task(self, event):
        while len(self.sent) < min((time.monotonic() - self.began), SECONDS) * RATE and self.sender.credit > 0:
            self.request(len(self.sent))
        if len(self.ended) < RATE * SECONDS:
            event.container.schedule(TICK_S, self)

    def request(self, number):
        transfer = secrets.token_hex(24)
        body = {"version": 1, "id": transfer, "sourceAgent": "SRC", "destinationAgent": "DST", "wait": True, "originatorHost": "bench", "originatorUser": "bench",
                "specs": [{"source": self.t.path("in/small"), "destination": self.t.path("out/%d/%d" % (number % 100, number)), "destinationType": "file"}]}
        self.sender.send(Message(id=transfer, subject="transfer.request", body=json.dumps(body).encode(), durable=True,
                                 reply_to=self.receiver.remote_source.address, correlation_id=transfer))
        self.sent[transfer] = time.monotonic()

    def on_message(self, event):
        if event.message.subject != "reply":
            return
        transfer = event.message.correlation_id
        self.ended[transfer] = time.monotonic()
        body = event.message.body
        self.codes.append(json.loads(bytes(body) if not isinstance(body, str) else body)["resultCode"])
        if len(self.ended) >= RATE * SECONDS:
            event.connection.close()


def main():
    sys.stdout.reconfigure(line_buffering=True)
    t = Topology(properties={"agentStatusPublishRateLimit": "30"})
    try:
        t.start()
        os.makedirs(t.path("in"))
        with open(t.path("in/small"), "wb") as out:
            out.write(os.urandom(4096))
        client = Client(t)
        runner = threading.Thread(target=Container(client).run, daemon=True)
        runner.start()
        runner.join(SECONDS + 60)
        took = sorted((client.ended[one] - client.sent[one]) * 1e3 for one in client.ended)
        arrived = sum(len(names) for _, _, names in os.walk(t.path("out")))
        print("== requests: %d a second for %d s, each a transfer of one file of 4 KiB" % (RATE, SECONDS))
        print("sent %d, ended %d, of them with result 0 %d, files there %d" % (len(client.sent), len(client.ended), client.codes.count(0), arrived))
        if took:
            last = max(client.ended.values()) - client.began
            print("ended a second %.0f; until the result: median %.0f ms, p99 %.0f ms (goal %d), longest %.0f ms"
                  % (len(took) / last, took[len(took) // 2], took[int(len(took) * 0.99)], GOAL_MS, took[-1]))
    finally:
        t.close()


if __name__ == "__main__":
    main()
