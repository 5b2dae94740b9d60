"""A real system for the tests of this folder: PostgreSQL, broker, shop workers, `ordo`.

Everything lives in one folder, listens on free ports of loopback and ends with the test.
"""

import contextlib
import glob
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import urllib.request

from servers import wait_for

POSTGRES = """
listen_addresses = ''
fsync = off
full_page_writes = off
shared_buffers = 64MB
jit = off
autovacuum_naptime = 5s
"""


def postgres_bin():
    """The folder of initdb and postgres; nothing where there is none."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    given = os.environ.get("ORDO_PG_BIN")
    return given or (os.path.dirname(found[-1]) if found else None)


def account():
    """PostgreSQL refuses to run as root: then it runs as the account that its package made."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class LiveSystem:
    """`build` is the folder of a release build, `folder` an empty one."""

    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        self.processes = []
        self.endpoints = {}

    def program(self, name):
        return os.path.join(self.build, {
            "ordo": "client", "ordo-broker": "broker/app", "ordo-migrate": "broker/app",
            "ordo-shop-worker": "examples"}[name], name)

    def start(self, log, command, **how):
        """Starts a program that ends with this one, even where this one is killed."""
        command = ["setpriv", "--pdeathsig", "KILL", *command]
        with open(os.path.join(self.folder, log + ".log"), "a", encoding="utf-8") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, cwd=self.folder, **how)
        self.processes.append(process)
        return process

    def start_database(self):
        home, how = os.path.join(self.folder, "postgres"), account()
        os.mkdir(home, 0o700)
        if how:
            os.chmod(self.folder, 0o755)
            shutil.chown(home, how["user"], how["group"])
        tool = postgres_bin()
        subprocess.run([f"{tool}/initdb", "-D", f"{home}/data", "-U", "ordo", "-A", "trust",
                        "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd=home, **how)
        with open(f"{home}/data/postgresql.conf", "a", encoding="utf-8") as out:
            out.write(POSTGRES + f"unix_socket_directories = '{home}'\n")
        process = self.start("postgres", [f"{tool}/postgres", "-D", f"{home}/data"], **how)
        self.database = f"host={home} user=ordo dbname=postgres"
        wait_for("PostgreSQL answers", lambda: process.poll() is None and self.sql("select 1"))
        subprocess.run([self.program("ordo-migrate"), "--dsn", self.database, "--shards", "2"],
                       check=True, stdout=subprocess.DEVNULL)

    def sql(self, text):
        """What psql prints; nothing where it fails."""
        done = subprocess.run([f"{postgres_bin()}/psql", "-qAtX", self.database, "-c", text],
                              capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def start_broker(self, name, *settings, at=None):
        """Starts a broker and waits until it listens; `at` are the endpoints of an earlier one."""
        path = os.path.join(self.folder, name + ".json")
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        places = at or {}
        listen = [word for kind in ("clients", "workers", "http") for word in (
            f"--listen-{kind}", places.get(kind, "//127.0.0.1:0").partition("//")[2])]
        process = self.start(name, [
            self.program("ordo-broker"), "--name", name, "--database", self.database, "--shards",
            "2", "--plaintext", "--endpoints-file", path, *listen, *settings])

        def read():
            if process.poll() is not None or not os.path.exists(path):
                return None
            with open(path, encoding="utf-8") as text:
                return json.load(text)
        endpoints = wait_for(f"{name} listens", read)
        return process, endpoints

    def start_worker(self, name, endpoints, *flags):
        return self.start(name, [self.program("ordo-shop-worker"), "--broker",
                                 endpoints["workers"], "--name", name, *flags])

    def worker_http(self, name):
        """Where a worker that was started with --listen-http serves its metrics, as its log says."""
        def read():
            with open(os.path.join(self.folder, name + ".log"), encoding="utf-8") as text:
                return re.search(r"serving metrics and health.*http=\S*?([\d.]+:\d+)", text.read())
        return wait_for(f"{name} serves its metrics", read).group(1)

    def ordo(self, endpoints, *words, lines=None, timeout="30s"):
        """Runs `ordo`; gives what it prints, whatever its exit code says."""
        done = subprocess.run(
            [self.program("ordo"), "--endpoint", endpoints["clients"], "--timeout", timeout,
             *words], input=lines, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGINT)  # PostgreSQL: the fast way
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def page(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()
