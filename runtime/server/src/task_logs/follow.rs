//! A log that is followed: its lines as they come, until the execution has ended and all of them are out.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use asl::interpreter::ExecutionId;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde_json::json;
use store::{ExecutionStatus, Store};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

use super::TaskLogs;
use super::page::Wanted;
use super::shelf::Position;
use crate::api::{STATUSES, word};
use crate::app::App;
use crate::limits::{
    PAGE_RESULTS_MAX, TASK_LOG_FOLLOW_INTERVAL, TASK_LOG_FOLLOWER_PATIENCE, TASK_LOG_FOLLOWERS_MAX,
    TASK_LOG_KEEP_ALIVE, TASK_LOG_PIECES_MAX,
};
use crate::problem::Problem;

/// Feeds one client. It ends with the execution, with the client, or with the server.
pub(super) struct Follower<S> {
    app: App<S>,
    logs: Arc<TaskLogs>,
    execution: ExecutionId,
    wanted: Wanted,
    at: Position,
    sender: mpsc::Sender<Bytes>,
    sent_at: Instant,
    _place: OwnedSemaphorePermit,
}

/// Why a follower ends before its execution.
enum Cut {
    ClientGone,
    /// It was logged.
    Failed,
}

impl<S: Store + Clone> Follower<S> {
    pub(super) fn start(
        app: &App<S>,
        logs: &Arc<TaskLogs>,
        execution: ExecutionId,
        wanted: Wanted,
        from: Position,
    ) -> Result<Response, Problem> {
        let place = Arc::clone(&logs.followers).try_acquire_owned().map_err(|_| {
            Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyFollowers",
                format!(
                    "{TASK_LOG_FOLLOWERS_MAX} clients follow logs already; ask again without follow=true."
                ),
            )
        })?;
        let (sender, pieces) = mpsc::channel(TASK_LOG_PIECES_MAX);
        let follower = Follower {
            app: app.clone(),
            logs: Arc::clone(logs),
            execution,
            wanted,
            at: from,
            sender,
            sent_at: Instant::now(),
            _place: place,
        };
        tokio::spawn(follower.run());
        let kind = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")];
        Ok((kind, Body::new(Pieces(pieces))).into_response())
    }

    async fn run(mut self) {
        let stopping = self.app.stopping().clone();
        let gone = self.sender.clone();
        tokio::select! {
            _cut = self.feed() => {}
            () = gone.closed() => {}
            () = stopping.cancelled() => {}
        }
    }

    async fn feed(&mut self) -> Result<(), Cut> {
        loop {
            // Before the lines: all that was logged before the end is among them then.
            let ended = self.ended().await?;
            self.send_new().await?;
            if let Some(status) = ended {
                // Attempts that were given up with it say their last words after it.
                if status != ExecutionStatus::Succeeded {
                    tokio::time::sleep(TASK_LOG_FOLLOW_INTERVAL).await;
                    self.send_new().await?;
                }
                let end = json!({"executionStatus": word(STATUSES, status)});
                return self.send(format!("{end}\n")).await;
            }
            if self.sent_at.elapsed() >= TASK_LOG_KEEP_ALIVE {
                self.send("\n".to_owned()).await?;
            }
            tokio::time::sleep(TASK_LOG_FOLLOW_INTERVAL).await;
        }
    }

    async fn ended(&self) -> Result<Option<ExecutionStatus>, Cut> {
        match self.app.store().execution(self.execution).await {
            Ok(Some(record)) => Ok(match record.status {
                ExecutionStatus::Running | ExecutionStatus::PendingRedrive => None,
                ended => Some(ended),
            }),
            // It was removed, and with it what there was to follow.
            Ok(None) => Err(Cut::Failed),
            Err(error) => {
                tracing::error!(%error, "the execution of a followed log cannot be read");
                Err(Cut::Failed)
            }
        }
    }

    /// Sends what has come since the last look.
    async fn send_new(&mut self) -> Result<(), Cut> {
        loop {
            let page = self.logs.page(&self.wanted, self.at, PAGE_RESULTS_MAX as usize).await;
            let page = page.map_err(|error| {
                tracing::error!(%error, "a followed log cannot be read");
                Cut::Failed
            })?;
            self.at = page.next;
            let mut text = String::new();
            for line in &page.lines {
                text.push_str(&serde_json::to_string(line).expect("writing to memory cannot fail"));
                text.push('\n');
            }
            if !text.is_empty() {
                self.send(text).await?;
            }
            if !page.has_more {
                return Ok(());
            }
        }
    }

    /// Waits for the client, but not for ever.
    async fn send(&mut self, text: String) -> Result<(), Cut> {
        self.sent_at = Instant::now();
        let sent = self.sender.send_timeout(Bytes::from(text), TASK_LOG_FOLLOWER_PATIENCE).await;
        sent.map_err(|_| Cut::ClientGone)
    }
}

/// The pieces as the body of an answer. When the client hangs up, it is dropped, and the follower sees that.
struct Pieces(mpsc::Receiver<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
