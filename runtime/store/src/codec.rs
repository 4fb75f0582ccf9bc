//! The bytes of a stored value: one byte that gives the version, then what that version says.

use asl::interpreter::{AttemptId, ExecutionId};

use crate::error::DecodeError;
use crate::key::{Key, RowKey};

/// A value that is stored. What a version means never changes; a change of meaning is a new version.
pub(crate) trait Record: Sized {
    fn encode(&self, out: &mut Vec<u8>);
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;
}

/// The version byte of the record and what follows it.
pub(crate) fn split_version(bytes: &[u8]) -> Result<(u8, &[u8]), DecodeError> {
    bytes.split_first().map(|(version, rest)| (*version, rest)).ok_or(DecodeError::Truncated)
}

pub(crate) fn encode_cbor<T: minicbor::Encode<()>>(value: &T, out: &mut Vec<u8>) {
    minicbor::encode(value, Bytes(out)).expect("writing to memory and encoding plain data cannot fail");
}

/// Values are written a byte or two at a time, so this must become part of what writes them; the library's own
/// writer to a vector is a call for each.
struct Bytes<'a>(&'a mut Vec<u8>);

impl minicbor::encode::Write for Bytes<'_> {
    type Error = std::convert::Infallible;

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Decodes one value that takes up all the bytes.
pub(crate) fn decode_cbor<'b, T: minicbor::Decode<'b, ()>>(
    record: &'static str,
    bytes: &'b [u8],
) -> Result<T, DecodeError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().map_err(|error| {
        if error.is_end_of_input() {
            DecodeError::Truncated
        } else {
            DecodeError::malformed(record, error.to_string())
        }
    })?;
    if decoder.position() == bytes.len() {
        Ok(value)
    } else {
        Err(DecodeError::malformed(record, "bytes follow it"))
    }
}

/// Stores a type with derived encoding as version 1. Optional fields may be added at its end.
macro_rules! record_version_1 {
    ($($record:ident),+) => {
        $(
            impl $crate::codec::Record for $record {
                fn encode(&self, out: &mut Vec<u8>) {
                    out.push(1);
                    $crate::codec::encode_cbor(self, out);
                }

                fn decode(bytes: &[u8]) -> Result<$record, $crate::error::DecodeError> {
                    match $crate::codec::split_version(bytes)? {
                        (1, rest) => $crate::codec::decode_cbor(stringify!($record), rest),
                        (found, _) => {
                            Err($crate::error::DecodeError::Version { record: stringify!($record), found })
                        }
                    }
                }
            }
        )+
    };
}
pub(crate) use record_version_1;

/// Tables that are only keys.
impl Record for () {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(bytes: &[u8]) -> Result<(), DecodeError> {
        if bytes.is_empty() { Ok(()) } else { Err(DecodeError::malformed("mark", "bytes follow it")) }
    }
}

/// Records that are one fixed-width number.
macro_rules! number_record {
    ($($record:ty, $name:literal, $number:ty, $to:expr, $from:expr;)+) => {
        $(
            impl Record for $record {
                fn encode(&self, out: &mut Vec<u8>) {
                    out.push(1);
                    let to: fn(&$record) -> $number = $to;
                    to(self).write_to(out);
                }

                fn decode(bytes: &[u8]) -> Result<$record, DecodeError> {
                    match split_version(bytes)? {
                        (1, rest) => <$number as Key>::from_bytes(rest).map($from),
                        (found, _) => Err(DecodeError::Version { record: $name, found }),
                    }
                }
            }
        )+
    };
}

number_record! {
    u64, "number", u64, |number| *number, |number| number;
    ExecutionId, "execution id", ExecutionId, |id| *id, |id| id;
    RowKey, "row", RowKey, |key| *key, |key| key;
    AttemptId, "attempt", u64, |attempt| attempt.0, AttemptId;
}
