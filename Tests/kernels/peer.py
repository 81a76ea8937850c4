"""Plays meta's side of descriptor 4: takes a kernel's upcalls, answers them, and asks on their behalf."""

import json

from driver import DEADLINE


class Peer:
    """Reads and writes a kernel's descriptor 4. Frames are (header, body as a value, None when empty)."""

    def __init__(self, kernel):
        self.kernel = kernel
        kernel.upward.settimeout(DEADLINE)
        self.stream = kernel.upward.makefile("rb")
        self.count = 1000

    def send(self, header, body=b""):
        text = json.dumps(header).encode()
        self.kernel.upward.sendall(b"%08x%08x%b%b" % (len(text), len(body), text, body))

    def receive(self):
        prefix = self.stream.read(16)
        assert len(prefix) == 16, "the kernel ended: " + self.kernel.errors()
        header = json.loads(self.stream.read(int(prefix[:8], 16)))
        body = self.stream.read(int(prefix[8:], 16))
        return header, json.loads(body) if body else None

    def upcall(self, op=None):
        header, body = self.receive()
        assert op is None or header.get("op") == op, header
        return header, body

    def answer(self, upcall, value=None, refs=None, **fields):
        """Replies to an upcall; the refs in the value are listed by themselves."""
        listed = refs_in(value) if refs is None else refs
        self.send({"op": "ret", "re": upcall["id"], "type": "x", **({"refs": listed} if listed else {}), **fields}, json.dumps(value).encode())

    def refuse(self, upcall, body=b"", **fields):
        self.send({"op": "err", "re": upcall["id"], "code": "runtime/raised", "type": "ValueError", "message": "no", "language": "py", "frames": [], **fields}, body)

    def ask(self, upcall, op, body=b"", **fields):
        """Sends a request on behalf of an upcall; its id."""
        self.count += 1
        if not isinstance(body, bytes):
            fields = {**({"refs": refs_in(body)} if refs_in(body) else {}), **fields}
            body = json.dumps(body).encode()
        self.send({"op": op, "id": self.count, "in": upcall["id"], **fields}, body)
        return self.count

    def nested(self, upcall, op, body=b"", **fields):
        """A request on behalf of an upcall, and its reply."""
        identity = self.ask(upcall, op, body, **fields)
        header, value = self.receive()
        assert header.get("re") == identity, header
        return header, value

    def close(self):
        self.stream.close()


def ref(number, type="object", repr="<object>", callable=False, owner="py", generation=1):
    return {"_type": "Ref", "owner": owner, "generation": generation, "ref": number, "type": type, "repr": repr, "callable": callable}


def refs_in(value):
    """Each distinct ref of a value once, in order: what the header lists."""
    found = []
    if isinstance(value, dict) and value.get("_type") == "Ref":
        found.append([value["owner"], value["generation"], value["ref"]])
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            found += [each for each in refs_in(item) if each not in found]
    return found
