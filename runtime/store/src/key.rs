//! Keys and their bytes, which sort as the keys do.
//!
//! Numbers are big-endian. Texts end with a zero byte; the bytes 0 and 1 inside a text, which names never
//! have, are escaped so that no two keys can meet and the order stays that of the texts.

use std::sync::Arc;

use asl::interpreter::{AttemptId, ExecutionId, RowId, TimerKind};
use asl::{Text, Timestamp};

use crate::batch::{Change, Changes};
use crate::error::DecodeError;
use crate::record::{ExecutionStatus, SecretKind};

/// A row of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    pub execution: ExecutionId,
    pub row: RowId,
}

/// A timer, in the order in which timers are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerKey {
    pub due: Timestamp,
    pub execution: ExecutionId,
    pub row: RowId,
    pub kind: TimerKind,
}

/// An execution's name, which is unique within its machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey {
    pub machine: Text,
    pub execution: Text,
}

/// An execution in the lists of its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListingKey {
    /// The machine, or one of its versions or aliases by its list id; all are numbers of the sequence.
    pub machine_id: u64,
    pub status: ExecutionStatus,
    /// The start or the last redrive while the execution runs, the end after it.
    pub at: Timestamp,
    pub execution: ExecutionId,
}

/// A place in an activity's queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueKey {
    pub activity: Text,
    /// From the sequence, so that places grow.
    pub number: u64,
}

/// A secret, by what it is for and its name among those.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretKey {
    pub kind: SecretKind,
    pub name: Text,
}

/// One attempt of one task of one execution, which people may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallbackKey {
    pub row: RowKey,
    pub attempt: AttemptId,
}

/// One of the requests that ask for the answer to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallbackRequestKey {
    pub callback: CallbackKey,
    /// 0 for that of the state itself, otherwise from the sequence.
    pub number: u64,
}

/// The store's own numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MetaKey {
    Format,
    Sequence,
    InstanceHigh,
    InstanceLow,
    /// The highest epoch that has written to a shard.
    Epoch(u32),
}

/// The version of the tables and their keys. Values have versions of their own.
pub(crate) const FORMAT_VERSION: u32 = 1;

impl MetaKey {
    /// What a new store holds.
    pub(crate) fn of_new_store(instance: u128) -> Changes<MetaKey, u64> {
        let low = u64::try_from(instance & u128::from(u64::MAX)).expect("the rest is masked");
        let high = u64::try_from(instance >> 64).expect("64 bits are left");
        Changes::from([
            (MetaKey::Format, Change::Put(u64::from(FORMAT_VERSION))),
            (MetaKey::InstanceHigh, Change::Put(high)),
            (MetaKey::InstanceLow, Change::Put(low)),
        ])
    }
}

pub(crate) trait Key: Sized + Ord {
    fn write_to(&self, out: &mut Vec<u8>);
    /// Takes the key off the front.
    fn take(bytes: &mut &[u8]) -> Result<Self, DecodeError>;

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(48);
        self.write_to(&mut bytes);
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let key = Self::take(&mut bytes)?;
        if bytes.is_empty() { Ok(key) } else { Err(DecodeError::malformed("key", "it is too long")) }
    }
}

pub(crate) fn take_bytes<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (head, tail) = bytes.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
    *bytes = tail;
    Ok(*head)
}

impl Key for u8 {
    fn write_to(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn take(bytes: &mut &[u8]) -> Result<u8, DecodeError> {
        take_bytes(bytes).map(u8::from_be_bytes)
    }
}

impl Key for u32 {
    fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Result<u32, DecodeError> {
        take_bytes(bytes).map(u32::from_be_bytes)
    }
}

impl Key for u64 {
    fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Result<u64, DecodeError> {
        take_bytes(bytes).map(u64::from_be_bytes)
    }
}

impl Key for Timestamp {
    fn write_to(&self, out: &mut Vec<u8>) {
        // With the sign bit turned over, instants before 1970 sort before the others.
        (self.as_milliseconds().cast_unsigned() ^ (1 << 63)).write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Timestamp, DecodeError> {
        let bits = u64::take(bytes)? ^ (1 << 63);
        Ok(Timestamp::from_milliseconds(bits.cast_signed()))
    }
}

impl Key for ExecutionId {
    fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_be_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Result<ExecutionId, DecodeError> {
        take_bytes(bytes).map(|bytes| ExecutionId(u128::from_be_bytes(bytes)))
    }
}

const TEXT_END: u8 = 0;
const TEXT_ESCAPE: u8 = 1;

impl Key for Text {
    fn write_to(&self, out: &mut Vec<u8>) {
        for byte in self.bytes() {
            match byte {
                TEXT_END | TEXT_ESCAPE => out.extend_from_slice(&[TEXT_ESCAPE, byte + 1]),
                _other => out.push(byte),
            }
        }
        out.push(TEXT_END);
    }

    fn take(bytes: &mut &[u8]) -> Result<Text, DecodeError> {
        let end = bytes.iter().position(|byte| *byte == TEXT_END).ok_or(DecodeError::Truncated)?;
        let (raw, tail) = bytes.split_at(end);
        *bytes = &tail[1..];
        let mut text = Vec::with_capacity(raw.len());
        let mut raw = raw.iter();
        while let Some(byte) = raw.next() {
            match *byte {
                TEXT_ESCAPE => match raw.next() {
                    Some(escaped @ 1..=2) => text.push(escaped - 1),
                    Some(_) | None => return Err(DecodeError::malformed("key", "a text is escaped wrongly")),
                },
                byte => text.push(byte),
            }
        }
        let text =
            String::from_utf8(text).map_err(|_| DecodeError::malformed("key", "a text is not UTF-8"))?;
        Ok(Text(Arc::from(text)))
    }
}

impl Key for (Text, u32) {
    fn write_to(&self, out: &mut Vec<u8>) {
        self.0.write_to(out);
        self.1.write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<(Text, u32), DecodeError> {
        Ok((Text::take(bytes)?, u32::take(bytes)?))
    }
}

impl Key for RowKey {
    fn write_to(&self, out: &mut Vec<u8>) {
        self.execution.write_to(out);
        self.row.0.write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<RowKey, DecodeError> {
        Ok(RowKey { execution: ExecutionId::take(bytes)?, row: RowId(u64::take(bytes)?) })
    }
}

fn timer_kind_number(kind: TimerKind) -> u8 {
    match kind {
        TimerKind::Wake => 0,
        TimerKind::TaskTimeout => 1,
        TimerKind::HeartbeatTimeout => 2,
        TimerKind::ExecutionTimeout => 3,
        TimerKind::RedriveOver => 4,
    }
}

fn timer_kind(number: u8) -> Option<TimerKind> {
    let kinds = [
        TimerKind::Wake,
        TimerKind::TaskTimeout,
        TimerKind::HeartbeatTimeout,
        TimerKind::ExecutionTimeout,
        TimerKind::RedriveOver,
    ];
    kinds.into_iter().find(|kind| timer_kind_number(*kind) == number)
}

impl Key for TimerKey {
    fn write_to(&self, out: &mut Vec<u8>) {
        self.due.write_to(out);
        self.execution.write_to(out);
        self.row.0.write_to(out);
        timer_kind_number(self.kind).write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<TimerKey, DecodeError> {
        let due = Timestamp::take(bytes)?;
        let execution = ExecutionId::take(bytes)?;
        let row = RowId(u64::take(bytes)?);
        let kind = timer_kind(u8::take(bytes)?);
        let kind = kind.ok_or_else(|| DecodeError::malformed("key", "the kind of timer is not known"))?;
        Ok(TimerKey { due, execution, row, kind })
    }
}

impl Key for NameKey {
    fn write_to(&self, out: &mut Vec<u8>) {
        self.machine.write_to(out);
        self.execution.write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<NameKey, DecodeError> {
        Ok(NameKey { machine: Text::take(bytes)?, execution: Text::take(bytes)? })
    }
}

impl Key for ListingKey {
    fn write_to(&self, out: &mut Vec<u8>) {
        self.machine_id.write_to(out);
        self.status.number().write_to(out);
        self.at.write_to(out);
        self.execution.write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<ListingKey, DecodeError> {
        let machine_id = u64::take(bytes)?;
        let status = ExecutionStatus::from_number(u8::take(bytes)?);
        let status = status.ok_or_else(|| DecodeError::malformed("key", "the status is not known"))?;
        let at = Timestamp::take(bytes)?;
        Ok(ListingKey { machine_id, status, at, execution: ExecutionId::take(bytes)? })
    }
}

impl Key for QueueKey {
    fn write_to(&self, out: &mut Vec<u8>) {
        self.activity.write_to(out);
        self.number.write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<QueueKey, DecodeError> {
        Ok(QueueKey { activity: Text::take(bytes)?, number: u64::take(bytes)? })
    }
}

impl Key for SecretKey {
    fn write_to(&self, out: &mut Vec<u8>) {
        self.kind.number().write_to(out);
        self.name.write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<SecretKey, DecodeError> {
        let kind = SecretKind::from_number(u8::take(bytes)?);
        let kind = kind.ok_or_else(|| DecodeError::malformed("key", "the kind of secret is not known"))?;
        Ok(SecretKey { kind, name: Text::take(bytes)? })
    }
}

impl Key for CallbackKey {
    fn write_to(&self, out: &mut Vec<u8>) {
        self.row.write_to(out);
        self.attempt.0.write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<CallbackKey, DecodeError> {
        Ok(CallbackKey { row: RowKey::take(bytes)?, attempt: AttemptId(u64::take(bytes)?) })
    }
}

impl Key for CallbackRequestKey {
    fn write_to(&self, out: &mut Vec<u8>) {
        self.callback.write_to(out);
        self.number.write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<CallbackRequestKey, DecodeError> {
        Ok(CallbackRequestKey { callback: CallbackKey::take(bytes)?, number: u64::take(bytes)? })
    }
}

impl Key for MetaKey {
    fn write_to(&self, out: &mut Vec<u8>) {
        match *self {
            MetaKey::Format => out.push(0),
            MetaKey::Sequence => out.push(1),
            MetaKey::InstanceHigh => out.push(2),
            MetaKey::InstanceLow => out.push(3),
            MetaKey::Epoch(shard) => {
                out.push(4);
                shard.write_to(out);
            }
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<MetaKey, DecodeError> {
        match u8::take(bytes)? {
            0 => Ok(MetaKey::Format),
            1 => Ok(MetaKey::Sequence),
            2 => Ok(MetaKey::InstanceHigh),
            3 => Ok(MetaKey::InstanceLow),
            4 => Ok(MetaKey::Epoch(u32::take(bytes)?)),
            number => Err(DecodeError::malformed("key", format!("{number} is no number of the store"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use crate::contract::Prng;

    use super::*;

    const TEXTS: [&str; 9] = ["", "\0", "\u{1}", "\0a", "a", "a\0", "a\u{1}", "a\u{2}", "ä\u{10ffff}"];
    const NUMBERS: [u64; 6] = [0, 1, 255, 256, 1 << 63, u64::MAX];

    /// Bytes must sort as the keys do, come back as the keys, and be refused when cut off.
    fn check<K: Key + Debug>(make: impl Fn(&mut Prng) -> K) {
        let mut prng = Prng::new(1);
        for _ in 0..2000 {
            let (left, right) = (make(&mut prng), make(&mut prng));
            let (left_bytes, right_bytes) = (left.to_bytes(), right.to_bytes());
            assert_eq!(left_bytes.cmp(&right_bytes), left.cmp(&right), "{left:?} {right:?}");
            assert_eq!(K::from_bytes(&left_bytes).as_ref(), Ok(&left));
            for length in 0..left_bytes.len() {
                assert!(K::from_bytes(&left_bytes[..length]).is_err(), "{left:?} cut to {length}");
            }
            assert!(K::from_bytes(&[left_bytes.as_slice(), &[0]].concat()).is_err(), "{left:?} and more");
        }
    }

    fn text(prng: &mut Prng) -> Text {
        Text::from(*prng.pick(&TEXTS))
    }

    fn id(prng: &mut Prng) -> ExecutionId {
        ExecutionId(u128::from(*prng.pick(&NUMBERS)) << prng.below(65))
    }

    fn at(prng: &mut Prng) -> Timestamp {
        Timestamp::from_milliseconds(*prng.pick(&[i64::MIN, -256, -1, 0, 1, 256, i64::MAX]))
    }

    #[test]
    fn keys_sort_as_their_bytes() {
        check(|prng| *prng.pick(&NUMBERS));
        check(text);
        check(id);
        check(|prng| (text(prng), u32::try_from(prng.below(600)).unwrap()));
        check(|prng| RowKey { execution: id(prng), row: RowId(*prng.pick(&NUMBERS)) });
        check(|prng| {
            let row = RowKey { execution: id(prng), row: RowId(*prng.pick(&NUMBERS)) };
            let callback = CallbackKey { row, attempt: AttemptId(*prng.pick(&NUMBERS)) };
            CallbackRequestKey { callback, number: *prng.pick(&NUMBERS) }
        });
        check(|prng| NameKey { machine: text(prng), execution: text(prng) });
        check(|prng| QueueKey { activity: text(prng), number: *prng.pick(&NUMBERS) });
        check(|prng| ListingKey {
            machine_id: *prng.pick(&NUMBERS),
            status: *prng.pick(&ExecutionStatus::ALL),
            at: at(prng),
            execution: id(prng),
        });
        check(|prng| {
            let kinds = [
                TimerKind::Wake,
                TimerKind::TaskTimeout,
                TimerKind::HeartbeatTimeout,
                TimerKind::ExecutionTimeout,
                TimerKind::RedriveOver,
            ];
            let row = RowId(*prng.pick(&NUMBERS));
            TimerKey { due: at(prng), execution: id(prng), row, kind: *prng.pick(&kinds) }
        });
        check(|prng| SecretKey { kind: *prng.pick(&SecretKind::ALL), name: Text::from(*prng.pick(&TEXTS)) });
        check(|prng| {
            let shard = u32::try_from(prng.below(600)).unwrap();
            *prng.pick(&[
                MetaKey::Format,
                MetaKey::Sequence,
                MetaKey::InstanceHigh,
                MetaKey::InstanceLow,
                MetaKey::Epoch(shard),
            ])
        });
    }

    /// The bytes are stored: a change of them is a new format of the store.
    #[test]
    fn keys_keep_their_bytes() {
        let check = |key: Vec<u8>, expected: &str| {
            let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(text, expected);
        };
        let execution = ExecutionId(0x0102);
        let due = Timestamp::from_milliseconds(3);
        let row = RowId(4);
        check(RowKey { execution, row }.to_bytes(), "000000000000000000000000000001020000000000000004");
        let callback = CallbackKey { row: RowKey { execution, row }, attempt: AttemptId(5) };
        let whole = "0000000000000000000000000000010200000000000000040000000000000005";
        check(callback.to_bytes(), whole);
        let request = CallbackRequestKey { callback, number: 6 };
        check(request.to_bytes(), &format!("{whole}0000000000000006"));
        check(
            TimerKey { due, execution, row, kind: TimerKind::HeartbeatTimeout }.to_bytes(),
            "800000000000000300000000000000000000000000000102000000000000000402",
        );
        let name = NameKey { machine: Text::from("ab"), execution: Text::from("c\u{1}") };
        check(name.to_bytes(), "61620063010200");
        check(
            ListingKey { machine_id: 5, status: ExecutionStatus::TimedOut, at: due, execution }.to_bytes(),
            "000000000000000503800000000000000300000000000000000000000000000102",
        );
        check(QueueKey { activity: Text::from("a"), number: 6 }.to_bytes(), "61000000000000000006");
        check((Text::from("a"), 7).to_bytes(), "610000000007");
        let secret = SecretKey { kind: SecretKind::Connection, name: Text::from("a") };
        check(secret.to_bytes(), "026100");
        check(MetaKey::Epoch(8).to_bytes(), "0400000008");
    }
}
