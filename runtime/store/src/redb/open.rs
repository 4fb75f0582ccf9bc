//! Opening a store on disk, and refusing what is none.

use std::io;
use std::path::Path;

use ::redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageError, TableHandle};

use crate::codec::Record;
use crate::encoded::{Admission, Encoded};
use crate::error::{DecodeError, OpenError};
use crate::key::{FORMAT_VERSION, Key, MetaKey};
use crate::table::TableId;

use super::{RedbOptions, definition};

/// A new file gets its name when it is complete: redb takes one that a crash left half made for something else.
const NEW_SUFFIX: &str = "new";

pub(super) fn database(options: &RedbOptions, path: &Path) -> Result<Database, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    std::fs::create_dir_all(&options.directory).map_err(io)?;
    if !path.try_exists().map_err(io)? {
        make_file(options, path)?;
    }
    builder(options).open(path).map_err(|error| database_error(error, path))
}

fn builder(options: &RedbOptions) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes);
    builder
}

fn make_file(options: &RedbOptions, path: &Path) -> Result<(), OpenError> {
    let new = path.with_added_extension(NEW_SUFFIX);
    let io = |source| OpenError::Io { path: new.clone(), source };
    let made = builder(options).create(&new).or_else(|error| match database_error(error, &new) {
        OpenError::NotAStore { .. } => {
            std::fs::remove_file(&new).map_err(io)?;
            builder(options).create(&new).map_err(|error| database_error(error, &new))
        }
        error @ (OpenError::InUse { .. }
        | OpenError::Format { .. }
        | OpenError::Damaged { .. }
        | OpenError::Io { .. }) => Err(error),
    })?;
    drop(made);
    match std::fs::rename(&new, path) {
        Ok(()) => sync_directory(&options.directory).map_err(io),
        // Another process has made the same file and will be found to use it.
        Err(_) if path.exists() => Ok(()),
        Err(error) => Err(io(error)),
    }
}

/// A new name survives a power cut only when the directory is flushed too.
fn sync_directory(directory: &Path) -> io::Result<()> {
    std::fs::File::open(directory)?.sync_all()
}

pub(super) fn database_error(error: DatabaseError, path: &Path) -> OpenError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => OpenError::InUse { path },
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
            OpenError::NotAStore { path }
        }
        DatabaseError::Storage(StorageError::Io(source)) => OpenError::Io { path, source },
        DatabaseError::Storage(error) => OpenError::Damaged { path, reason: error.to_string() },
        error @ (DatabaseError::RepairAborted
        | DatabaseError::UpgradeRequired(_)
        | DatabaseError::TransactionInProgress
        | _) => OpenError::Damaged { path, reason: error.to_string() },
    }
}

/// Checks the format of the database, or makes an empty one a store. Gives what its writer starts from.
pub(super) fn prepare(database: &Database, path: &Path, instance: u128) -> Result<Admission, OpenError> {
    let damaged =
        |error: ::redb::Error| OpenError::Damaged { path: path.to_owned(), reason: error.to_string() };
    let not_a_store = || OpenError::NotAStore { path: path.to_owned() };
    let (is_new, has_meta) = tables(database).map_err(damaged)?;
    if is_new {
        return create(database, instance).map(|()| Admission::default()).map_err(damaged);
    }
    if !has_meta {
        return Err(not_a_store());
    }
    let rows = meta_rows(database).map_err(damaged)?;
    let mut format = None;
    let mut admission = Admission::default();
    // The format comes first, before anything of a later one is looked at.
    for row in rows {
        let (key, number) =
            row.map_err(|error| OpenError::Damaged { path: path.to_owned(), reason: error.to_string() })?;
        match key {
            MetaKey::Format => {
                let found = u32::try_from(number).unwrap_or(u32::MAX);
                if found != FORMAT_VERSION {
                    return Err(OpenError::Format {
                        path: path.to_owned(),
                        found,
                        supported: FORMAT_VERSION,
                    });
                }
                format = Some(found);
            }
            MetaKey::Sequence => admission.sequence = number,
            MetaKey::Epoch(shard) => {
                admission.epochs.insert(shard, number);
            }
            MetaKey::InstanceHigh | MetaKey::InstanceLow => {}
        }
    }
    if format.is_none() {
        return Err(not_a_store());
    }
    add_tables(database).map_err(damaged)?;
    Ok(admission)
}

/// Whether there are no tables, and whether the store's own is among them.
fn tables(database: &Database) -> Result<(bool, bool), ::redb::Error> {
    let transaction = database.begin_read()?;
    let names: Vec<String> = transaction.list_tables()?.map(|table| table.name().to_owned()).collect();
    Ok((names.is_empty(), names.iter().any(|name| name == TableId::Meta.name())))
}

/// Makes the tables that a store does not have which was made before they were thought of.
fn add_tables(database: &Database) -> Result<(), ::redb::Error> {
    let transaction = database.begin_read()?;
    let known = transaction.list_tables()?.count();
    drop(transaction);
    if known >= TableId::ALL.len() {
        return Ok(());
    }
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    for table in TableId::ALL {
        transaction.open_table(definition(table))?;
    }
    Ok(transaction.commit()?)
}

type MetaRow = Result<(MetaKey, u64), DecodeError>;

fn meta_rows(database: &Database) -> Result<Vec<MetaRow>, ::redb::Error> {
    let transaction = database.begin_read()?;
    let table = transaction.open_table(definition(TableId::Meta))?;
    let mut rows = Vec::new();
    for row in table.range::<&[u8]>(..)? {
        let (key, value) = row?;
        rows.push(MetaKey::from_bytes(key.value()).and_then(|key| Ok((key, u64::decode(value.value())?))));
    }
    Ok(rows)
}

/// Makes every table, so that readers need not know which were used, and the store's own rows.
fn create(database: &Database, instance: u128) -> Result<(), ::redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    for table in TableId::ALL {
        transaction.open_table(definition(table))?;
    }
    super::writer::write(&transaction, &Encoded::of_meta(&MetaKey::of_new_store(instance)))?;
    transaction.commit()?;
    Ok(())
}
