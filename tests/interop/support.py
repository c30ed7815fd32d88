"""What the interop checks share: starting ward and moto on loopback, and counting checks."""

import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.request

import pyte

ROOT = pathlib.Path(__file__).resolve().parents[2]
WARD = os.environ.get("WARD_BIN", str(ROOT / "target/debug/ward"))
REGION = "us-east-1"
BUCKET = "healthcare-accreditation-data-pipeline"
MACHINE = "HealthcarePipelineStateMachine"
FUNCTION = "Stage3-AthenaQueryFunction"
DATABASE = "healthcare_pipeline"
TOPIC = "healthcare-pipeline-notifications"

passed, failed = [], []


def check(name, ok, detail=""):
    (passed if ok else failed).append(name)
    print(f"{'ok  ' if ok else 'FAIL'} {name}{'' if ok else f': {detail}'}", flush=True)
    return ok


def equal(name, got, want):
    return check(name, got == want, f"got {got!r}, want {want!r}")


def done():
    """Prints the count and answers the exit status."""
    print(f"{len(passed)} passed, {len(failed)} failed", flush=True)
    return 1 if failed or not passed else 0


def environment(**more):
    """An environment without any AWS or ward setting of the caller."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WARD_"))}
    home = tempfile.mkdtemp(prefix="ward-home-")
    clean.update(HOME=home, XDG_DATA_HOME=f"{home}/data", XDG_CONFIG_HOME=f"{home}/config",
                 XDG_STATE_HOME=f"{home}/state", XDG_CACHE_HOME=f"{home}/cache", AWS_EC2_METADATA_DISABLED="true")
    clean.update(more)
    return clean


class Process:
    """A server of ours: started, waited for, ended by its own pid."""

    def __init__(self, command, env):
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log", delete=False)
        self.child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=self.log, text=True)

    def stop(self, how=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(how)
            try:
                self.child.wait(15)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode

    def talk(self):
        return pathlib.Path(self.log.name).read_text()


class LocalCloud(Process):
    """`ward local`, and the variables it prints."""

    def __init__(self, *arguments):
        self.env = environment()
        super().__init__([WARD, *arguments], self.env)
        self.exports = {}
        deadline = time.time() + 120
        while "AWS_ENDPOINT_URL" not in self.exports or "AWS_SECRET_ACCESS_KEY" not in self.exports:
            line = self.child.stdout.readline()
            if not line or time.time() > deadline:
                raise SystemExit(f"ward local did not come up:\n{self.talk()}")
            found = re.match(r"export (\w+)=['\"]?([^'\"\n]*)", line)
            if found:
                self.exports[found[1]] = found[2]
        self.url = self.exports["AWS_ENDPOINT_URL"]


class Moto(Process):
    """moto's server: an AWS stand-in that nobody of ward wrote."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        super().__init__([str(pathlib.Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
                         environment())
        deadline = time.time() + 60
        while True:
            try:
                self.post("/moto-api/config", {"stepfunctions": {"execute_state_machine": True}})
                return
            except OSError:
                if time.time() > deadline or self.child.poll() is not None:
                    raise SystemExit(f"moto did not come up:\n{self.talk()}")
                time.sleep(0.1)

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return urllib.request.urlopen(request, timeout=10).read()


class Console:
    """`ward` in a pseudo-terminal: keys go in, the screen is looked at."""

    def __init__(self, *arguments, env, columns=120, rows=40):
        self.screen = pyte.Screen(columns, rows)
        stream = pyte.ByteStream(self.screen)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(WARD, [WARD, *arguments], {**env, "TERM": "xterm-256color", "LANG": "C.UTF-8"})
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

        def read():
            while True:
                try:
                    data = os.read(self.terminal, 65536)
                except OSError:
                    return
                if not data:
                    return
                with self.lock:
                    stream.feed(data)

        self.lock = threading.Lock()
        threading.Thread(target=read, daemon=True).start()

    def text(self):
        with self.lock:
            return "\n".join(self.screen.display)

    def press(self, keys):
        os.write(self.terminal, keys.encode())

    def see(self, name, *words, keys=None):
        """A check that some words come to stand on the screen together, after some keys."""
        if keys:
            self.press(keys)
        seen = until(lambda: all(word in self.text() for word in words))
        return check(f"console: {name}", bool(seen), f"{words} in\n{self.text()}")

    def stop(self):
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            return
        os.waitpid(self.pid, 0)


def run(*command, env=None, stdin=None, timeout=180):
    """A finished process: returncode, stdout, stderr."""
    return subprocess.run(list(command), env=env, input=stdin, capture_output=True, text=True, timeout=timeout)


def until(what, seconds=60, pause=0.1):
    """Asks again until the answer is true, or None after so many seconds."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        answer = what()
        if answer:
            return answer
        time.sleep(pause)
    return None
