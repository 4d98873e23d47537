"""What applications compute besides: numbers, collections, text, bytes, dates, logs."""

import abc
import collections
import copy
import csv
import dataclasses
import datetime
import enum
import io
import itertools
import json
import logging
import math
import operator
import re
import string
import struct
import threading
import types
import uuid
import weakref
import zlib

log = logging.getLogger("work")
log.addHandler(logging.StreamHandler(io.StringIO()))
log.setLevel(logging.INFO)
log.propagate = False
logging.time = types.SimpleNamespace(time_ns=lambda: 1_770_000_000_123_456_789)  # each build counts the same


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Shape(abc.ABC):
    __slots__ = ("side", "__weakref__")

    def __init__(self, side):
        self.side = side

    @abc.abstractmethod
    def area(self): ...


class Square(Shape):
    __slots__ = ()

    def area(self):
        return self.side * self.side


class Circle(Shape):
    __slots__ = ()

    def area(self):
        return math.pi * self.side ** 2


@dataclasses.dataclass(order=True)
class Point:
    x: float
    y: float = 0.0
    names: list = dataclasses.field(default_factory=list, compare=False)

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)


def numbers():
    primes = [n for n in range(2, 60) if all(n % d for d in range(2, math.isqrt(n) + 1))]
    total, i = 0, 0
    while i < 100:
        total += i * i if i & 1 else -i
        i += 1
    a, b = 0, 1
    for _ in range(90):
        a, b = b, a + b
    return sum(primes) + total + a % 1000 + round(math.sin(1.5) * 1e3) + divmod(-7, 3)[1] + int("ff", 16) + (1 << 70) % 97


def objects():
    shapes = [Square(n) if n % 2 else Circle(n / 2) for n in range(12)]
    points = sorted(Point(n * 7 % 11, n) for n in range(12))
    refs = weakref.WeakSet(shapes)
    total = points[0] + max(points, key=operator.attrgetter("y"))
    copies = copy.deepcopy({"points": points[:3], "colour": Colour.RED, "nested": [{"a": (1, 2)}]})
    space = types.SimpleNamespace(**{"n": len(refs), "same": copies["points"] == points[:3]})
    return f"{sum(s.area() for s in shapes if isinstance(s, Shape)):.3f} {total!r} {space.n} {Colour(2).name}"


def containers(words):
    counts = collections.Counter(words)
    groups = collections.defaultdict(set)
    for word in words:
        groups[len(word)].add(word)
    queue = collections.deque(words, maxlen=5)
    queue.rotate(2)
    chain = collections.ChainMap({"a": 1}, dict(enumerate(words)))
    pairs = [(k, v) for k, v in zip(words, itertools.cycle((1, 2)))]
    pairs.sort(key=operator.itemgetter(1, 0), reverse=True)
    nested = {k: {"n": v, "even": not v % 2} for k, v in counts.items()}
    nested.update(extra=[*queue][:2], size=len(groups))
    for key in list(nested):
        if key.startswith("t"):
            del nested[key]
    first, *rest = list(itertools.islice(itertools.accumulate(range(10)), 6))
    return len(nested) + len(chain) + first + sum(rest) + sum(n for _, n in itertools.chain(pairs, [("x", 1)]))


def text(words):
    line = " ".join(words).capitalize()
    line = line.replace("the", "a").strip().center(80, "*").title()
    found = re.sub(r"(\w+)\s+(\w+)", lambda m: m[2] + " " + m[1], line)
    marks = re.findall(r"[A-Z]\w*", found) + re.split(r"[,;\s]+", "a, b;c d")
    filled = string.Template("$a and ${b}").substitute(a=len(marks), b="x")
    rows = list(csv.DictReader(io.StringIO("a,b\n1,\"x,y\"\n2,é\n")))
    odd = "naïve café ☃".encode("utf-8").decode("utf-8").casefold()
    return "%s %-10s %05d %x {}".format(filled) % (odd, rows[1]["b"], len(line), 255) + "|".join(sorted(set(marks))) + line[::-1][2:20:3]


def octets(data):
    packed = struct.pack(">IHd", 7, 3, 2.5)
    buffer = bytearray(data)
    buffer[2:4] = b"xy"
    view = memoryview(buffer)[1:9]
    squeezed = zlib.compress(bytes(buffer) * 4, 6)
    stream = io.BytesIO(squeezed)
    parts = iter(lambda: stream.read(16), b"")
    back = zlib.decompress(b"".join(parts))
    return len(back) + view[1] + sum(struct.unpack(">IHd", packed)[:2]) + int.from_bytes(packed[:4], "big") + len(data.hex()) + data.count(b"e")


def dates():
    now = datetime.datetime(2026, 3, 29, 12, 30, tzinfo=datetime.timezone.utc)
    later = now + datetime.timedelta(days=40, hours=5)
    parsed = datetime.datetime.strptime(later.strftime("%Y-%m-%d %H:%M"), "%Y-%m-%d %H:%M")
    return f"{later.isoformat()} {(parsed.date() - now.date()).days} {later:%a, %d %b %Y}"


class Lazy:
    _lock = threading.RLock()

    def __init__(self, make):
        object.__setattr__(self, "_make", make)

    def __getattr__(self, name):
        with Lazy._lock:
            return getattr(self._make(), name)


def failures():
    caught = []
    for action in (lambda: 1 / 0, lambda: {}["x"], lambda: int("x"), lambda: None.nothing, lambda: [][3]):
        try:
            try:
                action()
            except ArithmeticError as error:
                raise RuntimeError("wrapped") from error
            finally:
                caught.append(None)
        except (RuntimeError, LookupError, ValueError, AttributeError) as error:
            caught.append(type(error).__name__)
    return ",".join(filter(None, caught))


def generated(depth):
    if depth:
        yield depth
        sent = yield from generated(depth - 1)
        return sent
    return "end"


def everything(request):
    words = "the quick brown fox jumps over the lazy dog and the cat ".split() + request.languages
    tree = {"n": numbers(), "o": objects(), "c": containers(words), "t": text(words), "b": octets(b"some bytes of a body" * 9)}
    tree.update(d=dates(), f=failures(), g=list(generated(6)), l=Lazy(lambda: request).path, h=[n for n, _ in request.headers])
    tree["u"] = str(uuid.uuid5(uuid.NAMESPACE_URL, request.url))
    log.info("%s %s %d", request.method, request.path, len(tree))
    log.debug("not said %s", tree)
    return str(zlib.crc32(json.dumps(json.loads(json.dumps(tree)), indent=1).encode()))
