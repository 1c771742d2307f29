"""2 GiB in memory through a queue manager, without direct channels: the embedded one, and RabbitMQ. Beside it, through the
same queue manager, a stock sender and receiver that send one message of 256 KiB again and again and touch no file; and on
the embedded one a stock pair that moves the same file: reads it at one end and writes it at the other, and once more with
check values and a checksum at both ends (qmgr_bench).

BATON_BENCH_RUNS: runs whose median is shown (5). BATON_BENCH_SCALE: a part of the amount, for trying this out (1.0).
"""
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
import brokers
import warm_memory
from processes import BIN
from topology import Topology

RUNS = int(os.environ.get("BATON_BENCH_RUNS", "5"))
LARGE_BYTES = int(2 * 1024**3 * float(os.environ.get("BATON_BENCH_SCALE", "1")))


def stock(*words):
    """MB/s that qmgr_bench prints."""
    shown = subprocess.run([os.path.join(BIN, "qmgr_bench"), *words], stdout=subprocess.PIPE, text=True, check=True).stdout
    return float(re.search(r"mb_per_s=([\d.]+)", shown).group(1))


@contextlib.contextmanager
def rabbitmq():
    name = "bench-%d" % os.getpid()
    # It reads nothing from a client that floods it, as the stock sender does, and takes that for silence after 4 heartbeats:
    # of the 1 second that the script sets for tests it would drop the client.
    env = dict(os.environ, BATON_RABBITMQ_CONF="heartbeat = 60")
    subprocess.run([brokers.SCRIPT, "rabbitmq", "start", name], check=True, stdout=subprocess.DEVNULL, env=env)
    try:
        yield brokers.RabbitMq(name)
    finally:
        subprocess.run([brokers.SCRIPT, "rabbitmq", "stop", name], check=True, stdout=subprocess.DEVNULL)


def stock_pair(broker):
    if broker is None:
        return stock("large")
    broker.http("/api/queues/%2F/LARGE", "PUT", {"durable": True})
    try:
        return stock("large", "amqp://%s:%s" % (broker.about["host"], broker.about["port"]), broker.address("LARGE"))
    finally:
        broker.remove("LARGE")


def through(title, broker):
    topology = Topology(properties={"agentStatusPublishRateLimit": "30", "agentDataDirect": "false"}, broker=broker)
    rates = {"Baton": [], "stock pair, no file": []}
    with_file = {"checked": "stock pair, the file, checked", "raw": "stock pair, the file"} if broker is None else {}
    rates.update((name, []) for name in with_file.values())
    try:
        topology.start()
        warm_memory.keep(topology.path("warm"), 3 * LARGE_BYTES)
        large = topology.path("large")
        os.makedirs(large)
        with open(os.path.join(large, "large.bin"), "wb") as out:
            for _ in range(LARGE_BYTES >> 20):
                out.write(os.urandom(1 << 20))
        for _ in range(RUNS):
            began = time.monotonic()
            topology.must("fteCreateTransfer", "-sa", "SRC", "-da", "DST", "-w", "-r", "-dd", topology.path("arrived"), large, timeout_s=3600)
            rates["Baton"].append(LARGE_BYTES / 1e6 / (time.monotonic() - began))
            shutil.rmtree(topology.path("arrived"))
            rates["stock pair, no file"].append(stock_pair(broker))
            for how, name in with_file.items():
                rates[name].append(stock("file", os.path.join(large, "large.bin"), topology.path("copy"), how))
                os.unlink(topology.path("copy"))
    finally:
        topology.close()
    print("\n== transfer: 1 file of %.2f GiB through %s, in memory, median of %d" % (LARGE_BYTES / 1024**3, title, RUNS))
    ours = statistics.median(rates["Baton"])
    for name, each in rates.items():
        goal = "goal 0.8" if name == "stock pair, no file" else ""
        print("%-32s %9.0f MB/s   Baton's rate / its %5.2f  %s   runs %s"
              % (name, statistics.median(each), ours / statistics.median(each), goal, " ".join("%.0f" % one for one in each)))


def through_each():
    tempfile.tempdir = "/dev/shm"
    through("the embedded queue manager", None)
    with rabbitmq() as broker:
        through("RabbitMQ", broker)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    through_each()
