"""Records from Python to node with nothing between: json.dumps, a pipe, JSON.parse.

Usage: pipe.py NODE FILE COUNT; prints milliseconds for a crossing, the median of COUNT after one that is not counted.
"""

import json
import os
import statistics
import subprocess
import sys
import time

node, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(path, encoding="utf-8") as file:
    records = json.load(file)
script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pipe.js")
child = subprocess.Popen([node, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def cross():
    start = time.perf_counter()
    data = json.dumps(records).encode()
    child.stdin.write(b"%016x" % len(data) + data)
    child.stdin.flush()
    arrived = int(child.stdout.readline())
    elapsed = time.perf_counter() - start
    assert arrived == len(records)
    return elapsed * 1000


cross()
print(statistics.median(cross() for _ in range(count)))
child.stdin.close()
child.wait()
