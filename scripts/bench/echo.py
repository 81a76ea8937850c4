"""The least a Python kernel can do for a call: read a frame, parse header and body, print a reply. Reads block."""

import json
import os


def read(count):
    data = b""
    while len(data) < count:
        chunk = os.read(3, count - len(data))
        if not chunk:
            raise SystemExit
        data += chunk
    return data


while True:
    sizes = read(16)
    header = json.loads(read(int(sizes[:8], 16)))
    body = json.loads(read(int(sizes[8:], 16)))
    answer = json.dumps({"op": "ret", "re": header["id"], "type": "int", "elapsed": 1.5}).encode()
    value = json.dumps(body[0][0] + body[0][1]).encode()
    os.write(3, b"%08x%08x%s%s" % (len(answer), len(value), answer, value))
