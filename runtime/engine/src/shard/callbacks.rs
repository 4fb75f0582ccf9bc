//! Callback links: what people are asked about attempts, and what they answer.
//!
//! A request is kept with the execution, so that a link can show it. An answer is one like that with a token, and the
//! batch in which it is taken notes it, so that whoever follows the link again is told.

use asl::Timestamp;
use asl::interpreter::{CallbackRequest, TaskToken};
use store::{CallbackAnswered, CallbackKey, CallbackRequestKey, Change};

use crate::request::{AnswerCallback, Refusal};

use super::{Shard, TaskKey};

impl Shard {
    /// Keeps a request for the attempt of a token; gives its number.
    pub(super) fn ask_callback(
        &mut self,
        token: &TaskToken,
        request: CallbackRequest,
    ) -> Result<u64, Refusal> {
        let task = self.proved(token)?;
        if !self.awaits(task) {
            return Err(Refusal::TaskTimedOut);
        }
        let number = self.next_number();
        self.keep_request(task, number, request);
        Ok(number)
    }

    pub(super) fn keep_request(&mut self, task: TaskKey, number: u64, request: CallbackRequest) {
        let key = CallbackRequestKey { callback: callback_key(task), number };
        self.batch.callback_requests.insert(key, Change::Put(request));
    }

    pub(super) fn answer_callback(
        &mut self,
        said: &AnswerCallback,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        let AnswerCallback { task, request, answer } = said;
        self.answer_task(*task, request.outcome(answer, now), now)?;
        let answered = CallbackAnswered { decision: answer.decision, at: now };
        self.batch.callback_answers.insert(callback_key(*task), Change::Put(answered));
        Ok(now)
    }
}

fn callback_key(task: TaskKey) -> CallbackKey {
    CallbackKey { row: task.row_key(), attempt: task.attempt }
}
