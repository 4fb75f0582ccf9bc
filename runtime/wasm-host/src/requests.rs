//! A guest's requests to the outside: `wasi:http/outgoing-handler`, within the grants of its call.
//!
//! A request is held against the rules as it is written; then it goes, whole, to whoever makes requests for this host.
//! Nothing of how a message ends on the wire is the guest's to say.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, header, request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpHooks};

use crate::call::Call;
use crate::denials::Denials;
use crate::gate::Gate;
use crate::manifest::HttpRule;
use crate::outgoing::{Outgoing, OutgoingBounds, OutgoingError};
use crate::shares::Shares;

/// Ours: the body of a request or of an answer, which is in memory as a whole.
pub const HTTP_BODY_BYTES_MAX: usize = 8 << 20;
/// Ours: answers of one call that it has not read to their end, together.
pub const HTTP_UNREAD_BYTES_MAX: usize = 32 << 20;
/// Ours: the same of all calls, in our memory. A module holds at most as much of it as it leaves free.
pub const HTTP_UNREAD_BYTES_OF_HOST_MAX: u64 = 1 << 30;
/// Ours: requests of one call that are under way at once; more of them wait.
pub const HTTP_REQUESTS_MAX: usize = 8;
/// Ours: requests of all calls that are under way at once, with at most 2 GiB of bodies.
pub const HTTP_REQUESTS_OF_HOST_MAX: u32 = 128;
/// Ours: requests that wait until some of those are over. A module with more of them than others gives its last one up.
const HTTP_REQUESTS_WAITING_MAX: usize = 8_192;
/// Ours: the headers of one message, as they are in memory.
pub const HTTP_HEADER_BYTES_MAX: usize = 64 << 10;
/// Ours: what a guest writes to a body at once. A thousand bodies that nobody reads hold so much each.
const HTTP_CHUNK_BYTES_MAX: usize = 64 << 10;

/// Headers that say how a message ends or what a proxy does with it, beside those that wasi:http forbids.
const FRAMING: [header::HeaderName; 4] =
    [header::CONTENT_LENGTH, header::EXPECT, header::TE, header::TRAILER];

type Answer = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// The requests of one call.
pub(crate) struct Requests {
    rules: Vec<HttpRule>,
    denials: Denials,
    timeout: Duration,
    exchange: Exchange,
}

/// What a request needs on its way.
#[derive(Clone)]
struct Exchange {
    outgoing: Option<Arc<dyn Outgoing>>,
    of_call: Arc<Semaphore>,
    of_host: OfHost,
    module: Arc<str>,
    unread: Arc<AtomicUsize>,
}

/// What requests of all calls share. Clones are the same.
#[derive(Clone)]
pub(crate) struct OfHost {
    /// Modules take turns for them.
    places: Gate,
    unread: Shares,
}

impl Requests {
    pub(crate) fn new(
        call: &Call,
        outgoing: Option<Arc<dyn Outgoing>>,
        of_host: OfHost,
        denials: Denials,
    ) -> Requests {
        let of_call = Arc::new(Semaphore::new(HTTP_REQUESTS_MAX));
        let module = Arc::clone(&call.module);
        let exchange = Exchange { outgoing, of_call, of_host, module, unread: Arc::default() };
        Requests { rules: call.grants.http.clone(), denials, timeout: call.limits.timeout, exchange }
    }

    /// Whether a request may leave, and what is missing if not.
    fn permits(&self, parts: &request::Parts) -> bool {
        let (method, uri) = (parts.method.as_str(), &parts.uri);
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
        let (host, port) = (authority.host(), authority.port_u16());
        // Whoever reads the text of an address with a user in it may take another part for the host.
        let is_plain = !authority.as_str().contains('@') && has_plain_path(uri);
        if is_plain && self.rules.iter().any(|rule| rule.covers(scheme, host, port, method)) {
            return true;
        }
        let rule = HttpRule::for_request(scheme, host, port, method).filter(|_| is_plain);
        let needs = rule.map_or_else(
            || "it cannot be granted".to_owned(),
            |rule| format!("it needs [[grants.http]] {rule}"),
        );
        self.denials.note(format!("{method} {scheme}://{host}: {needs}"));
        false
    }
}

/// A path that begins otherwise would be read as a part of the host.
fn has_plain_path(uri: &Uri) -> bool {
    uri.path_and_query().is_none_or(|path| path.as_str().is_empty() || path.as_str().starts_with(['/', '?']))
}

impl OfHost {
    pub(crate) fn new() -> OfHost {
        OfHost {
            places: Gate::new(HTTP_REQUESTS_OF_HOST_MAX, HTTP_REQUESTS_WAITING_MAX),
            unread: Shares::new(HTTP_UNREAD_BYTES_OF_HOST_MAX),
        }
    }
}

/// The limits of headers.
pub(crate) fn context() -> WasiHttpCtx {
    let mut context = WasiHttpCtx::new();
    context.set_field_size_limit(HTTP_HEADER_BYTES_MAX);
    context
}

impl WasiHttpHooks for Requests {
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        HTTP_CHUNK_BYTES_MAX
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let (parts, body) = request.into_parts();
        if !self.permits(&parts) {
            return Box::new(async { refused(body, Error::HttpRequestDenied).await });
        }
        let asked = options.and_then(|options| options.first_byte_timeout);
        let timeout = asked.map_or(self.timeout, |asked| asked.min(self.timeout));
        let (exchange, denials) = (self.exchange.clone(), self.denials.clone());
        Box::new(async move { exchange.send(parts, body, timeout, &denials).await })
    }
}

/// A guest may take it for the end of everything if its body goes nowhere, so that is read all the same. The guest pays for
/// what it writes, and nothing of it is kept.
async fn refused<T>(mut body: WasiBody, why: Error) -> Result<T, Error> {
    while let Some(Ok(_)) = body.frame().await {}
    Err(why)
}

impl Exchange {
    async fn send(
        self,
        parts: request::Parts,
        body: WasiBody,
        timeout: Duration,
        denials: &Denials,
    ) -> Answer {
        // The semaphore is never closed.
        let _of_call = self.of_call.acquire_owned().await.map_err(|_| Error::InternalError(None))?;
        let never = CancellationToken::new();
        let Ok(_of_host) = self.of_host.places.enter(&self.module, u32::MAX, &never).await else {
            return refused(body, Error::ConnectionLimitReached).await;
        };
        let place =
            format!("{} {}", parts.method, parts.uri.authority().map_or("", |authority| authority.as_str()));
        let request = whole(parts, body).await?;
        let Some(outgoing) = self.outgoing else {
            denials.note(format!("{place}: this host makes no requests"));
            return Err(Error::HttpRequestDenied);
        };
        let bounds = OutgoingBounds { timeout, body_bytes_max: HTTP_BODY_BYTES_MAX };
        let answer = outgoing.send(&self.module, request, bounds).await;
        let answer = answer.map_err(|error| failed(error, &place, denials))?;
        has_short_headers(answer.headers())?;
        let bytes = answer.body().len();
        let of_host = self.of_host.unread.take(&self.module, bytes as u64).ok_or_else(too_much_unread)?;
        let unread = (Unread::of(bytes, self.unread)?, of_host);
        let answer = answer.map(|body| {
            let keep = move |never| {
                let _until_the_body_is_dropped = &unread;
                Error::from(never)
            };
            Full::new(body).map_err(keep).boxed_unsync()
        });
        Ok((answer, Box::new(async { Ok(()) })))
    }
}

/// The request with all of its body, and without what is not the guest's to say.
async fn whole(mut parts: request::Parts, mut body: WasiBody) -> Result<Request<Bytes>, Error> {
    let bytes = match Limited::new(&mut body, HTTP_BODY_BYTES_MAX).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return refused(body, Error::HttpRequestBodySize(Some(HTTP_BODY_BYTES_MAX as u64))).await;
        }
        Err(error) => return Err(error.downcast().map_or(Error::InternalError(None), |error| *error)),
    };
    strip(&mut parts.headers);
    Ok(Request::from_parts(parts, bytes))
}

fn strip(headers: &mut HeaderMap) {
    for name in FRAMING.iter().chain(&wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS) {
        headers.remove(name);
    }
}

/// A guest may keep the headers of a thousand answers.
fn has_short_headers(headers: &HeaderMap) -> Result<(), Error> {
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
    if bytes > HTTP_HEADER_BYTES_MAX {
        return Err(Error::HttpResponseHeaderSectionSize(u32::try_from(bytes).ok()));
    }
    Ok(())
}

fn failed(error: OutgoingError, place: &str, denials: &Denials) -> Error {
    match error {
        OutgoingError::Forbidden(why) => {
            denials.note(format!("{place}: {why}"));
            Error::HttpRequestDenied
        }
        OutgoingError::Lookup(why) => {
            tracing::debug!(why, "a module's request found no address");
            Error::DnsError { rcode: None, info_code: None }
        }
        OutgoingError::Connect(why) => {
            tracing::debug!(why, "a module's request found no connection");
            Error::DestinationUnavailable
        }
        OutgoingError::Tls(why) => {
            tracing::debug!(why, "a module's request found nobody to trust");
            Error::TlsCertificateError
        }
        OutgoingError::TimedOut => Error::HttpResponseTimeout,
        OutgoingError::TooLarge => Error::HttpResponseBodySize(Some(HTTP_BODY_BYTES_MAX as u64)),
        OutgoingError::Broken(why) => {
            tracing::debug!(why, "a module's request broke off");
            Error::HttpProtocolError
        }
        OutgoingError::Invalid(_) => Error::HttpRequestUriInvalid,
    }
}

/// Bytes of an answer that the guest has not read to its end.
struct Unread {
    bytes: usize,
    total: Arc<AtomicUsize>,
}

fn too_much_unread() -> Error {
    Error::HttpResponseBodySize(Some(HTTP_UNREAD_BYTES_MAX as u64))
}

impl Unread {
    fn of(bytes: usize, total: Arc<AtomicUsize>) -> Result<Unread, Error> {
        let add = |unread: usize| Some(unread + bytes).filter(|unread| *unread <= HTTP_UNREAD_BYTES_MAX);
        match total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add) {
            Ok(_) => Ok(Unread { bytes, total }),
            Err(_) => Err(too_much_unread()),
        }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Requests").field("rules", &self.rules).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::digest::Digest;
    use crate::manifest::Manifest;
    use crate::outgoing::{OutgoingFuture, OutgoingRequest};

    /// Answers as it is told, and keeps what came.
    #[derive(Debug)]
    struct Outside {
        answer: Result<usize, OutgoingError>,
        seen: Mutex<Vec<OutgoingRequest>>,
    }

    impl Outgoing for Outside {
        fn send(&self, _: &Arc<str>, request: OutgoingRequest, _: OutgoingBounds) -> OutgoingFuture {
            self.seen.lock().unwrap().push(request);
            let answer = self.answer.clone().map(|bytes| Response::new(Bytes::from(vec![b'x'; bytes])));
            Box::pin(async move { answer })
        }
    }

    struct Test {
        requests: Requests,
        outside: Arc<Outside>,
        denials: Denials,
    }

    impl Test {
        fn new(answer: Result<usize, OutgoingError>) -> Test {
            Test::of("module", OfHost { places: Gate::new(1, 0), ..OfHost::new() }, answer)
        }

        /// A call of a module beside others.
        fn of(module: &str, of_host: OfHost, answer: Result<usize, OutgoingError>) -> Test {
            let text = "[[grants.http]]\nscheme = \"https\"\nhost = \"*.example.com\"\nmethods = [\"GET\", \"POST\"]";
            let rules = Manifest::parse(text).unwrap().grants.http.unwrap();
            let outside = Arc::new(Outside { answer, seen: Mutex::default() });
            let denials = Denials::default();
            let outgoing: Arc<dyn Outgoing> = Arc::clone(&outside) as _;
            let mut call = Call::of(module.into(), Digest::of(b""), "1");
            call.grants.http = rules;
            let requests = Requests::new(&call, Some(outgoing), of_host, denials.clone());
            Test { requests, outside, denials }
        }

        async fn send(
            &mut self,
            request: request::Builder,
            body: Vec<u8>,
        ) -> Result<Response<WasiBody>, Error> {
            let body = Full::new(Bytes::from(body)).map_err(Error::from).boxed_unsync();
            let request = request.body(body).unwrap();
            let sent = self.requests.send_request(request, None, Box::new(async { Ok(()) }));
            Pin::from(sent).await.map(|(answer, _)| answer)
        }

        async fn error(&mut self, request: request::Builder) -> String {
            self.send(request, Vec::new()).await.expect_err("it is refused").to_string()
        }
    }

    #[tokio::test]
    async fn a_request_that_is_granted_goes_out_whole() {
        let mut test = Test::new(Ok(3));
        let request = Request::post("https://api.example.com/a?b=c")
            .header("content-length", "4000")
            .header("te", "trailers")
            .header("x-own", "1");
        let answer = test.send(request, b"text".to_vec()).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "xxx");
        let seen = test.outside.seen.lock().unwrap().remove(0);
        assert_eq!(
            (seen.uri().to_string().as_str(), &seen.body()[..]),
            ("https://api.example.com/a?b=c", &b"text"[..])
        );
        assert_eq!(seen.headers().keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["x-own"]);
        assert!(test.denials.take().is_empty());
    }

    #[tokio::test]
    async fn what_no_rule_covers_is_denied_and_named() {
        let mut test = Test::new(Ok(0));
        let denied = Error::HttpRequestDenied.to_string();
        for (request, needs) in [
            (
                Request::get("http://api.example.com/"),
                r#"it needs [[grants.http]] { scheme = "http", host = "api.example.com", port = 80, methods = ["GET"] }"#,
            ),
            (Request::delete("https://api.example.com/"), r#"methods = ["DELETE"]"#),
            (Request::get("https://example.com:8443/"), "port = 8443"),
            (Request::get("https://api.example.com@127.0.0.1/"), "it cannot be granted"),
            (Request::get("https://127.0.0.1/"), r#"host = "127.0.0.1""#),
        ] {
            assert_eq!(test.error(request).await, denied);
            let list = test.denials.take();
            assert!(list.len() == 1 && list[0].contains(needs), "{list:?}");
        }
        assert!(test.outside.seen.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_place_that_no_module_may_reach_is_denied_and_named() {
        let mut test = Test::new(Err(OutgoingError::Forbidden("it has a loopback address".to_owned())));
        let error = test.error(Request::get("https://rebind.example.com/")).await;
        assert_eq!(error, Error::HttpRequestDenied.to_string());
        assert_eq!(test.denials.take(), ["GET rebind.example.com: it has a loopback address"]);
    }

    #[tokio::test]
    async fn what_a_connection_failed_at_is_told() {
        for (error, told) in [
            (OutgoingError::Lookup(String::new()), Error::DnsError { rcode: None, info_code: None }),
            (OutgoingError::Connect(String::new()), Error::DestinationUnavailable),
            (OutgoingError::Tls(String::new()), Error::TlsCertificateError),
            (OutgoingError::TimedOut, Error::HttpResponseTimeout),
        ] {
            let mut test = Test::new(Err(error));
            assert_eq!(test.error(Request::get("https://a.example.com/")).await, told.to_string());
            assert!(test.denials.take().is_empty());
        }
    }

    #[tokio::test]
    async fn bodies_have_a_bound() {
        let mut test = Test::new(Ok(HTTP_BODY_BYTES_MAX));
        let get = || Request::get("https://a.example.com/");
        let error = test.send(get(), vec![0; HTTP_BODY_BYTES_MAX + 1]).await.err().unwrap();
        assert!(matches!(error, Error::HttpRequestBodySize(Some(_))), "{error}");
        assert!(test.outside.seen.lock().unwrap().is_empty());
        let mut unread = Vec::new();
        for _ in 0..HTTP_UNREAD_BYTES_MAX / HTTP_BODY_BYTES_MAX {
            unread.push(test.send(get(), Vec::new()).await.unwrap());
        }
        let error = test.send(get(), Vec::new()).await.err().unwrap();
        assert!(matches!(error, Error::HttpResponseBodySize(Some(_))), "{error}");
        drop(unread.pop());
        test.send(get(), Vec::new()).await.unwrap();
    }

    #[tokio::test]
    async fn a_body_that_goes_nowhere_is_read_to_its_end() {
        for (url, expected) in [
            ("https://a.example.com/", Error::HttpRequestBodySize(Some(HTTP_BODY_BYTES_MAX as u64))),
            ("https://elsewhere.invalid/", Error::HttpRequestDenied),
        ] {
            let mut test = Test::new(Ok(0));
            let is_at_end = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&is_at_end);
            let body = Full::new(Bytes::from(vec![0; HTTP_BODY_BYTES_MAX + 1])).map_err(Error::from);
            let body = body.with_trailers(async move {
                seen.store(true, Ordering::Relaxed);
                None
            });
            let request = Request::post(url).body(body.boxed_unsync()).unwrap();
            let sent = test.requests.send_request(request, None, Box::new(async { Ok(()) }));
            let error = Pin::from(sent).await.err().unwrap();
            assert_eq!((error.to_string(), is_at_end.load(Ordering::Relaxed)), (expected.to_string(), true));
        }
    }

    #[tokio::test]
    async fn no_module_has_all_the_room_for_answers() {
        let unread = Shares::new(4 * HTTP_BODY_BYTES_MAX as u64);
        let of_host = OfHost { unread, ..OfHost::new() };
        let call = |module: &str| Test::of(module, of_host.clone(), Ok(HTTP_BODY_BYTES_MAX));
        let get = || Request::get("https://a.example.com/");
        let mut calls = [call("hostile"), call("hostile"), call("hostile"), call("neighbour")];
        let mut unread = Vec::new();
        for hostile in &mut calls[..2] {
            unread.push(hostile.send(get(), Vec::new()).await.unwrap());
        }
        let error = calls[2].send(get(), Vec::new()).await.err().unwrap();
        assert!(matches!(error, Error::HttpResponseBodySize(Some(_))), "{error}");
        calls[3].send(get(), Vec::new()).await.unwrap();
        drop(unread);
        calls[2].send(get(), Vec::new()).await.unwrap();
    }
}
