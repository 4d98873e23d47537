"""Files in a bucket, as boto3's manual has it. Where the bucket is, the
environment says."""

import hashlib
import io
import os

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError
from flask import Flask, jsonify, request

app = Flask(__name__)
MEBIBYTE = 1 << 20
# Ten at a time, which is what boto3 does unless it is told otherwise.
PARTS = TransferConfig(multipart_threshold=5 * MEBIBYTE, multipart_chunksize=5 * MEBIBYTE)


def client(endpoint, secret="secret", **config):
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="wasgi",
        aws_secret_access_key=secret,
        region_name="us-east-1",
        verify="/app/authority.pem",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1}, **config),
    )


plain = client(os.environ["HTTP"])
# The server of the tests takes no parts whose checksum follows them, which is how
# boto3 sends them over HTTPS unless it is told otherwise.
secure = client(os.environ["HTTPS"], request_checksum_calculation="when_required")


def chosen():
    return {"http": plain, "https": secure}[request.args["over"]]


def error_of(call, **arguments):
    try:
        return call(**arguments)
    except ClientError as e:
        return [e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]]


@app.post("/objects")
def objects():
    """Put, get, head, list, copy and delete."""
    s3, bucket, out = chosen(), request.args["bucket"], {}
    s3.create_bucket(Bucket=bucket)
    for i in range(5):
        s3.put_object(Bucket=bucket, Key=f"notes/{i}.txt", Body=f"note {i} ✓\n".encode())
    s3.put_object(
        Bucket=bucket,
        Key="Zürich/a b+c.txt",
        Body=io.BytesIO(b"with a name"),
        ContentType="text/x",
        Metadata={"who": "ada"},
        ChecksumAlgorithm="SHA256",
    )
    got = s3.get_object(Bucket=bucket, Key="Zürich/a b+c.txt")
    out["get"] = [got["Body"].read().decode(), got["ContentType"], got["Metadata"], got["ContentLength"]]
    out["range"] = s3.get_object(Bucket=bucket, Key="notes/1.txt", Range="bytes=5-5")["Body"].read().decode()
    out["lines"] = [line.decode() for line in s3.get_object(Bucket=bucket, Key="notes/2.txt")["Body"].iter_lines()]
    out["head"] = s3.head_object(Bucket=bucket, Key="notes/0.txt")["ContentLength"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="notes/", PaginationConfig={"PageSize": 2})
    out["pages"] = [[o["Key"] for o in page["Contents"]] for page in pages]
    out["folders"] = [p["Prefix"] for p in s3.list_objects_v2(Bucket=bucket, Delimiter="/")["CommonPrefixes"]]
    s3.copy_object(Bucket=bucket, Key="copy.txt", CopySource={"Bucket": bucket, "Key": "notes/3.txt"})
    out["copy"] = s3.get_object(Bucket=bucket, Key="copy.txt")["Body"].read().decode()
    s3.delete_object(Bucket=bucket, Key="copy.txt")
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"notes/{i}.txt"} for i in range(4)]})
    out["deleted"] = sorted(o["Key"] for o in gone["Deleted"])
    out["left"] = sorted(o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"])
    return jsonify(out)


@app.post("/errors")
def errors():
    """What boto3 raises."""
    s3, bucket, out = chosen(), request.args["bucket"], {}
    s3.create_bucket(Bucket=bucket)
    out["missing"] = error_of(s3.get_object, Bucket=bucket, Key="nothing")
    out["head"] = error_of(s3.head_object, Bucket=bucket, Key="nothing")
    out["bucket"] = error_of(s3.list_objects_v2, Bucket="there-is-no-such-bucket")
    out["secret"] = error_of(client(s3.meta.endpoint_url, secret="wrong").list_objects_v2, Bucket=bucket)
    try:
        s3.get_object(Bucket=bucket, Key="nothing")
    except s3.exceptions.NoSuchKey as e:
        out["class"] = str(e)
    try:
        client("http://169.254.169.254").list_buckets()
    except Exception as e:
        out["refused"] = [type(e).__name__, "(rule metadata)" in str(e.kwargs["error"])]
    try:
        client(os.environ["STRANGER"]).list_buckets()
    except Exception as e:
        out["stranger"] = [type(e).__name__, "certificate verify failed" in str(e)]
    return jsonify(out)


@app.post("/transfer")
def transfer():
    """Files in parts, which boto3 sends and gets with its pool of threads."""
    s3, bucket, out, sent, parts = chosen(), request.args["bucket"], {}, [], []
    s3.create_bucket(Bucket=bucket)
    content = hashlib.shake_256(b"content").digest(12 * MEBIBYTE + 7)
    s3.meta.events.register("before-call.s3.UploadPart", lambda **call: parts.append(call), unique_id="parts")
    s3.upload_fileobj(io.BytesIO(content), bucket, "stream", Config=PARTS, Callback=sent.append)
    s3.meta.events.unregister("before-call.s3.UploadPart", unique_id="parts")
    out["stream"] = [s3.head_object(Bucket=bucket, Key="stream")["ContentLength"], len(parts), sum(sent)]
    with open("/tmp/up", "wb") as f:
        f.write(content)
    s3.upload_file("/tmp/up", bucket, "file", Config=PARTS, ExtraArgs={"ContentType": "text/x"})
    s3.upload_file("/tmp/up", bucket, "whole")
    out["type"] = s3.head_object(Bucket=bucket, Key="file")["ContentType"]
    s3.download_file(bucket, "file", "/tmp/down", Config=PARTS)
    with open("/tmp/down", "rb") as f:
        out["file"] = f.read() == content
    back = io.BytesIO()
    s3.download_fileobj(bucket, "stream", back, Config=PARTS)
    out["back"] = back.getvalue() == content
    s3.copy({"Bucket": bucket, "Key": "stream"}, bucket, "copied", Config=PARTS)
    out["copied"] = s3.head_object(Bucket=bucket, Key="copied")["ContentLength"]
    out["missing"] = error_of(s3.download_file, Bucket=bucket, Key="nothing", Filename="/tmp/nothing")
    os.remove("/tmp/up"), os.remove("/tmp/down")
    out["temporary"] = os.listdir("/tmp")
    return jsonify(out)


@app.post("/multipart")
def multipart():
    """The same by hand: parts out of order, and an upload that is given up."""
    s3, bucket, out = chosen(), request.args["bucket"], {}
    s3.create_bucket(Bucket=bucket)
    begun = s3.create_multipart_upload(Bucket=bucket, Key="parts")
    at = {"Bucket": bucket, "Key": "parts", "UploadId": begun["UploadId"]}
    parts = {2: b"the end", 1: b"x" * (5 * MEBIBYTE)}
    tags = {n: s3.upload_part(PartNumber=n, Body=body, **at)["ETag"] for n, body in parts.items()}
    out["listed"] = [p["PartNumber"] for p in s3.list_parts(**at)["Parts"]]
    s3.complete_multipart_upload(
        MultipartUpload={"Parts": [{"PartNumber": n, "ETag": tags[n]} for n in sorted(tags)]}, **at
    )
    out["end"] = s3.get_object(Bucket=bucket, Key="parts", Range="bytes=-9")["Body"].read().decode()
    at["UploadId"] = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    s3.abort_multipart_upload(**at)
    out["aborted"] = error_of(s3.upload_part, PartNumber=1, Body=b"late", **at)
    return jsonify(out)


@app.post("/presigned")
def presigned():
    """Addresses with which others get and put without knowing the secret."""
    s3, bucket = chosen(), request.args["bucket"]
    s3.create_bucket(Bucket=bucket)
    at = {"Bucket": bucket, "Key": "shared file.txt"}
    return jsonify(
        put=s3.generate_presigned_url("put_object", Params=at, ExpiresIn=60),
        get=s3.generate_presigned_url("get_object", Params=at, ExpiresIn=60),
    )


@app.get("/shared")
def shared():
    """What others have put, by the interface that has objects."""
    resource = boto3.resource(
        "s3", endpoint_url=os.environ["HTTP"], aws_access_key_id="wasgi", aws_secret_access_key="secret", region_name="us-east-1"
    )
    return resource.Object(request.args["bucket"], "shared file.txt").get()["Body"].read()
