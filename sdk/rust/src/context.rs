//! Which attempt of which state a call is, and how long it may still take.

use std::time::{Duration, SystemTime};

use crate::host;

/// The call this code runs in. A task that takes one as its second argument is given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The ARN of the execution.
    pub execution_arn: String,
    /// The name of the execution: the same over all attempts, so a good part of an idempotency key.
    pub execution_name: String,
    /// The ARN of the state machine.
    pub state_machine_arn: String,
    /// The state that runs this task.
    pub state_name: String,
    /// 0 for the first attempt of the state, then one more for each retry.
    pub attempt: u32,
    /// When the host stops this call.
    pub deadline: SystemTime,
    /// Present when the state waits for a task token (`.waitForTaskToken`).
    pub task_token: Option<String>,
}

impl Context {
    /// The context of the call that runs now.
    #[must_use]
    pub fn current() -> Self {
        host::context()
    }

    /// The time left before the host stops this call; zero once the deadline has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO)
    }
}

/// A plausible first attempt with a minute to go, for tests to vary.
#[cfg(not(target_family = "wasm"))]
impl Default for Context {
    fn default() -> Self {
        Self {
            execution_arn: "arn:aws:states:us-east-1:123456789012:execution:example:test".to_owned(),
            execution_name: "test".to_owned(),
            state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:example".to_owned(),
            state_name: "Task".to_owned(),
            attempt: 0,
            deadline: SystemTime::now() + Duration::from_secs(60),
            task_token: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_counts_down_to_zero_and_stays_there() {
        let context = Context::default();
        assert!(context.remaining() > Duration::from_secs(50));
        let late = Context { deadline: SystemTime::UNIX_EPOCH, ..context };
        assert_eq!(late.remaining(), Duration::ZERO);
    }
}
