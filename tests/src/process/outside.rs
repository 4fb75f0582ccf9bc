//! A server of the outside that tasks reach: it keeps what it is asked, and answers what the test says.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The largest body that it reads; no test sends more, and no module can.
const BODY_BYTES_MAX: usize = 8 << 20;

/// One request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// In their order, the names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// What a handler does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Status line after the version, further headers, body.
    Answer(&'static str, Vec<(&'static str, String)>, Vec<u8>),
    /// Hangs up without an answer.
    HangUp,
    /// Never answers; the client has to hang up.
    Silence,
}

impl Reply {
    pub fn json(status: &'static str, body: &serde_json::Value) -> Reply {
        Reply::Answer(
            status,
            vec![("content-type", "application/json".to_owned())],
            body.to_string().into_bytes(),
        )
    }
}

type Handler = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The server; it ends with the process of the test.
#[derive(Debug)]
pub struct Outside {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    asked: Vec<Asked>,
    /// Clients that hung up while they waited.
    gone: usize,
}

impl Outside {
    pub fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Outside {
        Outside::start_over(Plain, handler)
    }

    /// Over something else than TCP alone.
    pub fn start_over<T: Transport>(
        transport: T,
        handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Outside {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be listened on");
        let address = listener.local_addr().expect("a listener has an address");
        let log = Arc::new(Mutex::new(Log::default()));
        let (handler, transport): (Arc<Handler>, _) = (Arc::new(handler), Arc::new(transport));
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, transport, log) =
                    (Arc::clone(&handler), Arc::clone(&transport), Arc::clone(&kept));
                thread::spawn(move || {
                    // A client that hangs up is none of a test's problems.
                    let _ = transport.accept(stream).and_then(|stream| serve(stream, &*handler, &log));
                });
            }
        });
        Outside { address, log }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.log.lock().expect("no handler panics").asked.clone()
    }

    /// How many clients hung up while they waited for an answer.
    pub fn gone(&self) -> usize {
        self.log.lock().expect("no handler panics").gone
    }
}

/// What lies between TCP and HTTP.
pub trait Transport: Send + Sync + 'static {
    type Stream: Read + Write;

    fn accept(&self, stream: TcpStream) -> io::Result<Self::Stream>;
}

#[derive(Debug)]
struct Plain;

impl Transport for Plain {
    type Stream = TcpStream;

    fn accept(&self, stream: TcpStream) -> io::Result<TcpStream> {
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Requests of one connection, one after the other.
fn serve(stream: impl Read + Write, handler: &Handler, log: &Mutex<Log>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read(&mut stream)? {
        let is_head = asked.method == "HEAD";
        let reply = handler(&asked);
        log.lock().expect("no handler panics").asked.push(asked);
        match reply {
            Reply::HangUp => return Ok(()),
            Reply::Silence => {
                let _hung_up = stream.read(&mut [0]);
                log.lock().expect("no handler panics").gone += 1;
                return Ok(());
            }
            Reply::Answer(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status}\r\n");
                for (name, value) in &headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
                let body = if is_head { Vec::new() } else { body };
                stream.get_mut().write_all(&[head.into_bytes(), body].concat())?;
                stream.get_mut().flush()?;
            }
        }
    }
    Ok(())
}

fn read(stream: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) =
        (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut asked = Asked { method, target, headers, body: String::new() };
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if length > BODY_BYTES_MAX {
        return Err(io::Error::other("the body is too large"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(asked))
}
