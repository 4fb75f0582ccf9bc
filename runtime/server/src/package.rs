//! What is uploaded as a module: a component as it is, or a zip archive with the component and its manifest.
//!
//! An archive has one `.wasm` file and may have `module.toml` beside it, in the same folder or at the top. Anything else
//! is refused and not left out: whoever packs it expects it to be there.

use std::io::{Cursor, Read, Write};

use bytes::Bytes;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::limits::{ARCHIVE_ENTRIES_MAX, MANIFEST_BYTES_MAX, MODULE_BYTES_MAX};

/// How a zip archive begins.
const ARCHIVE_MAGIC: &[u8] = b"PK\x03\x04";
/// The name of the manifest in an archive.
const MANIFEST: &str = "module.toml";
/// The name that our own client gives the component.
const COMPONENT: &str = "module.wasm";

/// A component and the text of the manifest that came with it, of which nothing else is known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) component: Bytes,
    pub(crate) manifest: Option<String>,
}

/// Why an upload is no package; the message tells the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PackageError {
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    TooLarge(String),
}

/// Whether these bytes are an archive.
pub(crate) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(ARCHIVE_MAGIC)
}

/// Takes an upload apart. What is no archive passes for a component, which the module host looks at.
pub(crate) async fn read(bytes: Bytes) -> Result<Package, PackageError> {
    if !is_archive(&bytes) {
        return Ok(Package { component: bytes, manifest: None });
    }
    let unpacked = tokio::task::spawn_blocking(move || unpack(&bytes)).await;
    unpacked.expect("reading an archive does not panic")
}

/// Packs a component and its manifest, without compression: it goes over the line once.
pub(crate) fn pack(component: &[u8], manifest: &str) -> Result<Vec<u8>, ZipError> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new(Cursor::new(Vec::with_capacity(component.len() + manifest.len() + 512)));
    for (name, bytes) in [(COMPONENT, component), (MANIFEST, manifest.as_bytes())] {
        archive.start_file(name, options)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

fn unpack(bytes: &Bytes) -> Result<Package, PackageError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if archive.len() > ARCHIVE_ENTRIES_MAX {
        return Err(invalid(format!(
            "The archive has {} entries; a module is one .wasm file and perhaps {MANIFEST}.",
            archive.len()
        )));
    }
    let (mut component, mut manifest) = (None, None);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| damaged(&error))?;
        if entry.is_dir() {
            continue;
        }
        let path = entry.name().map_err(|error| damaged(&error))?.into_owned();
        let file = path.rsplit('/').next().unwrap_or_default();
        let (place, bytes_max) = match file {
            MANIFEST => (&mut manifest, MANIFEST_BYTES_MAX),
            _ if file.ends_with(".wasm") => (&mut component, MODULE_BYTES_MAX),
            _ => {
                return Err(invalid(format!(
                    "The archive has '{}'; a module is one .wasm file and perhaps {MANIFEST}, and nothing else.",
                    shortened(&path)
                )));
            }
        };
        if place.is_some() {
            return Err(invalid(format!("The archive has more than one {}.", kind(file))));
        }
        *place = Some(read_entry(&mut entry, file, bytes_max)?);
    }
    let component =
        component.ok_or_else(|| invalid("The archive has no .wasm file: put the component into it."))?;
    let manifest = manifest.map(String::from_utf8).transpose();
    let manifest = manifest.map_err(|_| invalid(format!("{MANIFEST} is not UTF-8 text.")))?;
    Ok(Package { component: component.into(), manifest })
}

/// Reads no more than is allowed, whatever size the archive tells.
fn read_entry(entry: &mut impl Read, file: &str, bytes_max: usize) -> Result<Vec<u8>, PackageError> {
    let mut bytes = Vec::new();
    entry.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(|error| damaged(&error.into()))?;
    if bytes.len() <= bytes_max {
        return Ok(bytes);
    }
    let message = format!("The {} in the archive is larger than {} KiB.", kind(file), bytes_max >> 10);
    Err(PackageError::TooLarge(message))
}

fn kind(file: &str) -> &'static str {
    if file == MANIFEST { MANIFEST } else { ".wasm file" }
}

/// A name of an archive may be as long as 64 KiB.
fn shortened(path: &str) -> String {
    path.chars().take(100).filter(|character| !character.is_control()).collect()
}

fn invalid(message: impl Into<String>) -> PackageError {
    PackageError::Invalid(message.into())
}

fn damaged(error: &ZipError) -> PackageError {
    invalid(format!(
        "The archive cannot be read: {error}. Pack it with deflate or without compression, and no password."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Bytes {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            archive.start_file(*name, options).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner().into()
    }

    fn check(files: &[(&str, &[u8])], expected: &str) {
        let error = unpack(&archive(files)).unwrap_err();
        assert!(matches!(&error, PackageError::Invalid(message) if message.contains(expected)), "{error:?}");
    }

    fn check_too_large(archive: &Bytes, expected: &str) {
        let error = unpack(archive).unwrap_err();
        assert!(matches!(&error, PackageError::TooLarge(message) if message.contains(expected)), "{error:?}");
    }

    #[tokio::test]
    async fn a_package_is_what_was_packed() {
        let packed = Bytes::from(pack(b"\0asm...", "[limits]").unwrap());
        let package = read(packed).await.unwrap();
        assert_eq!(
            package,
            Package { component: Bytes::from_static(b"\0asm..."), manifest: Some("[limits]".to_owned()) }
        );
        let package = read(archive(&[("build/charge.wasm", b"\0asm")])).await.unwrap();
        assert_eq!(package, Package { component: Bytes::from_static(b"\0asm"), manifest: None });
        let raw = Bytes::from_static(b"\0asm\x0d\0\x01\0");
        assert_eq!(read(raw.clone()).await.unwrap(), Package { component: raw, manifest: None });
    }

    #[test]
    fn other_archives_are_refused_with_the_fix() {
        check(&[], "put the component into it");
        check(&[("module.toml", b"")], "put the component into it");
        check(&[("a.wasm", b""), ("b.wasm", b"")], "more than one .wasm file");
        check(&[("a.wasm", b""), ("module.toml", b""), ("x/module.toml", b"")], "more than one module.toml");
        check(&[("a.wasm", b""), ("index.js", b"")], "has 'index.js'");
        check(&[("a.wasm", b""), ("module.toml", b"\xff")], "not UTF-8");
        let names: Vec<String> = (0..=ARCHIVE_ENTRIES_MAX).map(|number| format!("{number}.wasm")).collect();
        let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        check(&many, "entries");
    }

    #[test]
    fn an_archive_that_swells_is_cut_short() {
        let (manifest, component) = (vec![b'#'; MANIFEST_BYTES_MAX + 1], vec![0; MODULE_BYTES_MAX + 1]);
        let large = archive(&[("a.wasm", b""), ("module.toml", &manifest)]);
        check_too_large(&large, "module.toml in the archive is larger than 64 KiB");
        let bomb = archive(&[("a.wasm", &component)]);
        assert!(bomb.len() < 1 << 20, "it is small on its way: {} bytes", bomb.len());
        check_too_large(&bomb, ".wasm file in the archive is larger than 65536 KiB");
    }

    #[test]
    fn a_damaged_archive_is_refused_and_never_panics() {
        let whole = archive(&[("a.wasm", b"\0asm component"), ("module.toml", b"[limits]")]);
        for length in 0..whole.len() {
            assert!(unpack(&whole.slice(..length)).is_err(), "cut to {length} bytes");
        }
        for index in 0..whole.len() {
            let mut damaged = whole.to_vec();
            damaged[index] ^= 0x55;
            let _any = unpack(&damaged.into());
        }
    }
}
