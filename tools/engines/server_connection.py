"""The wire to a server: one connection for each request, with an end in time and in size whatever the server does.

A server of others may drip its answer, never end it, compress gigabytes into a few bytes, or send the request elsewhere.
Each exchange has a deadline that holds in every phase, and its reader says how many bytes it takes. A redirect is
followed on the same host only. Connections are not kept: an answer takes seconds, and a server with two places would
wait for the idle connections of those it has answered.

>>> Address.parse("https://api.example.com/v1/").path_of("/models")
'/v1/models'
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.client
import socket
import ssl
import struct
import threading
import time
import urllib.parse
import urllib.request
import zlib
from base64 import b64encode
from collections.abc import Iterator

from tools.errors import EngineUnavailable, RequestFailed, UsageError

CONNECT_TIMEOUT_S = 30.0
PART_BYTES = 65536
ERROR_BYTES = 65536  # of the body of an error, the rest is not read
MOST_REDIRECTS = 3
LINGER_S = 10.0  # for what follows the end of an answer: usage, the end of the connection
KEEPALIVE_IDLE_S = 60  # so that a peer that is gone is noticed
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ConnectionBroken(RequestFailed):
    """No connection, or one that ended before its answer did. Another try may pass."""


class AnswerTooLate(RequestFailed):
    """The whole answer was not there at its deadline."""


class AnswerTooLarge(RequestFailed):
    """More bytes than any answer of the allowed length has."""


@dataclasses.dataclass(frozen=True)
class Address:
    """A server's base URL in its parts. The query (an API version, for example) goes with every request."""

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises UsageError."""
        try:
            parts = urllib.parse.urlsplit(url.strip())
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise UsageError(f"OPENAI_BASE_URL={url!r} is no address; give http://host:port/v1") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"OPENAI_BASE_URL={url!r} is no address; give http://host:port/v1")
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"), parts.query)

    def path_of(self, path: str) -> str:
        return f"{self.path}{path}" + (f"?{self.query}" if self.query else "")

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def is_upgrade_of(self, other: Address) -> bool:
        """The same place, or the same host by https instead of http."""
        if self.host != other.host:
            return False
        return self.origin == other.origin or (other.scheme == "http" and self.scheme == "https")


class Server:
    """Opens exchanges with one server and ends those that are late. Used by many threads."""

    def __init__(self, address: Address, api_key: str) -> None:
        self.address = address
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Accept": "application/json, text/event-stream",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "reasoning-evaluation-toolkit",
            "Connection": "close",
        }
        self._tls = ssl.create_default_context() if address.scheme == "https" else None
        self._proxy_of = functools.lru_cache(maxsize=None)(_proxy_of)  # reading the environment is half of a request
        self._live: set[Exchange] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    @contextlib.contextmanager
    def exchange(self, method: str, path: str, body: bytes | None, timeout_s: float) -> Iterator[Exchange]:
        """A request and its answer, whatever its status. Raises ConnectionBroken, AnswerTooLate, EngineUnavailable."""
        exchange = Exchange(timeout_s)
        with self._lock:
            if self._is_closed:
                raise ConnectionBroken("the engine was closed")
            self._live.add(exchange)
        try:
            self._send(exchange, method, path, body)
            yield exchange
        finally:
            with self._lock:
                self._live.discard(exchange)
            exchange.close()

    def end_overdue(self) -> None:
        """Ends exchanges whose deadline has passed: also one that hangs in its headers, where no reader looks."""
        now = time.monotonic()
        with self._lock:
            overdue = [exchange for exchange in self._live if now > exchange.deadline]
        for exchange in overdue:
            exchange.end()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            live = [*self._live]
        for exchange in live:
            exchange.end()

    def _send(self, exchange: Exchange, method: str, path: str, body: bytes | None) -> None:
        address, target = self.address, self.address.path_of(path)
        for _ in range(MOST_REDIRECTS + 1):
            exchange.send(self._connect(address), method, target, body, self._headers_for(address))
            if exchange.status not in (301, 302, 303, 307, 308):
                return
            where = urllib.parse.urljoin(f"{address.origin}{target}", exchange.header("Location"))
            try:
                new = Address.parse(where)
            except UsageError:
                raise EngineUnavailable(f"the server at {address.origin} redirects to {where[:200]!r}") from None
            if not new.is_upgrade_of(address):
                raise EngineUnavailable(
                    f"the server at {address.origin} redirects to another host, {new.origin}, which was sent nothing; "
                    "set OPENAI_BASE_URL to it if it is meant"
                )
            parts = urllib.parse.urlsplit(where)
            address, target = new, parts.path + (f"?{parts.query}" if parts.query else "")
            exchange.close()
        raise EngineUnavailable(f"the server at {self.address.origin} redirects in a circle; set OPENAI_BASE_URL")

    def _headers_for(self, address: Address) -> dict[str, str]:
        host = f"[{address.host}]" if ":" in address.host else address.host
        return {"Host": f"{host}:{address.port}", **self._headers}

    def _connect(self, address: Address) -> http.client.HTTPConnection:
        """A connection that is made when it is used; by the proxy of the environment, where there is one."""
        proxy = self._proxy_of(address)
        host, port = (proxy.host, proxy.port) if proxy else (address.host, address.port)
        if address.scheme == "https":
            tls = self._tls or ssl.create_default_context()
            secure = http.client.HTTPSConnection(host, port, timeout=CONNECT_TIMEOUT_S, context=tls)
            if proxy:
                secure.set_tunnel(address.host, address.port, proxy.headers)
            return secure
        if proxy:
            return _ProxiedConnection(address.origin, proxy)
        return http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT_S)


@dataclasses.dataclass(frozen=True)
class Proxy:
    """The proxy that HTTP_PROXY or HTTPS_PROXY names for a host."""

    host: str
    port: int
    headers: dict[str, str]


class _ProxiedConnection(http.client.HTTPConnection):
    """Plain HTTP by a proxy: the request line names the whole URL."""

    def __init__(self, origin: str, proxy: Proxy) -> None:
        super().__init__(proxy.host, proxy.port, timeout=CONNECT_TIMEOUT_S)
        self._origin, self._proxy_headers = origin, proxy.headers

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        super().putrequest(method, f"{self._origin}{url}", skip_host, skip_accept_encoding)
        for name, value in self._proxy_headers.items():
            self.putheader(name, value)


def _proxy_of(address: Address) -> Proxy | None:
    url = urllib.request.getproxies_environment().get(address.scheme)
    if not url or address.host in LOOPBACK or urllib.request.proxy_bypass(address.host):
        return None
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    if not parts.hostname:
        return None
    headers = {}
    if parts.username:
        words = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {b64encode(words.encode()).decode()}"
    return Proxy(parts.hostname, parts.port or 80, headers)


class Exchange:
    """One request and its answer. `deadline` is of the whole of it, by time.monotonic()."""

    def __init__(self, timeout_s: float) -> None:
        self.deadline = self._last_deadline = time.monotonic() + timeout_s
        self.status = 0
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self._response: http.client.HTTPResponse | None = None
        self._socket: socket.socket | None = None
        self._is_ended = False

    def send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> None:
        """Sends the request and waits for the status. Raises ConnectionBroken, AnswerTooLate."""
        self._connection = connection
        with self._told_apart():
            connection.connect()
            self._socket = connection.sock
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            with contextlib.suppress(OSError, AttributeError):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
            self._wait_until(self.deadline)
            connection.request(method, target, body, headers)
            self._response = connection.getresponse()
            self.status = self._response.status

    def header(self, name: str) -> str:
        assert self._response is not None
        return self._response.headers.get(name) or ""

    def parts(self, most_bytes: int) -> Iterator[bytes]:
        """The body as it comes, decompressed, until its end. Raises ConnectionBroken, AnswerTooLate, AnswerTooLarge."""
        left = most_bytes
        for part in self._decoded():
            left -= len(part)
            if left < 0:
                raise AnswerTooLarge(
                    f"the answer has more than {most_bytes >> 20} MiB; this server does not keep to OUT_SEQ_LEN"
                )
            yield part

    def read_error(self) -> str:
        """The first bytes of an error's body, as text; what breaks here changes nothing."""
        data = b""
        with contextlib.suppress(RequestFailed):
            for part in self.parts(1 << 40):
                data += part
                if len(data) > ERROR_BYTES:
                    break
        return data[:ERROR_BYTES].decode("utf-8", "replace")

    def expect_end(self) -> None:
        """The answer is there: what may follow has little time."""
        self._set_deadline(min(self._last_deadline, time.monotonic() + LINGER_S))

    def expect_more(self) -> None:
        """It was not the end: the whole time holds again."""
        self._set_deadline(self._last_deadline)

    def _set_deadline(self, deadline: float) -> None:
        self.deadline = deadline
        with contextlib.suppress(OSError):
            self._wait_until(deadline)

    def _wait_until(self, deadline: float) -> None:
        """Until when a call on the socket waits. The kernel keeps the time where it can: Python would look with a system
        call of its own before each read, which is a tenth of what a streamed token costs. Late reads then look like an end."""
        if self._socket is None:
            return
        seconds = max(0.1, deadline - time.monotonic())
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.settimeout(seconds)
            return
        self._socket.settimeout(None)
        for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._socket.setsockopt(socket.SOL_SOCKET, way, struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6)))

    def end(self) -> None:
        """Ends it from another thread: the reader's call returns."""
        self._is_ended = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        for part in (self._response, self._connection):
            if part is not None:
                with contextlib.suppress(OSError, http.client.HTTPException):
                    part.close()

    def _decoded(self) -> Iterator[bytes]:
        encoding = self.header("Content-Encoding").strip().lower()
        if encoding in ("", "identity"):
            yield from self._raw()
            return
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise RequestFailed(f"the server compresses its answers with {encoding[:20]!r}, which it was not asked for")
        decoder = zlib.decompressobj(wbits=47)  # tells gzip and zlib by their headers
        try:
            for part in self._raw():
                while part:  # a few bytes may hold gigabytes: they come out in parts of their own
                    yield decoder.decompress(part, PART_BYTES)
                    part = decoder.unconsumed_tail
        except zlib.error as error:
            raise ConnectionBroken(f"the server's answer is not {encoding}") from error

    def _raw(self) -> Iterator[bytes]:
        response = self._response
        assert response is not None
        with self._told_apart():
            while part := response.read1(PART_BYTES):
                yield part
                if time.monotonic() > self.deadline:
                    raise self._too_late()
        if self._is_ended or self._is_late():
            raise self._too_late()
        if response.length:
            raise ConnectionBroken(f"the server ended the connection {response.length} bytes before the end")

    @contextlib.contextmanager
    def _told_apart(self) -> Iterator[None]:
        """What the socket raises, as what it means."""
        try:
            yield
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            if self._is_ended or self._is_late():
                raise self._too_late() from error
            raise ConnectionBroken(_describe(error)) from error

    def _is_late(self) -> bool:
        return time.monotonic() >= self.deadline - 0.05

    def _too_late(self) -> AnswerTooLate:
        return AnswerTooLate(f"no whole answer within {self._timeout_s:g} s; give more time with REQUEST_TIMEOUT_S")


def _describe(error: Exception) -> str:
    if isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)):
        return "the server ended the connection without an answer"
    if isinstance(error, http.client.IncompleteRead):
        return "the server ended the connection in the middle of its answer"
    if isinstance(error, TimeoutError):
        return "the server does not accept connections in time"
    return f"{type(error).__name__}: {error}"
