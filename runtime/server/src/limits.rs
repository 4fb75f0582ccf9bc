//! Every limit of the HTTP side as a named constant with its reason.

use std::time::Duration;

/// AWS takes requests of 1 MB. The largest member is a definition of 1 MiB; written as a JSON string, each of
/// its quotes and line ends takes two bytes, so twice that and a margin for the other members.
pub const REQUEST_BYTES_MAX: usize = (2 << 20) + (64 << 10);
/// Ours: the largest component, the same as the module host's own limit.
pub const MODULE_BYTES_MAX: usize = 64 << 20;
/// Ours: the manifest of a module, which is kept in the store with each version.
pub const MANIFEST_BYTES_MAX: usize = 64 << 10;
/// AWS Lambda: characters in the description of a function, a version or an alias.
pub const MODULE_DESCRIPTION_CHARACTERS_MAX: usize = 256;
/// Ours: a request with the code of a function: the largest component in base64, and the other members.
pub const LAMBDA_UPLOAD_BYTES_MAX: usize = MODULE_BYTES_MAX / 3 * 4 + (1 << 20);
/// AWS Lambda: the payload of an invocation that is waited for.
pub const INVOCATION_BYTES_MAX: usize = 6 << 20;
/// AWS Lambda: the payload of an invocation that nobody waits for.
pub const EVENT_BYTES_MAX: usize = 1 << 20;
/// Ours: entries of an archive with a module: the component, the manifest, and folders.
pub const ARCHIVE_ENTRIES_MAX: usize = 16;
/// Ours: the longest time for one call of a module that can be configured, a day. Lambda's is 15 minutes.
pub const MODULE_TIMEOUT_SECONDS_MAX: u64 = 86_400;
/// Ours: open connections. A thousand workers may poll one activity, each with a connection of its own.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Ours: connections to elsewhere: 128 for requests of modules, 1,024 for HTTP tasks, and as many idle ones of either.
pub const OUTSIDE_CONNECTIONS_MAX: u64 = 3_200;
/// Ours: files that may be open at once: connections, files of guests, the store, and modules as they are read and written.
pub const DESCRIPTORS_NEEDED: u64 =
    CONNECTIONS_MAX as u64 + OUTSIDE_CONNECTIONS_MAX + wasm_host::limits::OPEN_FILES_MAX + 256;
/// Ours: the time a client has for the head of a request, and an idle connection until its next one.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// Ours: the time a client has for the body of an API request.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Ours: the time a client has for a component, 64 MiB over a line of 2 Mbit/s.
pub const MODULE_BODY_TIMEOUT: Duration = Duration::from_secs(300);
/// Ours: how long running requests may go on after a stop was asked for.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Ours: a pause after the listener failed, such as for want of file descriptors.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// AWS: the clock of a signer may be five minutes off.
pub const CLOCK_SKEW_SECONDS: i64 = 5 * 60;
/// AWS: a presigned URL is good for a week at most.
pub const PRESIGNED_SECONDS_MAX: i64 = 7 * 24 * 60 * 60;
/// Ours: headers under one signature.
pub const SIGNED_HEADERS_MAX: usize = 128;
/// Ours: marks of requests that are remembered until their signatures expire, about 40 MB. A request leaves one or two. At
/// more than 800 changing requests a second the oldest are forgotten early.
pub const MARKS_SEEN_MAX: usize = 1 << 19;
/// Ours: how long after a signature its like may come, when its signer does not make each one different. It is as long
/// as botocore tries to connect, and so as late as the second of two calls of one second may be.
pub const SIGNATURE_REPEAT_SECONDS: i64 = 60;
/// Ours: access keys of a server, all in memory.
pub const ACCESS_KEYS_MAX: usize = 1_000;
/// Ours: a description of an access key is a line.
pub const KEY_DESCRIPTION_CHARACTERS_MAX: usize = 256;

/// Ours: modules that may have one secret.
pub const SECRET_MODULES_MAX: usize = 100;

/// AWS service model: a page holds at most 1,000 results.
pub const PAGE_RESULTS_MAX: u32 = 1_000;
/// AWS: a page holds 100 results when `maxResults` is absent or 0.
pub const PAGE_RESULTS_DEFAULT: usize = 100;
/// AWS service model: diagnostics in one answer, also when `maxResults` is absent or 0.
pub const DIAGNOSTICS_MAX: u32 = 100;
/// AWS: a test of one state lasts at most five minutes.
pub const TEST_STATE_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// AWS: a `nextToken` lives for 24 hours.
pub const PAGE_TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Ours: attempts in one answer of the task list.
pub const TASK_ATTEMPTS_MAX: usize = 10_000;

/// Ours: the answer to a callback request: a payload written as a form, where a byte can take three, and a comment.
pub const CALLBACK_BODY_BYTES_MAX: usize = 3 * asl::limits::PAYLOAD_BYTES_MAX + (64 << 10);
/// Ours: the body of a request for callback links: a task token and what is asked.
pub const CALLBACK_LINKS_BODY_BYTES_MAX: usize = 128 << 10;

/// Ours: one file of an execution log; a larger one is put aside.
pub const EXECUTION_LOG_FILE_BYTES_MAX: u64 = 16 << 20;
/// Ours: files of one execution log, the one that is written and those put aside.
pub const EXECUTION_LOG_FILES_MAX: usize = 5;
/// Ours: bytes of events that wait to be written to execution logs.
pub const EXECUTION_LOG_QUEUE_BYTES_MAX: usize = 32 << 20;
/// Ours: messages that wait to be written to execution logs, each with the events of one execution.
pub const EXECUTION_LOG_QUEUE_ITEMS_MAX: usize = 16_384;
/// Ours: bytes of an execution log that are written at once, when so many have gathered.
pub const EXECUTION_LOG_WRITE_BYTES: usize = 1 << 20;
/// Ours: finished Express executions that are kept to look at, unless the server is told another number.
pub const EXPRESS_KEPT_DEFAULT: usize = 1_000;
/// Ours: MiB that they may take.
pub const EXPRESS_KEPT_MIB_DEFAULT: usize = 64;
/// Ours: the most that can be asked for of either.
pub const EXPRESS_KEPT_MAX: u64 = 1_000_000;
/// Ours: bytes of events on their way to where Express executions are kept.
pub const EXPRESS_KEPT_QUEUE_BYTES_MAX: usize = 16 << 20;
/// Ours: messages on their way there, each with the events of one execution.
pub const EXPRESS_KEPT_QUEUE_ITEMS_MAX: usize = 8_192;
/// Ours: Express executions whose history is being gathered. 10,000 can run; of others the end may have been lost.
pub const EXPRESS_OPEN_TRACES_MAX: usize = 20_000;

/// Ours: MiB that the logs of tasks may take on disk, unless the server is told another number.
pub const TASK_LOGS_MIB_DEFAULT: u64 = 256;
/// Ours: the most that can be asked for; all entries are found in memory.
pub const TASK_LOGS_MIB_MAX: u64 = 1 << 20;
/// Ours: segments among which a module's part of that room is divided, so that an eighth goes when the oldest one goes.
pub const TASK_LOG_SEGMENTS: u64 = 8;
/// Ours: a segment is not smaller, however many modules there are, if an eighth of the room is not.
pub const TASK_LOG_SEGMENT_BYTES_MIN: u64 = 64 << 10;
/// Ours: nor larger, however much is kept: places in it take four bytes.
pub const TASK_LOG_SEGMENT_BYTES_MAX: u64 = 1 << 30;
/// Ours: segments whose files are kept open to be written.
pub const TASK_LOG_OPEN_MAX: usize = 64;
/// Ours: logs of calls that are kept, whatever their size; the place of each takes 32 bytes of memory.
pub const TASK_LOG_ENTRIES_MAX: usize = 1 << 19;
/// Ours: bytes of logs that wait to be written.
pub const TASK_LOG_QUEUE_BYTES_MAX: usize = 32 << 20;
/// Ours: logs of calls that wait to be written.
pub const TASK_LOG_QUEUE_ITEMS_MAX: usize = 16_384;
/// Ours: logs that are written before those who wait for them are told.
pub const TASK_LOG_WRITE_ITEMS: usize = 256;
/// Ours: bytes of segments that are read for one page of a task's log, if one entry is not larger.
pub const TASK_LOG_PAGE_BYTES_MAX: usize = 4 << 20;
/// Ours: how long a reader waits until what was logged before it asked is written.
pub const TASK_LOG_WRITE_PATIENCE: Duration = Duration::from_secs(5);
/// Ours: clients that follow logs at once. Each of them looks at the store and at the index several times a second.
pub const TASK_LOG_FOLLOWERS_MAX: usize = 64;
/// Ours: how often a follower looks for new lines.
pub const TASK_LOG_FOLLOW_INTERVAL: Duration = Duration::from_millis(200);
/// Ours: an empty line at least so often, so that both sides notice when the other is gone.
pub const TASK_LOG_KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Ours: pieces of a followed log that wait for their client.
pub const TASK_LOG_PIECES_MAX: usize = 4;
/// Ours: how long a client that follows may take to read a piece.
pub const TASK_LOG_FOLLOWER_PATIENCE: Duration = Duration::from_secs(60);

/// Ours: the client gives up when a connection is not made in this time.
pub const CLIENT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Ours: the client gives up on an answer after this; compiling a component of Python takes 20 s of CPU.
pub const CLIENT_ANSWER_TIMEOUT: Duration = Duration::from_secs(300);
/// Ours: the client gives up on a followed log of which nothing comes for so long; the server sends something every 15 s.
pub const CLIENT_SILENCE_MAX: Duration = Duration::from_secs(60);
/// Ours: the longest line of a followed log: a message of 1 MiB, of which JSON may make six times as much.
pub const CLIENT_LINE_BYTES_MAX: usize = 8 << 20;
/// Ours: the largest answer that the client reads: a page of 1,000 events with their payloads.
pub const CLIENT_ANSWER_BYTES_MAX: usize = 600 << 20;
/// Ours: modules whose compiled code is kept for calls without a server; one of Python takes 80 MB.
pub const LOCAL_MODULES_KEPT: usize = 16;
/// Ours: how often `dev` looks whether a file has changed.
pub const WATCH_INTERVAL: Duration = Duration::from_millis(250);
/// Ours: how long nothing may change before `dev` builds, since editors write several files.
pub const WATCH_QUIET: Duration = Duration::from_millis(150);
/// Ours: files of a project that `dev` looks at.
pub const WATCHED_FILES_MAX: usize = 10_000;
/// Ours: how often `start` asks for new events.
pub const FOLLOW_INTERVAL: Duration = Duration::from_millis(200);
