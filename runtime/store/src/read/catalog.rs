//! Machines, activities, modules, secrets and the store's own numbers.

use asl::Text;

use crate::error::{DecodeError, ReadError};
use crate::key::{Key, MetaKey, SecretKey};
use crate::kv::{KeyRange, View, corrupt, get, rows};
use crate::page::{InvalidPosition, Order, PAGE_ITEMS_MAX, Page, Position, PositionKind};
use crate::record::{Meta, ModuleRecord, SecretKind, SecretRecord};
use crate::table::{self, Table, TableId};

pub(crate) fn meta(view: &impl View) -> Result<Meta, ReadError> {
    let number = |key| get::<table::Meta>(view, &key);
    let format = number(MetaKey::Format)?.and_then(|format| u32::try_from(format).ok());
    let unknown = || corrupt(TableId::Meta)(DecodeError::malformed("meta", "it has no format version"));
    let high = number(MetaKey::InstanceHigh)?.unwrap_or(0);
    let low = number(MetaKey::InstanceLow)?.unwrap_or(0);
    Ok(Meta {
        format_version: format.ok_or_else(unknown)?,
        sequence: number(MetaKey::Sequence)?.unwrap_or(0),
        instance: u128::from(high) << 64 | u128::from(low),
    })
}

/// A page of a table whose keys are names.
pub(crate) fn by_name<T: Table<Key = Text>>(
    view: &impl View,
    kind: PositionKind,
    from: Option<&Position>,
    max: usize,
) -> Result<Page<(Text, T::Value)>, ReadError> {
    let max = max.clamp(1, PAGE_ITEMS_MAX);
    let range = match from {
        Some(position) => KeyRange::all().after(&position.key::<Text>(kind)?),
        None => KeyRange::all(),
    };
    let mut items = rows::<T>(view, &range, Order::Forward, max + 1)?;
    let more = items.len() > max;
    items.truncate(max);
    let next = items.last().filter(|_| more).map(|(name, _)| Position::at(kind, name));
    Ok(Page { items, next })
}

pub(crate) fn module_versions(
    view: &impl View,
    name: &str,
    from: Option<&Position>,
    max: usize,
) -> Result<Page<(u32, ModuleRecord)>, ReadError> {
    let max = max.clamp(1, PAGE_ITEMS_MAX);
    let name = Text::from(name);
    let range = KeyRange::prefix(name.to_bytes());
    let range = match from {
        Some(position) => {
            let last = position.key::<(Text, u32)>(PositionKind::ModuleVersions)?;
            if last.0 != name {
                return Err(InvalidPosition.into());
            }
            range.before(&last)
        }
        None => range,
    };
    let mut found = rows::<table::Modules>(view, &range, Order::Reverse, max + 1)?;
    let more = found.len() > max;
    found.truncate(max);
    let next = found.last().filter(|_| more).map(|(key, _)| Position::at(PositionKind::ModuleVersions, key));
    let items = found.into_iter().map(|((_, version), record)| (version, record)).collect();
    Ok(Page { items, next })
}

pub(crate) fn secrets(
    view: &impl View,
    kind: SecretKind,
    from: Option<&Position>,
    max: usize,
) -> Result<Page<(String, SecretRecord)>, ReadError> {
    let max = max.clamp(1, PAGE_ITEMS_MAX);
    let range = KeyRange::prefix(kind.number().to_bytes());
    let range = match from {
        Some(position) => {
            let last = position.key::<SecretKey>(PositionKind::Secrets)?;
            if last.kind != kind {
                return Err(InvalidPosition.into());
            }
            range.after(&last)
        }
        None => range,
    };
    let mut found = rows::<table::Secrets>(view, &range, Order::Forward, max + 1)?;
    let more = found.len() > max;
    found.truncate(max);
    let next = found.last().filter(|_| more).map(|(key, _)| Position::at(PositionKind::Secrets, key));
    let items = found.into_iter().map(|(key, record)| (key.name.to_string(), record)).collect();
    Ok(Page { items, next })
}
