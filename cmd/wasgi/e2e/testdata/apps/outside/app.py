"""Everything that an application reaches outside, a page for each. Where it is,
the environment says."""

import asyncio
import errno
import os
import socket
import ssl

from flask import Flask, jsonify, request

app = Flask(__name__)
kept = {}


def place(name):
    host, _, port = os.environ[name].rpartition(":")
    return host, int(port)


@app.get("/")
def index():
    return "ready\n"


@app.get("/connect")
def connect():
    host, port = request.args["host"], int(request.args["port"])
    try:
        with socket.create_connection((host, port), timeout=5) as s:
            s.sendall(b"hello")
            return jsonify(answer=s.recv(100).decode())
    except OSError as e:
        return jsonify(error=type(e).__name__, text=str(e))


@app.get("/socket")
def everything():
    """What POSIX has, against an echo server."""
    here, out = place("ECHO"), {}
    s = socket.create_connection(here, timeout=5)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    out["options"] = [
        s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
        s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
        s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
    ]
    out["names"] = [s.getpeername() == here, s.getsockname()[0], s.getsockname()[1] > 0]
    out["names"].append(socket.inet_ntoa(socket.inet_aton(here[0])) == here[0])
    s.sendall(b"one\ntwo\n")
    lines = s.makefile("r")
    out["lines"] = [lines.readline(), lines.readline()]
    s.sendall(b"peek")
    out["peek"] = [s.recv(4, socket.MSG_PEEK).decode(), s.recv(4).decode()]
    s.settimeout(0.05)
    try:
        s.recv(1)
    except TimeoutError as e:
        out["timeout"] = str(e)
    s.settimeout(0)
    try:
        s.recv(1)
    except BlockingIOError:
        out["blocking"] = "BlockingIOError"
    s.settimeout(5)
    big = os.urandom(1 << 20)
    s.setblocking(False)
    out["megabyte"] = asyncio.run(mirror(s, big)) == big
    s.setblocking(True)
    s.shutdown(socket.SHUT_WR)
    out["end"] = s.recv(10).decode()
    s.close()
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.settimeout(5)
    u.sendto(b"datagram", here)
    data, sender = u.recvfrom(100)
    out["udp"] = [data.decode(), sender == here]
    u.connect(here)
    u.send(b"again")
    out["udp"].append(u.recv(100).decode())
    try:
        socket.create_connection((here[0], place("NOBODY")[1]), timeout=5)
    except ConnectionRefusedError as e:
        out["refused"] = type(e).__name__
    return jsonify(out)


@app.get("/messages")
def messages():
    """Several buffers at once, against an echo server."""
    here, out = place("ECHO"), {}
    s = socket.create_connection(here, timeout=5)
    out["sent"] = s.sendmsg([b"one ", b"", bytearray(b"two "), memoryview(b"three")])
    parts = [bytearray(4), bytearray(0), bytearray(9)]
    s.recvmsg_into(parts, 0, socket.MSG_PEEK)
    out["peeked"] = parts[0].decode()
    out["scattered"] = [s.recvmsg_into(parts, 64, socket.MSG_WAITALL), [p.decode() for p in parts]]
    s.sendmsg([b"more"])
    data, *rest = s.recvmsg(100, socket.CMSG_SPACE(4))
    out["whole"] = [data.decode(), *rest]
    try:
        s.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, s.fileno().to_bytes(4, "little"))])
    except OSError as e:
        out["descriptors"] = str(e)
    out["limit"] = refused(s.sendmsg, [b""] * 1025)
    s.shutdown(socket.SHUT_WR)
    out["end"] = s.recvmsg_into([bytearray(1), bytearray(1)])
    s.close()
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.settimeout(5)
    u.sendmsg([b"data", b"gram"], [], 0, here)
    data, ancillary, flags, sender = u.recvmsg(8)
    out["udp"] = [data.decode(), ancillary, flags, sender == here]
    u.sendmsg([b"data", b"gram"], [], 0, here)
    parts = [bytearray(3), bytearray(4)]
    size, ancillary, flags, sender = u.recvmsg_into(parts)
    out["cut"] = [size, flags == socket.MSG_TRUNC, [p.decode() for p in parts], sender == here]
    out["large"] = refused(u.sendmsg, [bytes(40000)] * 2, [], 0, here)
    out["lines"] = asyncio.run(write_lines(*here))
    return jsonify(out)


def refused(call, *args):
    try:
        call(*args)
    except OSError as e:
        return errno.errorcode[e.errno]


async def write_lines(host, port):
    """More chunks than one message may have."""
    reader, writer = await asyncio.open_connection(host, port)
    chunks = [os.urandom(500) for _ in range(3000)]
    writer.writelines(chunks)
    back = await reader.readexactly(1_500_000)
    writer.close()
    return [writer.transport._write_ready.__name__, back == b"".join(chunks)]


async def mirror(s, data):
    loop = asyncio.get_running_loop()
    sending = asyncio.create_task(loop.sock_sendall(s, data))
    back = bytearray()
    while len(back) < len(data):
        back += await loop.sock_recv(s, 65536)
    await sending
    return bytes(back)


@app.get("/keep")
def keep():
    """A connection that outlives its request, where interpreters are reused."""
    if "s" not in kept:
        kept["s"] = socket.create_connection(place("ECHO"), timeout=5)
        kept["count"] = 0
    kept["count"] += 1
    kept["s"].sendall(b"%d" % kept["count"])
    return kept["s"].recv(10).decode()


@app.get("/hang")
def hang():
    """Waits for an answer that never comes."""
    s = socket.create_connection(place("SILENT"))
    return s.recv(1).decode()


async def echo(text):
    reader, writer = await asyncio.open_connection(*place("ECHO"))
    writer.write(text.encode() + b"\n")
    await writer.drain()
    line = await reader.readline()
    await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    return line.decode().strip()


@app.get("/async")
async def gathered():
    """Flask's asynchronous view: asgiref runs it in the calling thread."""
    texts = await asyncio.gather(*(echo(f"n{i}") for i in range(10)))
    thread = await asyncio.to_thread(lambda: "in this thread")
    return jsonify(texts=texts, thread=thread)


@app.get("/postgres")
def postgres():
    import pg8000.dbapi

    host, port = place("POSTGRES")
    c = pg8000.dbapi.connect(user="wasgi", password="secret", host=host, port=port, database="postgres", timeout=10)
    try:
        cursor = c.cursor()
        cursor.execute("create table if not exists notes (id serial primary key, text varchar not null)")
        cursor.execute("insert into notes (text) values (%s) returning text", ("Zürich ✓",))
        text = cursor.fetchone()[0]
        cursor.execute("select count(*) from notes")
        count = cursor.fetchone()[0]
        c.rollback()
        return jsonify(text=text, count=count)
    finally:
        c.close()


@app.get("/postgres/sleep")
def postgres_sleep():
    import pg8000.dbapi

    host, port = place("POSTGRES")
    c = pg8000.dbapi.connect(user="wasgi", password="secret", host=host, port=port, database="postgres")
    c.cursor().execute("select pg_sleep(600)")
    return "awake\n"


@app.get("/postgres/sleeping")
def postgres_sleeping():
    """How many still sleep; a server looks now and then whether its client is there."""
    import time

    import pg8000.native

    host, port = place("POSTGRES")
    c = pg8000.native.Connection("wasgi", password="secret", host=host, port=port, database="postgres")
    for _ in range(50):
        n = c.run("select count(*) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()")[0][0]
        if n == 0:
            break
        time.sleep(0.1)
    c.close()
    return f"{n} still sleep\n"


@app.get("/postgres/count")
def postgres_count():
    """One query on the connection that this interpreter keeps."""
    import pg8000.native

    if "pg" not in kept:
        host, port = place("POSTGRES")
        kept["pg"] = pg8000.native.Connection("wasgi", password="secret", host=host, port=port, database="postgres")
    return str(kept["pg"].run("select 6 * 7")[0][0])


@app.get("/sqlalchemy")
def sqlalchemy():
    from sqlalchemy import Integer, String, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class Page(Base):
        __tablename__ = "pages"
        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        title: Mapped[str] = mapped_column(String(50))

    host, port = place("POSTGRES")
    engine = create_engine(f"postgresql+pg8000://wasgi:secret@{host}:{port}/postgres")
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Page(title="one"), Page(title="two")])
        session.commit()
        titles = session.scalars(select(Page.title).order_by(Page.id)).all()
    engine.dispose()
    return jsonify(titles=titles)


@app.get("/mariadb")
def mariadb():
    import pymysql

    host, port = place("MARIADB")
    c = pymysql.connect(host=host, port=port, user="wasgi", password="secret", database="test", charset="utf8mb4")
    with c, c.cursor() as cursor:
        cursor.execute("create temporary table notes (id int primary key auto_increment, text varchar(50))")
        cursor.executemany("insert into notes (text) values (%s)", [("eins",), ("zwei ✓",)])
        cursor.execute("select text from notes order by id")
        return jsonify(texts=[row[0] for row in cursor.fetchall()])


@app.get("/mariadb/sleep")
def mariadb_sleep():
    import pymysql

    host, port = place("MARIADB")
    c = pymysql.connect(host=host, port=port, user="wasgi", password="secret", database="test")
    c.cursor().execute("select sleep(600)")
    return "awake\n"


@app.get("/redis")
def redis_():
    import redis

    host, port = place("REDIS")
    r = redis.Redis(host=host, port=port, socket_timeout=5)
    r.delete("list")
    with r.pipeline() as p:
        p.set("key", "value ✓", ex=60).rpush("list", 1, 2, 3).incr("hits")
        p.execute()
    return jsonify(value=r.get("key").decode(), list=[int(n) for n in r.lrange("list", 0, -1)], ttl=0 < r.ttl("key") <= 60)


@app.get("/redis/wait")
def redis_wait():
    """For what nobody writes."""
    import redis

    host, port = place("REDIS")
    r = redis.Redis(host=host, port=port)
    if request.args["command"] == "blpop":
        r.blpop("nothing", timeout=600)
    else:
        r.xread({"nothing": "$"}, block=600_000)
    return "something\n"


@app.get("/mail")
def mail():
    import smtplib
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "Grüße"
    message.set_content("Hello from the sandbox.\n")
    host, port = place("SMTP")
    with smtplib.SMTP(host, port, timeout=5) as s:
        return jsonify(refused=s.send_message(message))


def fetchers(context, authority):
    def urllib_(url):
        from urllib.request import urlopen

        with urlopen(url, timeout=10, context=context if url.startswith("https") else None) as r:
            return r.status, r.read().decode()

    def requests_(url):
        import requests

        r = requests.get(url, timeout=10, verify=authority)
        return r.status_code, r.text

    def urllib3_(url):
        import urllib3

        r = urllib3.PoolManager(ca_certs=authority).request("GET", url, timeout=10, retries=urllib3.Retry(None, connect=0, read=0, other=0, redirect=3))
        return r.status, r.data.decode()

    def httpx_(url):
        import httpx

        r = httpx.get(url, timeout=10, verify=context, follow_redirects=True)
        return r.status_code, r.text

    def httpx_async(url):
        import httpx

        async def get():
            async with httpx.AsyncClient(verify=context, timeout=10, follow_redirects=True) as client:
                return await client.get(url)

        r = asyncio.run(get())
        return r.status_code, r.text

    return {f.__name__: f for f in (urllib_, requests_, urllib3_, httpx_, httpx_async)}


@app.get("/fetch")
def fetch():
    """HTTP and HTTPS with each client."""
    authority = "/app/authority.pem"
    context = ssl.create_default_context(cafile=authority)
    out = {}
    for name, get in fetchers(context, authority).items():
        out[name] = [get(f"http://{os.environ['HTTP']}/page"), get(f"https://{os.environ['HTTPS']}/page")]
    return jsonify(out)


def root_of(error):
    """What a client's own exception stands for, as it keeps that."""
    seen = []
    while not isinstance(error, (PermissionError, ssl.SSLCertVerificationError)):
        seen.append(error)
        nearer = [error.__cause__, getattr(error, "reason", None), *error.args, error.__context__]
        nearer = [e for e in nearer if isinstance(e, BaseException) and e not in seen]
        if not nearer:
            break
        error = nearer[0]
    return error


@app.get("/refused")
def refused_clients():
    """What each client says of an address that it must not reach."""
    authority, out = "/app/authority.pem", {}
    for name, get in fetchers(ssl.create_default_context(cafile=authority), authority).items():
        try:
            out[name] = get(request.args["url"])
        except Exception as e:
            root = root_of(e)
            out[name] = [type(e).__name__, type(root).__name__, getattr(root, "verify_message", str(root))]
    return jsonify(out)


@app.get("/moved")
def moved():
    """A redirect to where nobody may go."""
    from urllib.error import URLError
    from urllib.request import urlopen

    try:
        urlopen(f"http://{os.environ['HTTP']}/moved", timeout=10)
    except URLError as e:
        return jsonify(error=type(e.reason).__name__, metadata="(rule metadata)" in str(e.reason))


@app.get("/tls")
def tls():
    host, port = place("HTTPS")
    out = {}
    with socket.create_connection((host, port), timeout=10) as raw:
        with ssl.create_default_context(cafile="/app/authority.pem").wrap_socket(raw, server_hostname="localhost") as s:
            out["version"], out["subject"] = s.version(), dict(x[0] for x in s.getpeercert()["subject"])
    for name, context, hostname in (
        ("stranger", ssl.create_default_context(), "localhost"),
        ("name", ssl.create_default_context(cafile="/app/authority.pem"), "other.example"),
    ):
        try:
            with socket.create_connection((host, port), timeout=10) as raw:
                context.wrap_socket(raw, server_hostname=hostname)
        except ssl.SSLCertVerificationError as e:
            out[name] = e.verify_message
    out["authorities"] = len(ssl.create_default_context().get_ca_certs()) > 50
    return jsonify(out)


@app.get("/threads")
def threads():
    import threading
    from concurrent.futures import ThreadPoolExecutor

    out = {}
    try:
        threading.Thread(target=print).start()
    except RuntimeError as e:
        out["start"] = str(e)
    with ThreadPoolExecutor() as pool:
        out["pool"] = list(pool.map(lambda n: n * n, range(5)))
    with threading.Lock(), threading.RLock(), threading.Condition():
        out["locks"] = True
    from asgiref.sync import async_to_sync, sync_to_async

    async def both():
        return await sync_to_async(lambda: threading.current_thread() is threading.main_thread())()

    out["asgiref"] = async_to_sync(both)()
    return jsonify(out)
