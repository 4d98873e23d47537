"""What clients of HTTP do besides fetching a page, a page for each client."""

import hashlib
import os
import ssl

import httpx
import requests
import urllib3
from flask import Flask, jsonify, request

app = Flask(__name__)
AUTHORITY = "/app/authority.pem"
STRANGER = os.environ["STRANGER"]
FILES = {"file": ("grüße.bin", b"\0\xff" * 50_000, "application/x-test")}


def digest(chunks):
    """Of a large body, and whether it came in more than one piece."""
    sum, count = hashlib.sha256(), 0
    for chunk in chunks:
        sum.update(chunk)
        count += 1
    return [sum.hexdigest(), count > 1]


def error_of(call, *args, **kwargs):
    try:
        return call(*args, **kwargs).status_code
    except Exception as e:
        return type(e).__name__


@app.get("/requests")
def requests_():
    base = request.args["base"]
    with requests.Session() as s:
        s.verify = AUTHORITY
        moved, packed = s.get(base + "/moved"), s.get(base + "/files/text.txt")
        out = {
            "moved": [moved.status_code, moved.text, [r.status_code for r in moved.history]],
            "loop": error_of(s.get, base + "/loop"),
            "connections": [s.get(base + "/connection").text for _ in range(3)],
            "timeout": error_of(s.get, base + "/slow", timeout=0.2),
            "stranger": error_of(requests.get, STRANGER, verify=AUTHORITY),
            "nobody": error_of(requests.get, STRANGER),
            "gzip": [packed.headers["Content-Encoding"], packed.text == "text\n" * 1000],
            "upload": s.post(base + "/upload", data={"field": "wert"}, files=FILES).json(),
        }
        with s.get(base + "/files/large.bin", stream=True) as r:
            out["large"] = digest(r.iter_content(65536))
    return jsonify(out)


@app.get("/httpx")
def httpx_():
    base, context = request.args["base"], ssl.create_default_context(cafile=AUTHORITY)
    with httpx.Client(verify=context, follow_redirects=True) as c:
        moved, packed = c.get(base + "/moved"), c.get(base + "/files/text.txt")
        out = {
            "moved": [moved.status_code, moved.text, [r.status_code for r in moved.history]],
            "loop": error_of(c.get, base + "/loop"),
            "connections": [c.get(base + "/connection").text for _ in range(3)],
            "timeout": error_of(c.get, base + "/slow", timeout=0.2),
            "stranger": error_of(c.get, STRANGER),
            "nobody": error_of(httpx.get, STRANGER),
            "gzip": [packed.headers["Content-Encoding"], packed.text == "text\n" * 1000],
            "upload": c.post(base + "/upload", data={"field": "wert"}, files=FILES).json(),
        }
        with c.stream("GET", base + "/files/large.bin") as r:
            out["large"] = digest(r.iter_bytes(65536))
    return jsonify(out)


@app.get("/urllib3")
def urllib3_():
    base = request.args["base"]
    with urllib3.PoolManager(ca_certs=AUTHORITY) as p:
        moved = p.request("GET", base + "/moved")
        packed = p.request("GET", base + "/files/text.txt", headers={"Accept-Encoding": "gzip"})
        once = urllib3.Retry(0, redirect=2)
        out = {
            "moved": [moved.status, moved.data.decode(), [h.status for h in moved.retries.history]],
            "loop": error_of(p.request, "GET", base + "/loop", retries=once),
            "connections": [p.request("GET", base + "/connection").data.decode() for _ in range(3)],
            "timeout": error_of(p.request, "GET", base + "/slow", timeout=0.2, retries=False),
            "stranger": error_of(p.request, "GET", STRANGER, retries=False),
            "nobody": error_of(urllib3.request, "GET", STRANGER, retries=False),
            "gzip": [packed.headers["Content-Encoding"], packed.data.decode() == "text\n" * 1000],
            "upload": p.request("POST", base + "/upload", fields={"field": "wert", **FILES}).json(),
        }
        r = p.request("GET", base + "/files/large.bin", preload_content=False)
        out["large"] = digest(r.stream(65536))
        r.release_conn()
    return jsonify(out)
