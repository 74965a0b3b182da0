"""The proxy of the scale profile as a child process: the very deploy/proxy/nginx.conf, on addresses of loopback.

What stands in for the gateway of the compose network is 127.0.0.1: who connects from there is believed about whom they
speak for. Every other address of 127.0.0.0/8 is a stranger.
"""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from tests.server_process import Server

CONF = Path(__file__).resolve().parent.parent / "deploy" / "proxy" / "nginx.conf"
GATEWAY = "127.0.0.1"
STRANGER = "127.0.0.9"


def nginx_binary() -> str:
    """The path of nginx; RuntimeError when there is none."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")  # not in everybody's PATH
    if found is None:
        raise RuntimeError("nginx is not installed: apt-get install nginx")
    return found


class ProxyServer(Server):
    """nginx in front of the replicas on these ports."""

    # A master that is killed leaves its workers behind; one that is told to end takes them along.
    orphan_signal = "TERM"

    def __init__(self, replicas: Sequence[int]) -> None:
        self.binary = nginx_binary()
        super().__init__("proxy")
        self._replicas = replicas
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        conf = self.directory / "nginx.conf"
        conf.write_text(on_loopback(CONF.read_text(encoding="utf-8"), self.directory, self.port, self._replicas))
        return [self.binary, "-p", str(self.directory), "-c", str(conf), "-g", "daemon off;"]

    def is_ready(self) -> bool:
        # Asks who listens: another process may have taken the port, and then ours is about to give up.
        pid = self.directory / "nginx.pid"
        if not pid.exists() or pid.read_text().strip() != str(self.pid):
            return False
        with socket.socket() as knocking:
            return knocking.connect_ex(("127.0.0.1", self.port)) == 0


def on_loopback(conf: str, folder: Path, port: int, replicas: Sequence[int]) -> str:
    """The same for processes of this machine; AssertionError where it no longer says what is changed here."""
    servers = "\n".join(f"    server 127.0.0.1:{one} max_fails=2 fail_timeout=5s;" for one in replicas)
    for expected, here, times in (
        (r"/tmp/", f"{folder}/", 6),  # noqa: S108 - the file's own words
        (r"172\.31\.250\.1/32", f"{GATEWAY}/32", 2),
        # Addresses do not change here, and Debian's nginx is too old to ask for them again.
        (r"^ *resolver .*\n", "", 1),
        (r"^ *server leadring-replica:8000 resolve max_fails=2 fail_timeout=5s;$", servers, 1),
        (r"listen 8080;", f"listen 127.0.0.1:{port};", 1),
    ):
        conf, found = re.subn(expected, here, conf, flags=re.MULTILINE)
        assert found == times, f"deploy/proxy/nginx.conf has {expected} {found} times, not {times}"
    return conf
