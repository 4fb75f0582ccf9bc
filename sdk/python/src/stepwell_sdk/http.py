"""Requests to the outside: `http.get("https://api.example.com/rates", params={"base": "EUR"}, timeout=10)`.

    from stepwell_sdk import http

    rates = http.get("https://api.example.com/rates", params={"base": "EUR"}).raise_for_status().json()

A request waits for its answer, whole. The module needs a grant for it, which `module.toml` asks for under
`[[grants.http]]`. Redirects are not followed: a grant is for one place. In a test `testing.host(http=…)` answers.
"""

import json as _json
import sys
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple, Union
from urllib.parse import SplitResult, urlencode, urlsplit

from ._host import test_host
from .errors import TaskError

# The host's limit on a body.
BODY_BYTES_MAX = 8 << 20
# How much of a bad answer an error shows.
_SHOWN_CHARACTERS_MAX = 500


class HttpError(TaskError):
    """A request without an answer, or with none that is of use; a task that lets it pass fails under its name.

    The name is `Http.InvalidRequest`, `Http.Denied`, `Http.NameNotFound`, `Http.Unreachable`, `Http.TlsFailed`,
    `Http.TimedOut`, `Http.TooLarge`, `Http.Broken` or `Http.InvalidResponse`, or `Http.StatusCode.404` and its like,
    which then has a `status`.
    """

    def __init__(self, name: str, cause: str, status: Optional[int] = None) -> None:
        self.status = status
        super().__init__(f"Http.{name}", cause)


@dataclass
class Request:
    """A request as it is sent."""

    method: str
    url: str
    headers: Dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    # Seconds until the answer must have begun; without it the time of the whole call is the limit.
    timeout: Optional[float] = None

    def place(self) -> SplitResult:
        """The parts of the URL."""
        try:
            parts = urlsplit(self.url)
            _ = parts.port  # It is read when it is asked for, and then it may be no number.
        except ValueError as error:
            raise HttpError("InvalidRequest", f"the URL {self.url!r} is not valid: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise HttpError("InvalidRequest", f"the URL {self.url!r} must be https://HOST/… or http://HOST/…")
        return parts

    def origin(self) -> str:
        """Method, scheme and host, for messages."""
        parts = self.place()
        return f"{self.method} {parts.scheme}://{parts.netloc}"

    def denied(self) -> HttpError:
        """The refusal of this request for want of a grant."""
        parts = self.place()
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        port = f", port = {parts.port}" if parts.port else ""
        rule = f'{{ scheme = "{parts.scheme}", host = "{host}"{port}, methods = ["{self.method}"] }}'
        needs = f"module.toml must ask for [[grants.http]] {rule}, and the operator's policy let it through"
        return HttpError("Denied", f"{self.origin()} was denied: {needs}")


@dataclass
class Response:
    """What came back."""

    status: int
    body: bytes = b""
    # By their names in lower case; values of one name are joined by a comma.
    headers: Dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the status is one of 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 in it becomes �."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body read as JSON."""
        try:
            return _json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise HttpError("InvalidResponse", f"the answer is not JSON: {error}") from None

    def raise_for_status(self) -> "Response":
        """This answer if its status is one of 2xx, and otherwise an error with the beginning of the body."""
        if self.ok:
            return self
        text = f": {self.text[:_SHOWN_CHARACTERS_MAX]}" if self.body else ""
        raise HttpError(f"StatusCode.{self.status}", f"the answer has status {self.status}{text}", self.status)


def get(url: str, **options: Any) -> Response:
    """A GET; the options are those of `request`."""
    return request("GET", url, **options)


def post(url: str, **options: Any) -> Response:
    """A POST; the options are those of `request`."""
    return request("POST", url, **options)


def put(url: str, **options: Any) -> Response:
    """A PUT; the options are those of `request`."""
    return request("PUT", url, **options)


def patch(url: str, **options: Any) -> Response:
    """A PATCH; the options are those of `request`."""
    return request("PATCH", url, **options)


def delete(url: str, **options: Any) -> Response:
    """A DELETE; the options are those of `request`."""
    return request("DELETE", url, **options)


def request(
    method: str,
    url: str,
    *,
    params: Union[Mapping[str, Any], Tuple[Tuple[str, Any], ...], None] = None,
    headers: Optional[Mapping[str, str]] = None,
    data: Union[bytes, str, None] = None,
    json: Any = None,
    timeout: Optional[float] = None,
) -> Response:
    """Sends a request and reads the whole answer, whatever its status.

    `params` become the query. The body is `data` as it is, or `json` written as JSON.
    """
    if params:
        url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
    sent = Request(method.upper(), url, dict(headers or {}), _body(data), timeout)
    if json is not None:
        sent.body = _written(json)
        sent.headers.setdefault("content-type", "application/json")
    sent.place()
    if not url.isascii() or any(character <= " " for character in url):
        raise HttpError("InvalidRequest", f"the URL {url!r} has characters that must be percent-encoded; see params")
    if len(sent.body) > BODY_BYTES_MAX:
        raise HttpError("TooLarge", f"the body has {len(sent.body)} bytes; {BODY_BYTES_MAX} may be sent")
    return _send(sent)


def _body(data: Union[bytes, str, None]) -> bytes:
    return data.encode("utf-8") if isinstance(data, str) else bytes(data or b"")


def _written(value: Any) -> bytes:
    try:
        return _json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise HttpError("InvalidRequest", f"the body cannot be written as JSON: {error}") from None


if sys.platform == "wasi":
    from ._wasi_http import send as _send
else:

    def _send(sent: Request) -> Response:
        host = test_host.get()
        if host:
            host.requests.append(sent)
        if host and host.http:
            return host.http(sent)
        raise sent.denied()
