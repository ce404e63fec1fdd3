//! Whom we trust and who we are on TLS connections, on ring alone.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::error::Error;

/// A CA and a client certificate, as the Secret of `spec.tls` holds them; each part is PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsMaterial {
    /// Authorities trusted for this chart.
    pub ca: Option<Vec<u8>>,
    /// Whom else to trust.
    pub trust: Trust,
    /// The client certificate with its chain; shown to the repository's own host alone.
    pub certificate: Option<Vec<u8>>,
    /// The private key of the client certificate.
    pub key: Option<Vec<u8>>,
    /// The name that the certificate of the repository's own host must bear, in place of the host's.
    pub server_name: Option<String>,
}

/// Whom a connection trusts beside a CA that is given with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The system's authorities, too: registries send readers on to blob storage elsewhere.
    #[default]
    System,
    /// Nobody: the given CA stands alone, as with `helm --ca-file`.
    CaAlone,
    /// Everybody, as with `helm --insecure-skip-tls-verify`. No server is known then.
    Everybody,
}

impl TlsMaterial {
    /// The same without the client certificate and the server's name: for hosts other than the
    /// repository's own.
    pub(super) fn without_identity(&self) -> Self {
        Self {
            ca: self.ca.clone(),
            trust: self.trust,
            certificate: None,
            key: None,
            server_name: None,
        }
    }

    pub(super) fn parts(&self) -> [&[u8]; 5] {
        let trust: &[u8] = match self.trust {
            Trust::System => b"",
            Trust::CaAlone => b"ca",
            Trust::Everybody => b"everybody",
        };
        let [ca, certificate, key] = [&self.ca, &self.certificate, &self.key]
            .map(|part| part.as_deref().unwrap_or_default());
        let name = self.server_name.as_deref().unwrap_or_default();
        [ca, certificate, key, trust, name.as_bytes()]
    }
}

impl fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsMaterial")
            .field("ca", &self.ca.is_some())
            .field("trust", &self.trust)
            .field("certificate", &self.certificate.is_some())
            .field("key", &self.key.is_some())
            .field("server_name", &self.server_name)
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
    let trust = material.map(|material| material.trust).unwrap_or_default();
    let mut roots = match trust {
        Trust::System => system.clone(),
        Trust::CaAlone | Trust::Everybody => RootCertStore::empty(),
    };
    if let Some(ca) = material.and_then(|material| material.ca.as_deref()) {
        for certificate in certificates("CA", ca)? {
            roots
                .add(certificate)
                .map_err(|error| invalid("CA", &error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let named = material.and_then(|material| material.server_name.as_deref());
    let named = named
        .filter(|_| trust != Trust::Everybody)
        .map(|name| Named::new(name, &roots, Arc::clone(&provider)))
        .transpose()?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid("TLS versions", &error))?;
    let builder = match (trust, named) {
        (_, Some(named)) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(named)),
        (Trust::System | Trust::CaAlone, None) => builder.with_root_certificates(roots),
        (Trust::Everybody, None) => {
            let schemes = rustls::crypto::ring::default_provider();
            let verifier = AnyCertificate(schemes.signature_verification_algorithms);
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
        }
    };
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
    // A resumed session would not look at the certificate, which may have expired since.
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Takes every certificate, and asks only that the server holds its key.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Verifies as usual, but for another name than the host's.
#[derive(Debug)]
struct Named {
    name: ServerName<'static>,
    usual: Arc<WebPkiServerVerifier>,
}

impl Named {
    fn new(
        name: &str,
        roots: &RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let invalid = |reason: String| Error::InvalidTls {
            part: "server name",
            reason,
        };
        let name = ServerName::try_from(name.to_owned());
        let roots = Arc::new(roots.clone());
        let usual = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        Ok(Self {
            name: name.map_err(|error| invalid(error.to_string()))?,
            usual: usual.map_err(|error| invalid(error.to_string()))?,
        })
    }
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.usual
            .verify_server_cert(certificate, chain, &self.name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
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
