"""What applications do at once: asyncio and thread pools, a page for each."""

import asyncio
import os
import socket
import threading
import time
from concurrent import futures

from asgiref.sync import async_to_sync, sync_to_async
from flask import Flask, g, jsonify, request

app = Flask(__name__)
host, _, port = os.environ["ECHO"].rpartition(":")


async def echo(text, pause=0.0):
    reader, writer = await asyncio.open_connection(host, int(port))
    await asyncio.sleep(pause)
    writer.write(text.encode() + b"\n")
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line.decode().strip()


def blocking(text):
    with socket.create_connection((host, int(port)), timeout=5) as s:
        s.sendall(text.encode())
        return s.recv(100).decode()


@app.before_request
async def before():
    await asyncio.sleep(0)
    g.before = "before"


@app.after_request
async def after(response):
    await asyncio.sleep(0)
    response.headers["X-After"] = "after"
    return response


@app.errorhandler(LookupError)
async def lookup(e):
    await asyncio.sleep(0)
    return f"{type(e).__name__}: {e}\n", 404


@app.post("/view")
async def view():
    """An asynchronous view sees its request, and what hooks have left."""
    return jsonify(before=g.before, form=request.form["a"], echo=await echo("view"), sync=await sync_to_async(blocking)("sync"))


@app.get("/lookup")
async def fails():
    await asyncio.sleep(0)
    raise LookupError("nowhere")


@app.get("/gather")
def gather():
    """Sockets and sleep, waited for together, in the order that they end."""
    order = []

    async def one(name, pause):
        order.append([name, await echo(name, pause)])
        return name

    async def all_of_them():
        out = {"results": await asyncio.gather(one("slow", 0.2), one("quick", 0.1), one("first", 0))}
        out["errors"] = [type(e).__name__ for e in await asyncio.gather(one("fine", 0), late(), return_exceptions=True)][1:]
        out["waited"] = []
        for task in asyncio.as_completed([asyncio.sleep(0.1, "b"), asyncio.sleep(0, "a")]):
            out["waited"].append(await task)
        try:
            await asyncio.wait_for(asyncio.sleep(60), 0.01)
        except TimeoutError:
            out["timeout"] = True
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(echo(f"t{i}")) for i in range(3)]
        out["group"] = [t.result() for t in tasks]
        out["thread"] = await asyncio.to_thread(blocking, "thread")
        out["executor"] = await asyncio.get_running_loop().run_in_executor(None, blocking, "executor")
        queue = asyncio.Queue(1)
        out["queue"] = (await asyncio.gather(fill(queue), drain(queue)))[1]
        return out

    return jsonify(dict(asyncio.run(all_of_them()), order=order[:3]))


async def late():
    async with asyncio.timeout(0.01):
        await asyncio.sleep(60)


async def fill(queue):
    for i in range(3):
        await queue.put(i)
    await queue.put(None)


async def drain(queue):
    out = []
    while (item := await queue.get()) is not None:
        out.append(item)
    return out


@app.get("/both")
def both():
    """asgiref both ways, one within the other."""

    async def outer():
        return await sync_to_async(lambda: async_to_sync(echo)("inner"))()

    return async_to_sync(outer)() + "\n"


@app.get("/pool")
def pool():
    """concurrent.futures, as its manual has it."""
    out, began = {}, []
    with futures.ThreadPoolExecutor(max_workers=4, initializer=began.append, initargs=("began",)) as executor:
        out["map"] = list(executor.map(blocking, ["a", "b", "c"], timeout=5))
        wanted = {executor.submit(pow, n, 2): n for n in range(4)}
        out["completed"] = sorted([wanted[f], f.result()] for f in futures.as_completed(wanted, timeout=5))
        failed = executor.submit(int, "x")
        out["exception"] = [failed.done(), failed.running(), failed.cancel(), str(failed.exception(timeout=1))]
        try:
            list(executor.map(int, ["1", "x"]))
        except ValueError as e:
            out["map failed"] = str(e)
        done, left = futures.wait([executor.submit(time.sleep, 0), failed], timeout=1)
        out["wait"] = [len(done), len(left)]
        done, left = futures.wait([failed], timeout=0, return_when=futures.FIRST_EXCEPTION)
        out["first"] = [len(done), len(left)]
        unfinished = futures.Future()
        done, left = futures.wait([failed, unfinished], timeout=0.01)
        out["timeout"] = [len(done), len(left)]
        try:
            unfinished.result(timeout=0.01)
        except TimeoutError:
            out["result"] = "TimeoutError"
        try:
            list(futures.as_completed([unfinished], timeout=0.01))
        except TimeoutError as e:
            out["as_completed"] = str(e)
        called = []
        executor.submit(str, 7).add_done_callback(lambda f: called.append(f.result()))
        out["callback"] = called
        out["nested"] = executor.submit(lambda: executor.submit(str, 8).result()).result()
    try:
        executor.submit(print)
    except RuntimeError as e:
        out["shutdown"] = str(e)
    out["initializer"] = began
    return jsonify(out)


@app.get("/start")
def start():
    """What cannot start says so when it is started, and is not alive."""
    import _thread

    out = {}
    thread, timer = threading.Thread(target=print, name="worker"), threading.Timer(1, print)
    for name, begin in {"thread": thread.start, "timer": timer.start, "raw": lambda: _thread.start_new_thread(print, ())}.items():
        try:
            begin()
        except RuntimeError as e:
            out[name] = str(e).split(":")[0]
    out["alive"] = [thread.is_alive(), threading.active_count(), threading.enumerate() == [threading.main_thread()]]
    return jsonify(out)
