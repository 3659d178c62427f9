"""Pushes a store to a local S3 server and pulls it again.

    python tests/object-store/s3.py MOLARENA ARCHIVE

MOLARENA is a program with the feature `object-store`, ARCHIVE what `molarena store pack` wrote. Needs `moto[server]`, which brings
the server and boto3. Prints how long each transfer took.
"""

import http.server
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

MOLARENA, ARCHIVE = sys.argv[1:]
WORK = Path(tempfile.mkdtemp(prefix="molarena-s3-"))


def free_port():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


PORT = free_port()
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORT}",
    "AWS_ALLOW_HTTP": "true",
}


def molarena(*arguments, code=0, without=(), **changed):
    environment = {name: value for name, value in {**ENVIRONMENT, **changed}.items() if name not in without}
    started = time.monotonic()
    done = subprocess.run([MOLARENA, *map(str, arguments)], cwd=WORK, env=environment, capture_output=True, text=True)
    done.seconds = time.monotonic() - started
    assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def board(store):
    return molarena("board", "--store", store, "--no-intervals", "--format", "json").stdout


def names(bucket, prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


server = ThreadedMotoServer(ip_address="127.0.0.1", port=PORT)
server.start()
s3 = boto3.client("s3", endpoint_url=ENVIRONMENT["AWS_ENDPOINT_URL"], region_name="us-east-1",
                  aws_access_key_id="key", aws_secret_access_key="secret")
s3.create_bucket(Bucket="arena")
molarena("store", "unpack", ARCHIVE, "--store", "one")

# There and back. The second push finds everything there.
url = "s3://arena/of/quick"
pushed = molarena("store", "push", url, "--store", "one")
objects = names("arena", "of/quick/")
print(f"push {pushed.seconds:.1f} s: {pushed.stdout.strip()}")
again = molarena("store", "push", url, "--store", "one")
print(f"again {again.seconds:.1f} s: {again.stdout.strip()}")
assert "0 records, 0 steps, 0 files" in again.stdout and f"{len(objects)} were there" in again.stdout, again.stdout
assert names("arena", "of/quick/") == objects
assert {name.split("/")[2] for name in objects} == {"artifacts", "records", "steps"}, objects
pulled = molarena("store", "pull", url, "--store", "two")
print(f"pull {pulled.seconds:.1f} s: {pulled.stdout.strip()}")
assert board("two") == board("one")
assert molarena("store", "verify", "--store", "two").stdout.endswith("0 problems\n")
packed = [molarena("store", "pack", "--output", "packed", "--store", store).stdout.split(":")[0] for store in ("one", "two")]
assert packed[0] == packed[1], packed
nothing = molarena("store", "pull", url, "--store", "two").stdout
assert "0 records and 0 steps added" in nothing and "; 0 files downloaded" in nothing, nothing

# A server that does not know conditional writes.
plain = molarena("store", "push", "s3://arena/plain", "--store", "one", AWS_CONDITIONAL_PUT="disabled")
assert f"{len(objects)}" not in plain.stdout.split("were")[0].split(",")[-1], plain.stdout
assert len(names("arena", "plain/")) == len(objects)

# An existing object wins, also one that the list did not have: two pushes at a time.
first = subprocess.Popen([MOLARENA, "store", "push", "s3://arena/both", "--store", "one"], cwd=WORK, env=ENVIRONMENT,
                         stdout=subprocess.PIPE, text=True)
second = molarena("store", "push", "s3://arena/both", "--store", "two").stdout
first = first.communicate()[0]
uploaded = sum(int(part.split()[0]) for text in (first, second) for part in text.split(": ")[1].replace(" and ", ", ").split(", ")[:4])
print(f"two at a time: {uploaded} uploaded of {len(objects)}")
assert uploaded == len(objects), (first, second)
molarena("store", "pull", "s3://arena/both", "--store", "both")
assert board("both") == board("one")

# Ctrl-C in the middle, then the same command.
stopped = subprocess.Popen([MOLARENA, "store", "push", "s3://arena/stopped", "--store", "one"], cwd=WORK, env=ENVIRONMENT,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
while not names("arena", "stopped/"):
    time.sleep(0.01)
stopped.send_signal(signal.SIGINT)
_, said = stopped.communicate(timeout=10)
before = len(names("arena", "stopped/"))
print(f"interrupted with {before} of {len(objects)} there: exit code {stopped.returncode}")
assert stopped.returncode in (0, 130), said
rest = molarena("store", "push", "s3://arena/stopped", "--store", "one").stdout
assert f"{before} were there" in rest, rest
molarena("store", "pull", "s3://arena/stopped", "--store", "stopped")
assert board("stopped") == board("one")

# A file with other bytes of the same length is refused, and so is what rests on it.
artifact = next(name for name in objects if "/artifacts/" in name)
bytes_ = s3.get_object(Bucket="arena", Key=artifact)["Body"].read()
s3.put_object(Bucket="arena", Key=artifact, Body=bytes_[:-1] + bytes([bytes_[-1] ^ 1]))
for foreign in ("index.html", "records/../../escaped.json", "work/lock"):
    s3.put_object(Bucket="arena", Key=f"of/quick/{foreign}", Body=b"other")
hostile = molarena("store", "pull", url, "--store", "hostile", code=5)
assert "records/../../escaped.json" in hostile.stderr, hostile.stderr
s3.delete_object(Bucket="arena", Key="of/quick/records/../../escaped.json")
refused = molarena("store", "pull", url, "--store", "refused", code=5)
assert "its bytes have another sha256" in refused.stderr and "cannot be had; it is left out" in refused.stderr, refused.stderr
assert "index.html: a store has no such file" in refused.stderr, refused.stderr
assert molarena("store", "verify", "--store", "refused").stdout.endswith("0 problems\n")
print(f"refused: {refused.stdout.strip()}")



class Forbids(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<Error><Code>InvalidAccessKeyId</Code></Error>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


# What goes wrong says what to do, and ends soon.
forbids = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forbids)
threading.Thread(target=forbids.serve_forever, daemon=True).start()
silent = socket.create_server(("127.0.0.1", 0))
place = "s3://nowhere/arena"
for arguments, changed, without, code, texts in [
    ((place,), {}, (), 2, [place, "there is no such bucket", "AWS_ENDPOINT_URL"]),
    (("s3://arena/empty",), {}, (), 4, ["s3://arena/empty", "there is no store"]),
    ((url,), {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}, (), 70, [url, "check the network and AWS_ENDPOINT_URL"]),
    ((url,), {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}, (), 70, [url, "no answer for 30 s"]),
    ((url,), {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{forbids.server_port}"}, (), 2, [url, "access is refused"]),
    ((url,), {}, ("AWS_ALLOW_HTTP",), 2, [url, "set AWS_ALLOW_HTTP=true"]),
    # What answers there is this machine's own, so that no cloud is asked for credentials.
    ((url,), {"AWS_METADATA_ENDPOINT": f"http://127.0.0.1:{free_port()}"}, ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), 2, [url, "there are no credentials", "AWS_ACCESS_KEY_ID"]),
    (("gs://arena/of",), {}, (), 2, ["unknown scheme `gs`"]),
]:
    failed = molarena("store", "pull", *arguments, "--store", "failed", code=code, without=without, **changed)
    print(f"{failed.seconds:.1f} s: {failed.stderr.strip()}")
    assert all(text in failed.stderr for text in texts), failed.stderr
    assert failed.seconds < 35, failed.seconds
server.stop()
print("all is well")
