"""Records as a service might hold them: nested, about 1 KB of JSON each, the same in every run."""

import functools
import json
import os
import random

from programs import FOLDER

SEED = 20250717
WORDS = "amber birch café cobalt dune ember fjord grün harbor île juniper kraków lumen мир naïve quartz 東京 zinc".split()


def record(source: random.Random, number: int) -> dict:
    """One order: identifiers, floats, booleans, nulls, texts of several scripts, lists, nested objects."""
    word = lambda: source.choice(WORDS)
    text = lambda count: " ".join(word() for _ in range(count))
    return {
        "id": number,
        "account": source.randrange(10**12),
        "key": f"{source.getrandbits(64):016x}",
        "name": text(2),
        "active": source.random() < 0.8,
        "score": round(source.uniform(0, 1000), 3),
        "place": {"latitude": source.uniform(-90, 90), "longitude": source.uniform(-180, 180), "city": word()},
        "tags": [word() for _ in range(source.randrange(2, 6))],
        "samples": [source.gauss(0, 1) for _ in range(8)],
        "note": None if source.random() < 0.3 else f'{text(12)}, "{word()}"\n{text(4)}',
        "items": [
            {"sku": f"{word()}-{source.randrange(10**5)}", "count": source.randrange(20), "price": source.random() * 99}
            for _ in range(source.randrange(2, 7))
        ],
        "parent": {"id": source.randrange(10**6), "kind": word(), "links": {"next": number + 1, "self": [number, None]}},
    }


def json_text(value: object) -> str:
    """As compact as JSON gets: what the two sides of a crossing exchange."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@functools.cache
def one() -> str:
    """A record of a kilobyte, as JSON text."""
    source = random.Random(SEED)
    texts = [json_text(record(source, number)) for number in range(100)]
    return min(texts, key=lambda text: abs(len(text.encode()) - 1024))


@functools.cache
def file(megabytes: int) -> tuple[str, int]:
    """A file that holds a vector of records as JSON text, and its size in bytes, at least so many million."""
    source, size, texts = random.Random(SEED), 1, []
    while size < megabytes * 1_000_000:
        texts.append(json_text(record(source, len(texts))))
        size += len(texts[-1].encode()) + 1
    path = os.path.join(FOLDER.name, f"records-{megabytes}.json")
    with open(path, "w", encoding="utf-8") as target:
        target.write("[" + ",".join(texts) + "]")
    return path, os.path.getsize(path)
