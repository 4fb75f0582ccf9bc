//! What an upload is refused for, by the name of the error.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[tokio::test]
async fn an_upload_that_is_refused_is_told_the_part_that_is_wrong() {
    let server = Server::start().await;
    let check = async |body: Vec<u8>, error: &str, message: &str| {
        let (status, answer) = server.send(Request::put("/modules/m").body(body.into()).unwrap()).await;
        assert_eq!((status.as_u16(), answer["error"].as_str()), (400, Some(error)), "{answer}");
        assert!(answer["message"].as_str().unwrap().contains(message), "{answer}");
    };
    let manifest = "[limits]\nfuel = \"much\"";
    let package = archive(&[("a.wasm", ""), ("module.toml", manifest)]);
    check(package, "InvalidManifest", "module.toml, line 2: limits.fuel: it must be").await;
    check(archive(&[("a.wasm", ""), ("b.wasm", "")]), "InvalidPackage", "more than one .wasm file").await;
    check(archive(&[("a.wasm", "")]), "NotWebAssembly", "").await;
    check(b"{}".to_vec(), "NotWebAssembly", "").await;
}
