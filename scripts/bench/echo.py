"""The least a Python kernel can do for a call: read a frame, parse header and body, print a reply. Reads block.

The call adds its two arguments; with the argument `value` it gives the first one back.
"""

import json
import os
import sys

call = (lambda value: value) if sys.argv[1:] == ["value"] else (lambda a, b: a + b)
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
    answer = encode({"op": "ret", "re": header["id"], "type": "int", "elapsed": 1.5}).encode()
    value = encode(call(*body[0])).encode()
    os.write(3, b"%08x%08x%s%s" % (len(answer), len(value), answer, value))
