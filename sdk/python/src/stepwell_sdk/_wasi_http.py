"""A request over `wasi:http`. Only a module that imports `stepwell_sdk.http` has its interfaces."""

from typing import Dict, Optional, Tuple

from componentize_py_types import Err
from wit_world.imports import http_types as wasi
from wit_world.imports import outgoing_handler
from wit_world.imports.streams import StreamError_Closed

from . import http

# What is written at once: all that a stream takes in one go.
WRITE_BYTES = 4_096
# What is read at once: small beside the memory of a module.
READ_BYTES = 64 << 10

METHODS = {
    "GET": wasi.Method_Get,
    "HEAD": wasi.Method_Head,
    "POST": wasi.Method_Post,
    "PUT": wasi.Method_Put,
    "PATCH": wasi.Method_Patch,
    "DELETE": wasi.Method_Delete,
    "OPTIONS": wasi.Method_Options,
}

# Names and texts of errors by the end of their names in wasi:http.
ERRORS: Dict[str, Tuple[str, str]] = {
    "DnsError": ("NameNotFound", "the name has no address"),
    "DnsTimeout": ("NameNotFound", "the name has no address"),
    "DestinationNotFound": ("NameNotFound", "the name has no address"),
    "DestinationUnavailable": ("Unreachable", "no connection could be made"),
    "ConnectionRefused": ("Unreachable", "no connection could be made"),
    "ConnectionTimeout": ("Unreachable", "no connection could be made"),
    "TlsProtocolError": ("TlsFailed", "the other side has no certificate that is trusted, or speaks no TLS"),
    "TlsCertificateError": ("TlsFailed", "the other side has no certificate that is trusted, or speaks no TLS"),
    "TlsAlertReceived": ("TlsFailed", "the other side has no certificate that is trusted, or speaks no TLS"),
    "HttpResponseTimeout": ("TimedOut", "no answer came in time"),
    "ConnectionReadTimeout": ("TimedOut", "no answer came in time"),
    "HttpResponseBodySize": ("TooLarge", "the answer is larger than the host takes"),
    "HttpRequestUriInvalid": ("InvalidRequest", "the host takes no such request"),
    "HttpRequestMethodInvalid": ("InvalidRequest", "the host takes no such request"),
}


def send(sent: "http.Request") -> "http.Response":
    outgoing = _outgoing(sent)
    body = outgoing.body()
    try:
        with outgoing_handler.handle(outgoing, _options(sent.timeout)) as future:
            # What the host doesn't take, it says in its answer.
            is_written = _write(body, sent.body)
            with future.subscribe() as pollable:
                pollable.block()
            answer = future.get().value
    except Err as error:
        raise _failure(error.value, sent) from None
    if isinstance(answer, Err):
        raise _failure(answer.value, sent)
    if not is_written:
        raise http.HttpError("Broken", f"{sent.origin()}: the request was not sent as a whole")
    with answer.value as response:
        headers: Dict[str, str] = {}
        with response.headers() as fields:
            for name, value in fields.entries():
                text, name = value.decode("utf-8", "replace"), name.lower()
                headers[name] = f"{headers[name]}, {text}" if name in headers else text
        return http.Response(response.status(), _read(response, sent), headers)


def _outgoing(sent: "http.Request") -> wasi.OutgoingRequest:
    fields = wasi.Fields()
    for name, value in sent.headers.items():
        try:
            fields.append(name, str(value).encode("utf-8"))
        except Err:
            why = f"the header {name!r} is not valid, or not a module's to send"
            raise http.HttpError("InvalidRequest", why) from None
    outgoing, place = wasi.OutgoingRequest(fields), sent.place()
    try:
        method = METHODS.get(sent.method)
        outgoing.set_method(method() if method else wasi.Method_Other(sent.method))
        outgoing.set_scheme(wasi.Scheme_Https() if place.scheme == "https" else wasi.Scheme_Http())
        outgoing.set_authority(place.netloc.lower())
        outgoing.set_path_with_query((place.path or "/") + (f"?{place.query}" if place.query else ""))
    except Err:
        raise http.HttpError("InvalidRequest", f"{sent.method} {sent.url!r} is no valid request") from None
    return outgoing


def _options(timeout: Optional[float]) -> Optional[wasi.RequestOptions]:
    if timeout is None:
        return None
    options = wasi.RequestOptions()
    options.set_first_byte_timeout(max(int(timeout * 1_000_000_000), 0))
    return options


def _write(body: wasi.OutgoingBody, content: bytes) -> bool:
    try:
        with body.write() as stream:
            for start in range(0, len(content), WRITE_BYTES):
                stream.blocking_write_and_flush(content[start : start + WRITE_BYTES])
        wasi.OutgoingBody.finish(body, None)
        return True
    except Err:
        return False


def _read(response: wasi.IncomingResponse, sent: "http.Request") -> bytes:
    content = bytearray()
    with response.consume() as body, body.stream() as stream:
        while True:
            try:
                chunk = stream.blocking_read(READ_BYTES)
            except Err as error:
                if isinstance(error.value, StreamError_Closed):
                    return bytes(content)
                raise http.HttpError("Broken", f"{sent.origin()}: the answer broke off") from None
            if len(content) + len(chunk) > http.BODY_BYTES_MAX:
                raise http.HttpError("TooLarge", f"the answer is larger than {http.BODY_BYTES_MAX} bytes")
            content += chunk


def _failure(code: wasi.ErrorCode, sent: "http.Request") -> "http.HttpError":
    case = type(code).__name__.removeprefix("ErrorCode_")
    if case == "HttpRequestDenied":
        return sent.denied()
    name, why = ERRORS.get(case, ("Broken", case))
    return http.HttpError(name, f"{sent.origin()}: {why}")
