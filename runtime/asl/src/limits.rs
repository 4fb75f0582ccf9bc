//! Every limit of Amazon States Language and of the service around it, with its source.

/// AWS quota: input or output of a task, state or execution, in bytes of UTF-8.
pub const PAYLOAD_BYTES_MAX: usize = 262_144;
/// AWS quota: the text of a definition, in bytes.
pub const DEFINITION_BYTES_MAX: usize = 1_048_576;
/// AWS quota: an execution history holds at most 25,000 events.
pub const HISTORY_EVENTS_MAX: u32 = 25_000;
/// ASL specification and AWS service model: characters in a state's name.
pub const STATE_NAME_CHARACTERS_MAX: usize = 80;
/// AWS: seconds of a Wait, a timeout, a heartbeat or a retry interval.
pub const SECONDS_MAX: u32 = 99_999_999;
/// AWS quota: an Express execution runs at most five minutes.
pub const EXPRESS_SECONDS_MAX: u32 = 300;
/// AWS service model: characters in an error name.
pub const ERROR_CHARACTERS_MAX: usize = 256;
/// AWS service model: characters in a cause.
pub const CAUSE_CHARACTERS_MAX: usize = 32_768;
/// AWS: `MaxDelaySeconds` of a retrier (366 days).
pub const RETRY_DELAY_SECONDS_MAX: u32 = 31_622_400;
/// AWS: an inline Map runs about 40 iterations at once.
pub const INLINE_MAP_CONCURRENCY_MAX: u32 = 40;
/// AWS quota: child executions of a distributed Map that run at once.
pub const MAP_RUN_CONCURRENCY_MAX: u32 = 10_000;
/// AWS: how often a Map Run can be redriven.
pub const MAP_RUN_REDRIVES_MAX: u32 = 1_000;
/// Ours: characters in the title of a callback request.
pub const CALLBACK_TITLE_CHARACTERS_MAX: usize = 200;
/// Ours: characters in the message of a callback request, or in the comment of its answer.
pub const CALLBACK_MESSAGE_CHARACTERS_MAX: usize = 4_000;
/// Ours: what a callback request shows, in bytes of JSON. A page has to show it to a person.
pub const CALLBACK_PAYLOAD_BYTES_MAX: usize = 32_768;
/// Ours: seconds for which callback links are open unless the request says otherwise: a week.
pub const CALLBACK_SECONDS_DEFAULT: u32 = 7 * 24 * 3600;
/// Ours: seconds for which callback links can be open: 90 days.
pub const CALLBACK_SECONDS_MAX: u32 = 90 * 24 * 3600;
/// Ours: how deep branches and item processors may nest. Deeper definitions exhaust a stack elsewhere.
pub const SCOPE_DEPTH_MAX: usize = 64;
/// Ours: events that one step may write before it gives way to other executions.
pub const STEP_EVENTS_MAX: usize = 512;
/// Ours: bytes of payload that one step may write before it gives way to other executions.
pub const STEP_BYTES_MAX: usize = 1 << 20;
/// Ours: child executions that one step may start or redrive before it gives way to other executions.
pub const STEP_CHILDREN_MAX: usize = 64;
/// Recorded from AWS: seconds of a computed Wait (2^31 - 1: 24,855 days pass, 24,856 fail).
pub const WAIT_SECONDS_MAX: i64 = 2_147_483_647;
/// AWS quota: the variables that one state assigns, in bytes of their JSON. One alone may have as many.
pub const ASSIGN_BYTES_MAX: usize = 262_144;
/// AWS quota: all variables of an execution, in bytes; here those that one thread of it sees.
pub const VARIABLES_BYTES_MAX: usize = 10 << 20;
