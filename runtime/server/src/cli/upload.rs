//! An upload as it goes out, in pieces that are counted, so that a person sees how far it is.

use std::io::{self, IsTerminal, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Ours: an upload that is smaller is over before anybody looks.
const SHOWN_BYTES_MIN: usize = 4 << 20;
/// Bytes in a piece.
const PIECE_BYTES: usize = 64 << 10;
/// Characters of the bar.
const BAR_WIDTH: usize = 30;

/// Who is told how many bytes are on their way.
pub(crate) type Watcher = Box<dyn FnMut(usize) + Send>;

/// A body that tells how much of it was sent.
pub(crate) struct Upload {
    left: Bytes,
    sent: usize,
    watcher: Watcher,
}

impl Upload {
    pub(crate) fn new(bytes: Bytes, watcher: Watcher) -> Upload {
        Upload { left: bytes, sent: 0, watcher }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.left.len().min(PIECE_BYTES);
        let piece = self.left.split_to(length);
        self.sent += length;
        let sent = self.sent;
        (self.watcher)(sent);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

/// A watcher that draws a bar for a large upload on a terminal, and otherwise does nothing.
pub(crate) fn watcher(name: &str, total: usize) -> Watcher {
    if total < SHOWN_BYTES_MIN || !io::stderr().is_terminal() {
        return Box::new(|_| {});
    }
    let name = name.to_owned();
    let mut shown = None;
    Box::new(move |sent| {
        let percent = sent.saturating_mul(100) / total;
        if shown != Some(percent) {
            shown = Some(percent);
            // A terminal that is gone is no failure.
            let _gone = io::stderr().lock().write_all(line(&name, sent, total).as_bytes());
        }
    })
}

/// The bar in the place of the one before; when all is sent, it goes, and a line says what goes on.
fn line(name: &str, sent: usize, total: usize) -> String {
    if sent >= total {
        return format!("\r\x1b[2K{name}: sent; the server checks and compiles it\n");
    }
    let full = BAR_WIDTH * sent / total;
    let tenths = |bytes: usize| format!("{}.{}", bytes / 1_000_000, bytes / 100_000 % 10);
    let (sent, total) = (tenths(sent), tenths(total));
    format!("\r\x1b[2K{name}: [{}{}] {sent} of {total} MB", "#".repeat(full), ".".repeat(BAR_WIDTH - full))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn an_upload_is_all_of_its_bytes_and_tells_how_far_it_is() {
        let bytes = Bytes::from((0..200_000_u32).map(|number| number as u8).collect::<Vec<_>>());
        let told = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&told);
        let upload = Upload::new(bytes.clone(), Box::new(move |sent| notes.lock().unwrap().push(sent)));
        assert_eq!(upload.size_hint().exact(), Some(200_000), "its length is told before it");
        assert_eq!(upload.collect().await.unwrap().to_bytes(), bytes);
        assert_eq!(*told.lock().unwrap(), [65_536, 131_072, 196_608, 200_000]);
    }

    #[test]
    fn the_bar_grows_and_goes() {
        let half = line("py", 9_100_000, 18_200_000);
        assert_eq!(half, format!("\r\x1b[2Kpy: [{}{}] 9.1 of 18.2 MB", "#".repeat(15), ".".repeat(15)));
        assert_eq!(line("py", 5, 5), "\r\x1b[2Kpy: sent; the server checks and compiles it\n");
    }
}
