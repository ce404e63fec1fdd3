//! TLS files: whom a connection trusts, and as whom it goes.

use pintle::source::{TlsMaterial, Trust};

use crate::command::files;
use crate::command::flags::go_quoted;

/// The files that flags or a repository's entry name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TlsFiles {
    pub(super) certificate: String,
    pub(super) key: String,
    pub(super) ca: String,
    pub(super) insecure: bool,
}

impl TlsFiles {
    /// Whether a connection is made otherwise because of them: a certificate without its key is
    /// passed over.
    // helm: pkg/cmd/root.go newRegistryClient, pkg/getter/httpgetter.go httpClient
    pub(super) fn matter(&self) -> bool {
        let identity = !self.certificate.is_empty() && !self.key.is_empty();
        identity || !self.ca.is_empty() || self.insecure
    }

    /// What they hold, if they matter.
    // helm: internal/tlsutil/tls.go NewTLSConfig
    pub(super) fn read(&self) -> Result<Option<TlsMaterial>, String> {
        if !self.matter() {
            return Ok(None);
        }
        let failed = |reason: String| format!("can't create TLS config for client: {reason}");
        let identity = self.identity();
        let ca = match self.ca.as_str() {
            "" => Ok(None),
            path => read("can't read CA file", path).map(Some),
        };
        let (identity, ca) = match (identity, ca) {
            (Ok(identity), Ok(ca)) => (identity, ca),
            (Err(first), Err(second)) => return Err(failed(format!("{first}\n{second}"))),
            (Err(reason), _) | (_, Err(reason)) => return Err(failed(reason)),
        };
        let mut material = TlsMaterial {
            trust: match (self.insecure, &ca) {
                (true, _) => Trust::Everybody,
                (false, Some(_)) => Trust::CaAlone,
                (false, None) => Trust::System,
            },
            ..TlsMaterial::default()
        };
        if let Some((certificate, key)) = identity {
            check_pair(&certificate, &key)
                .map_err(|reason| failed(format!("unable to load cert from key pair: {reason}")))?;
            material.certificate = Some(certificate);
            material.key = Some(key);
        }
        if let Some(ca) = ca {
            if !kinds(&ca).iter().any(|kind| kind == CERTIFICATE) {
                return Err(failed(
                    "failed to append certificates from pem block".to_owned(),
                ));
            }
            material.ca = Some(ca);
        }
        Ok(Some(material))
    }

    fn identity(&self) -> Result<Option<Identity>, String> {
        if self.certificate.is_empty() && self.key.is_empty() {
            return Ok(None);
        }
        let certificate = read("unable to read cert file", &self.certificate)?;
        let key = read("unable to read key file", &self.key)?;
        Ok((!certificate.is_empty() && !key.is_empty()).then_some((certificate, key)))
    }
}

/// A certificate and its key.
type Identity = (Vec<u8>, Vec<u8>);

fn read(failed: &str, path: &str) -> Result<Vec<u8>, String> {
    files::read(path).map_err(|error| format!("{failed}: {}: {error}", go_quoted(path)))
}

/// The kind of a certificate's block.
pub(super) const CERTIFICATE: &str = "CERTIFICATE";

/// The kinds of the PEM blocks in a file.
pub(super) fn kinds(pem: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(pem);
    let kind = |line: &str| {
        let kind = line.trim_end().strip_prefix("-----BEGIN ")?;
        let kind = kind.strip_suffix("-----")?;
        let end = format!("-----END {kind}-----");
        text.contains(&end).then(|| kind.to_owned())
    };
    text.lines().filter_map(kind).collect()
}

// go: crypto/tls X509KeyPair
fn check_pair(certificate: &[u8], key: &[u8]) -> Result<(), String> {
    let certificates = kinds(certificate);
    if !certificates.iter().any(|kind| kind == CERTIFICATE) {
        return Err(match certificates.as_slice() {
            [] => "tls: failed to find any PEM data in certificate input".to_owned(),
            [kind] if kind.ends_with("PRIVATE KEY") => {
                "tls: failed to find certificate PEM data in certificate input, but did find a \
                 private key; PEM inputs may have been switched"
                    .to_owned()
            }
            kinds => format!(
                "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after \
                 skipping PEM blocks of the following types: [{}]",
                kinds.join(" ")
            ),
        });
    }
    let keys = kinds(key);
    if keys.iter().any(|kind| kind.ends_with("PRIVATE KEY")) {
        return Ok(());
    }
    Err(match keys.as_slice() {
        [] => "tls: failed to find any PEM data in key input".to_owned(),
        [kind] if kind == CERTIFICATE => {
            "tls: found a certificate rather than a key in the PEM for the private key".to_owned()
        }
        kinds => format!(
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after \
             skipping PEM blocks of the following types: [{}]",
            kinds.join(" ")
        ),
    })
}
