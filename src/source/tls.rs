//! Whom we trust and who we are on TLS connections, on ring alone.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::error::Error;

/// A CA and a client certificate, as the Secret of `spec.tls` holds them; each part is PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsMaterial {
    /// Authorities trusted for this chart beside the system's, which stay because registries send
    /// readers on to blob storage elsewhere.
    pub ca: Option<Vec<u8>>,
    /// The client certificate with its chain; shown to the repository's own host alone.
    pub certificate: Option<Vec<u8>>,
    /// The private key of the client certificate.
    pub key: Option<Vec<u8>>,
}

impl TlsMaterial {
    /// The same without the client certificate: for hosts other than the repository's own.
    pub(super) fn without_identity(&self) -> Self {
        Self {
            ca: self.ca.clone(),
            certificate: None,
            key: None,
        }
    }

    pub(super) fn parts(&self) -> [&[u8]; 3] {
        [&self.ca, &self.certificate, &self.key].map(|part| part.as_deref().unwrap_or_default())
    }
}

impl fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsMaterial")
            .field("ca", &self.ca.is_some())
            .field("certificate", &self.certificate.is_some())
            .field("key", &self.key.is_some())
            .finish()
    }
}

/// The system's authorities; those that cannot be read are left out with a warning.
pub(super) fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate authority of the system cannot be read");
    }
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(
            ignored,
            "the system has no certificate authorities: only a `tls` Secret's will be trusted"
        );
    }
    roots
}

/// A client configuration that trusts `system` and the material's CA, and shows its certificate.
pub(super) fn client_config(
    system: &RootCertStore,
    material: Option<&TlsMaterial>,
) -> Result<ClientConfig, Error> {
    let invalid = |part, reason: &dyn fmt::Display| Error::InvalidTls {
        part,
        reason: reason.to_string(),
    };
    let mut roots = system.clone();
    if let Some(ca) = material.and_then(|material| material.ca.as_deref()) {
        for certificate in certificates("CA", ca)? {
            roots
                .add(certificate)
                .map_err(|error| invalid("CA", &error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid("TLS versions", &error))?
        .with_root_certificates(roots);
    let identity = material.map(|material| (&material.certificate, &material.key));
    let mut config = match identity {
        Some((Some(chain), Some(key))) => {
            let chain = certificates("client certificate", chain)?;
            let key = PrivateKeyDer::from_pem_slice(key)
                .map_err(|error| invalid("client key", &error))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| invalid("client certificate and key", &error))?
        }
        Some((Some(_), None)) => {
            return Err(invalid("client key", &"a certificate came without it"));
        }
        Some((None, Some(_))) => {
            return Err(invalid("client certificate", &"a key came without it"));
        }
        Some((None, None)) | None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(part: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let invalid = |reason: String| Error::InvalidTls { part, reason };
    let found = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid(error.to_string()))?;
    if found.is_empty() {
        Err(invalid("it holds no PEM certificate".to_owned()))
    } else {
        Ok(found)
    }
}
