"""Plays meta's whole side for one kernel: answers its upcalls, keeps the releases it sends, and knows Refs."""

import json
import select
import time

from driver import DEADLINE, Kernel, has_more


def ref(number, owner="js", generation=1, type="Point", repr="Point {}", callable=False):
    """A Ref as it stands in a body."""
    return {"_type": "Ref", "owner": owner, "generation": generation, "ref": number, "type": type, "repr": repr, "callable": callable}


def dump(value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


class Peer(Kernel):
    """One kernel, and all of meta that it notices."""

    def __init__(self, language, launch=(), **init):
        super().__init__(language, launch, **init)
        self.upward.settimeout(DEADLINE)
        self.up = self.upward.makefile("rb")

    @property
    def releases(self):
        """All that the kernel gave back."""
        return [list(release) for release in self.released]

    def send_up(self, header, body=b""):
        text, body = json.dumps(header).encode(), dump(body)
        self.upward.sendall(b"%08x%08x%b%b" % (len(text), len(body), text, body))

    def receive_up(self):
        prefix = self.up.read(16)
        assert len(prefix) == 16, "descriptor 4 ended: " + self.errors()
        header = self.up.read(int(prefix[:8], 16))
        return json.loads(header), self.up.read(int(prefix[8:], 16))

    def serve(self, meta):
        """Answers upcalls by `meta(header, body) -> (fields of the ret or err, body)` until the reply on 3."""
        end = time.monotonic() + DEADLINE
        while True:
            ready = [end for end, stream in ((self.requests, self.stream), (self.upward, self.up)) if has_more(end, stream)]
            if not ready:
                ready, _, _ = select.select([self.requests, self.upward], [], [], max(0, end - time.monotonic()))
            assert ready, "no reply: " + self.errors()
            if self.upward in ready:
                header, body = self.receive_up()
                self.answer(header, meta(header, json.loads(body) if body else None))
            else:
                frame = self.receive_one()
                if frame is not None:
                    return frame[0], json.loads(frame[1]) if frame[1] else None

    def answer(self, header, result):
        fields, body = result
        self.send_up({"op": "ret", "re": header["id"], "type": "any", **fields}, body)

    def evaluate(self, code, meta, names=b"", refs=None, **fields):
        """Evaluates source while `meta` answers; (header, value) of the reply."""
        if refs:
            fields["refs"] = refs
        self.start("eval", dump(names), code=code, name=self.source(), **fields)
        return self.serve(meta)

    def hold(self, code):
        """The number of the object that the source's value is."""
        header, body = self.request("eval", code=code, name=self.source(), hold=True)
        assert header["op"] == "ret", header
        return json.loads(body)["ref"]

    def release(self, *entries):
        self.send({"op": "release", "refs": [list(entry) for entry in entries]})

    def held(self):
        return json.loads(self.request("status")[1])["held"]
