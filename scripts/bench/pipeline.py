"""The batch that a Python programmer writes by hand: NDJSON to a node over pipes, all calls under way at once.

Usage: pipeline.py NODE CALLS; prints milliseconds for a batch, the median of five.
A thread writes while replies are read.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time

node, calls = sys.argv[1], int(sys.argv[2])
script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pipeline.js")
child = subprocess.Popen([node, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
dumps, loads = json.dumps, json.loads


def send(values):
    write = child.stdin.write
    for number, value in enumerate(values):
        write(dumps({"id": number, "args": [value]}).encode() + b"\n")
    child.stdin.flush()


def batch(values):
    writer = threading.Thread(target=send, args=[values])
    writer.start()
    results = [None] * len(values)
    for _ in values:
        reply = loads(child.stdout.readline())
        results[reply["id"]] = reply["value"]
    writer.join()
    return results


def timed():
    start = time.perf_counter()
    results = batch(list(range(calls)))
    elapsed = time.perf_counter() - start
    assert results[-1] == calls
    return elapsed * 1000


timed()
print(statistics.median(timed() for _ in range(5)))
child.stdin.close()
child.wait()
