"""What uploads do to the server's memory, beside a plain Streamlit app with a file uploader.

    python benchmarks/uploads.py [--files 60] [--megabytes 20] [--wait 180]

For each of the two a server is started in a temporary folder. One visit, a websocket and no browser, puts files
straight to the address for uploads, one after the other. Then its tab is closed, and nobody else visits. Prints how
many files were taken, and the memory of the server's process (resident, MB) before, at its peak, after the uploads and
at intervals after the visit. Nothing is asserted; tests/browser/test_server.py does that with small limits.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parent.parent
MB = 1024 * 1024
PLAIN = "import streamlit as st\nst.file_uploader('Files', accept_multiple_files=True)\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=60, help="files of the one visit (default 60)")
    parser.add_argument("--megabytes", type=int, default=20, help="size of each (default 20)")
    parser.add_argument("--wait", type=int, default=180, help="seconds that are watched after the visit (default 180)")
    args = parser.parse_args()
    for name in ("the studio", "plain Streamlit"):
        with tempfile.TemporaryDirectory() as folder:
            measure(name, Path(folder), args.files, args.megabytes, args.wait)


def measure(name: str, folder: Path, files: int, megabytes: int, wait: int) -> None:
    """Start the server of that name in a folder, and print its figures."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "app.py").write_text(PLAIN)
    studio = name == "the studio"
    started = ["-m", "maskrcnn.studio"] if studio else ["-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    server = subprocess.Popen(
        [sys.executable, *started, "--server.address", "127.0.0.1", "--server.port", str(port)],
        cwd=ROOT if studio else folder,
        env={
            **os.environ,
            "MASKRCNN_WORKSPACE": str(folder / "workspace"),
            "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process = psutil.Process(server.pid)
        wait_for(port)
        visit = Visit(port)
        time.sleep(2)
        before = resident(process)
        peak, statuses = before, Counter[int]()
        for _ in range(files):
            statuses[visit.upload(os.urandom(MB) * megabytes)] += 1
            peak = max(peak, resident(process))
        after = resident(process)
        taken = ", ".join(f"{count} x HTTP {status}" for status, count in sorted(statuses.items()))
        print(f"{name}: {files} uploads of {megabytes} MB: {taken}")
        print(f"  before {before:.0f} MB, peak {peak:.0f} MB, after {after:.0f} MB", flush=True)
        visit.socket.close()
        closed = time.monotonic()
        for seconds in sorted({15, 60, 90, 120, 150, wait}):
            if seconds <= wait:
                time.sleep(max(0.0, closed + seconds - time.monotonic()))
                print(f"  {seconds} s after the visit: {resident(process):.0f} MB", flush=True)
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.wait(timeout=20)


def resident(process: psutil.Process) -> float:
    return process.memory_info().rss / MB


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port)):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


class Visit:
    """A browser tab that is a few lines of Python."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = connect(
            f"ws://127.0.0.1:{port}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
        ).__enter__()
        self.id = ""
        self.drawn = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        message = BackMsg()
        message.rerun_script.query_string = ""
        self.socket.send(message.SerializeToString())
        self.drawn.wait(60)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/_stcore/health")
        self.token = (connection.getresponse().headers["Set-Cookie"] or "").split(";")[0].partition("=")[2]

    def _listen(self) -> None:
        try:
            for data in self.socket:
                message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
                if message.WhichOneof("type") == "new_session":
                    self.id = message.new_session.initialize.session_id
                elif message.WhichOneof("type") == "script_finished":
                    self.drawn.set()
        except ConnectionClosed:
            return

    def upload(self, content: bytes) -> int:
        head = b'--limit\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n'
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {
            "Content-Type": "multipart/form-data; boundary=limit",
            "Cookie": f"_streamlit_xsrf={self.token}",
            "X-Xsrftoken": self.token,
        }
        body = head + content + b"\r\n--limit--\r\n"
        connection.request("PUT", f"/_stcore/upload_file/{self.id}/{uuid.uuid4()}", body, headers)
        status = connection.getresponse().status
        connection.close()
        return status


if __name__ == "__main__":
    main()
