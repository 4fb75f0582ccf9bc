//! Takes connections, a bounded number at once, and ends them gently when the server stops.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::{ACCEPT_PAUSE, CONNECTIONS_MAX, DRAIN_TIMEOUT, HEAD_TIMEOUT};

/// Serves until `stopping` is cancelled, then waits for the requests that run, at most [`DRAIN_TIMEOUT`].
pub(crate) async fn run(listener: TcpListener, router: Router, stopping: CancellationToken) {
    let connections = TaskTracker::new();
    tokio::select! {
        () = accept(&listener, &router, &stopping, &connections) => {}
        () = stopping.cancelled() => {}
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(DRAIN_TIMEOUT, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests were cut off by the stop");
    }
}

async fn accept(
    listener: &TcpListener,
    router: &Router,
    stopping: &CancellationToken,
    connections: &TaskTracker,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // Above the limit, clients wait in the kernel's queue.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, router.clone(), stopping.clone(), place));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, router: Router, stopping: CancellationToken, _place: OwnedSemaphorePermit) {
    // Answers are written whole, so waiting to fill a segment only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection keeps its delay");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn start(router: Router) -> (std::net::SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = CancellationToken::new();
        (address, stopping.clone(), tokio::spawn(run(listener, router, stopping)))
    }

    #[tokio::test]
    async fn a_stop_lets_the_running_request_end() {
        let (started, release) = (CancellationToken::new(), CancellationToken::new());
        let (in_handler, go_on) = (started.clone(), release.clone());
        let handler = move || async move {
            in_handler.cancel();
            go_on.cancelled().await;
            "done"
        };
        let (address, stopping, server) = start(Router::new().route("/", get(handler))).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: sync-localhost\r\n\r\n").await.unwrap();
        started.cancelled().await;
        stopping.cancel();
        release.cancel();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
        server.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_stop_ends_idle_connections() {
        let (address, stopping, server) = start(Router::new()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stopping.cancel();
        server.await.unwrap();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    }
}
