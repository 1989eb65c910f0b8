"""A TCP proxy in front of a test database's Unix socket: a network that can be cut."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from common.postgres.connection.address import DatabaseAddress
from sandbox.database import Database

CHUNK = 65536  # bytes
TICK = 0.02  # seconds between two checks whether the connections were cut
# With this option closing a socket resets its connection, as a firewall would.
RESET = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

# Gets data that is about to be forwarded: whether the client sent it, and the bytes. If it returns
# True, the connections are cut first.
type Watch = Callable[[bool, bytes], bool]


class Proxy:
    """Forwards between 127.0.0.1 and a database; after `cut` no connection works or is accepted."""

    def __init__(
        self, database: Database, watch: Watch = lambda _from_client, _data: False
    ) -> None:
        self._server = str(database.server.socket_dir / ".s.PGSQL.5432")
        self._watch = watch
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = str(self._listener.getsockname()[1])
        self._broken = threading.Event()
        self._accepting = threading.Thread(target=self._accept, name="proxy")

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.cut()

    def before(self, address: DatabaseAddress) -> DatabaseAddress:
        """Return the proxy's address with the same user and database."""
        way = {"host": "127.0.0.1", "port": self._port, "sslmode": "disable"}
        return DatabaseAddress({**address.parameters, **way})

    def cut(self) -> None:
        """Reset every connection in both directions at once, and wait until that is done."""
        self._broken.set()
        self._accepting.join()

    def _accept(self) -> None:
        connections: list[threading.Thread] = []
        with self._listener:
            self._listener.settimeout(TICK)
            while not self._broken.is_set():
                with contextlib.suppress(TimeoutError):
                    client, _ = self._listener.accept()
                    connections.append(threading.Thread(target=self._connect, args=[client]))
                    connections[-1].start()
        for connection in connections:
            connection.join()

    def _connect(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._server)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for end in (client, server):
                end.settimeout(TICK)
            back = threading.Thread(target=self._forward, args=[server, client, False])
            back.start()
            self._forward(client, server, True)
            back.join()
            if self._broken.is_set():
                client.setsockopt(*RESET)

    def _forward(self, sender: socket.socket, receiver: socket.socket, from_client: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while not self._broken.is_set():
                with contextlib.suppress(TimeoutError):
                    if not (data := sender.recv(CHUNK)):
                        receiver.shutdown(socket.SHUT_WR)  # one hung up: tell the other
                        return
                    if self._watch(from_client, data):
                        self._broken.set()
                    self._send(receiver, memoryview(data))

    def _send(self, receiver: socket.socket, data: memoryview) -> None:
        while data and not self._broken.is_set():
            with contextlib.suppress(TimeoutError):
                data = data[receiver.send(data) :]
