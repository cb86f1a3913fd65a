"""A throw-away PostgreSQL server: real, in a temporary folder, reached by a socket alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "shared_buffers=32MB")
USER = "postgres"


def find_programs() -> Path | None:
    """The folder of initdb and pg_ctl: Debian keeps them out of PATH. None where they are not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("pg_ctl")
    return next((folder for folder in [*folders, *([Path(found).parent] if found else [])] if _whole(folder)), None)


def _whole(folder: Path) -> bool:
    return (folder / "initdb").is_file() and (folder / "pg_ctl").is_file()


class Server:
    """A cluster; `pg_ctl` refuses root, so that root starts it as the user of the Debian packages."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self.before = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.getuid() == 0 else []

    def call(self, program: str, *arguments: str) -> None:
        command = [*self.before, str(self.programs / program), *arguments]
        done = subprocess.run(command, check=False, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout.decode()}")

    def create(self) -> None:
        wanted = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", f"--username={USER}")
        self.call("initdb", "-D", str(self.folder / "data"), *wanted)

    def start(self) -> None:
        settings = " ".join(f"-c {one}" for one in (*QUICK, f"unix_socket_directories={self.folder}"))
        log = str(self.folder / "log")
        self.call("pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", log, "-o", settings, "start")

    def stop(self) -> None:
        self.call("pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "stop")

    def address(self, schema: str = "public", password: str = "") -> str:
        user = f"{USER}:{quote(password, safe='')}" if password else USER
        return f"postgresql://{user}@{quote(str(self.folder), safe='')}/postgres?options=-csearch_path%3D{schema}"


@contextmanager
def running_server(programs: Path) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as place:  # a short path: sockets have no long ones
        if os.getuid() == 0:
            shutil.chown(place, USER, USER)
        server = Server(programs, Path(place))
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()
