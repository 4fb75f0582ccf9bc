//! TLS with a certificate authority of the test's own.

use std::fs;
use std::io;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tests::process::Transport;

/// A server's side of TLS, and the file with the authority that signed for it.
#[derive(Debug)]
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    authority: String,
}

impl Tls {
    /// For localhost and 127.0.0.1.
    pub(crate) fn new() -> Tls {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let private = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private.into())
            .unwrap();
        Tls { config: Arc::new(config), authority: authority.pem() }
    }

    /// Writes the authority where a server can be told to trust it.
    pub(crate) fn write_authority(&self, folder: &tempfile::TempDir) -> PathBuf {
        let file = folder.path().join("authority.pem");
        fs::write(&file, &self.authority).unwrap();
        file
    }
}

impl Transport for Tls {
    type Stream = StreamOwned<ServerConnection, TcpStream>;

    fn accept(&self, stream: TcpStream) -> io::Result<Self::Stream> {
        let connection = ServerConnection::new(Arc::clone(&self.config)).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }
}
