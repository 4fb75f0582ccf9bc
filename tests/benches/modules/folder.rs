//! A folder of a host with many modules: the same component with a section that differs.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use wasm_host::{Digest, Host, Options};

/// Adds one, and puts what adding the others would have written beside it: compiling each takes half a second of CPU.
pub(crate) fn with_modules(folder: &Path, component: &[u8], count: usize) -> Vec<Digest> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let host = Host::new(&Options::new(folder)).unwrap();
    let first = runtime.block_on(host.add(Bytes::copy_from_slice(component))).unwrap().digest;
    drop(host);
    let cache = folder.join("cache");
    let compiled = fs::read_dir(&cache).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    let mut digests = vec![first];
    for number in 1..count {
        let module = variant(component, number);
        let digest = Digest::of(&module);
        fs::write(folder.join("modules").join(format!("{}.wasm", hex(digest))), module).unwrap();
        let own = compiled.replace(&hex(first), &hex(digest));
        fs::copy(cache.join(&compiled), cache.join(own)).unwrap();
        digests.push(digest);
    }
    digests
}

/// As the host names its files.
fn hex(digest: Digest) -> String {
    digest.to_string().trim_start_matches("sha256:").to_owned()
}

/// The component with a custom section that has a number.
pub(crate) fn variant(component: &[u8], number: usize) -> Vec<u8> {
    let number = u64::try_from(number).unwrap().to_le_bytes();
    // The kind of section, its length, the length of its name, its name.
    [component, &[0, 2 + 8, 1, b'n'], &number].concat()
}
