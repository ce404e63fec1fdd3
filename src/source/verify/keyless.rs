//! Signatures by keys that lived for minutes: a certificate says whose the key was, and a public log
//! that it signed while the certificate held.
//!
//! In: a trusted root, the identities that are trusted, a signature with what stands beside it. Out:
//! the identity that made it. Never: an identity that nobody named, a request for anything that is
//! not there, or a time that nobody trusted vouches for.
//!
//! What holds is judged by `sigstore-verify`: the certificate's chain and the log's word for it, the
//! signature's entry in a log and when that was made, the signature itself. Who is trusted, and what
//! must have been signed, is judged here. The older form of cosign's is read into a bundle first.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{
    Bundle, DerCertificate, HashAlgorithm, Sha256Hash, SignatureContent, TimeRange,
};
use sigstore_verify::{TransparencyLogError, VerificationPolicy, Verifier};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::cosign::{self, Statement};
use super::identity::{self, Identity};
use super::{Digest, Error, Signer, algorithms};

// cosign: pkg/oci/static/options.go
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const LOGGED: &str = "dev.sigstore.cosign/bundle";
const STAMPED: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// sigstore-go: pkg/root/trusted_root.go TrustedRootMediaType01
const TRUSTED_ROOT: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

/// The largest trusted root: as much as a Secret holds.
const LARGEST_ROOT: usize = 1 << 20;
/// How many authorities or logs of a kind it may name, how many certificates a chain may have, and
/// how many entries or timestamps a bundle may have. sigstore-go: internal/limits
const MOST: usize = 32;

/// Whom to trust without knowing their keys.
pub struct Keyless {
    verifier: Verifier,
    identities: Vec<Identity>,
}

impl std::fmt::Debug for Keyless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let identities = &self.identities;
        f.debug_struct("Keyless")
            .field("identities", identities)
            .finish_non_exhaustive()
    }
}

impl Keyless {
    /// Trusts these identities, where the authorities and logs of a `trusted_root.json` vouch for
    /// them.
    ///
    /// # Errors
    /// [`Error::Trust`] where the root cannot be read, or nobody is trusted.
    pub fn new(trusted_root: &[u8], identities: Vec<Identity>) -> Result<Self, Error> {
        algorithms::install();
        if identities.is_empty() {
            return Err(Error::Trust("no identity is named".to_owned()));
        }
        if trusted_root.len() > LARGEST_ROOT {
            return Err(Error::Trust("the trusted root is too large".to_owned()));
        }
        let text = std::str::from_utf8(trusted_root)
            .map_err(|error| Error::Trust(format!("the trusted root: {error}")))?;
        let mut root = TrustedRoot::from_json(text)
            .map_err(|error| Error::Trust(format!("the trusted root: {error}")))?;
        if root.media_type != TRUSTED_ROOT {
            let kind = &root.media_type;
            return Err(Error::Trust(format!(
                "the trusted root is a {kind:?}, and no {TRUSTED_ROOT}"
            )));
        }
        let lists = [
            root.tlogs.len(),
            root.ctlogs.len(),
            root.certificate_authorities.len(),
            root.timestamp_authorities.len(),
        ];
        if lists.iter().any(|entries| *entries > MOST) {
            return Err(Error::Trust(format!(
                "the trusted root names more than {MOST} authorities or logs"
            )));
        }
        // Without one of them nothing holds, whatever is signed.
        for (entries, what) in [
            (root.tlogs.len(), "log of signatures"),
            (root.ctlogs.len(), "log of certificates"),
            (root.certificate_authorities.len(), "authority"),
        ] {
            if entries == 0 {
                return Err(Error::Trust(format!("the trusted root names no {what}")));
            }
        }
        for authority in &mut root.certificate_authorities {
            let chain = authority.cert_chain.certificates.iter();
            let chain = chain.map(|entry| &entry.raw_bytes);
            authority.valid_for = Some(span(authority.valid_for, chain)?);
        }
        for authority in &mut root.timestamp_authorities {
            let chain = authority.cert_chain.certificates.iter();
            let chain = chain.map(|entry| &entry.raw_bytes);
            authority.valid_for = Some(span(authority.valid_for, chain)?);
        }
        let verifier = Verifier::new(&root)
            .map_err(|error| Error::Trust(format!("the trusted root: {error}")))?;
        Ok(Self {
            verifier,
            identities,
        })
    }

    /// Who signed the bundle, if that speaks of the manifest.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn verify_bundle(&self, manifest: Digest, bundle: &[u8]) -> Result<Signer, Error> {
        let bundle = read_bundle(bundle)?;
        // The signature is judged over what it claims to be over, and then that is compared: so
        // that who signed something else is told only of those who did.
        match &bundle.content {
            SignatureContent::MessageSignature(message) => {
                let claimed = message.message_digest.as_ref();
                let claimed = claimed.filter(|digest| digest.algorithm == HashAlgorithm::Sha2256);
                let claimed = claimed.and_then(|digest| digest.digest.as_bytes().try_into().ok());
                let claimed = claimed.unwrap_or(*manifest.bytes());
                let signer = self.signer(&bundle, claimed)?;
                let hex = super::super::digest::hex(&claimed);
                cosign::about(signer, manifest, &[format!("sha256:{hex}")])
            }
            SignatureContent::DsseEnvelope(envelope) => {
                let payload = envelope.payload.as_bytes();
                let statement = Statement::read(payload)?;
                let mut claimed = statement.digests();
                let claimed = claimed.find_map(|digest| digest.parse::<Digest>().ok());
                let claimed = claimed.ok_or_else(|| {
                    let reason = "the signed statement names nothing by its sha256 sum";
                    Error::Malformed(reason.to_owned())
                })?;
                let signer = self.signer(&bundle, *claimed.bytes())?;
                cosign::approved(signer, manifest, &envelope.payload_type, payload)
            }
            _ => Err(Error::Malformed(
                "the bundle has no signature that is known".to_owned(),
            )),
        }
    }

    /// Who signed the document, by what cosign's older form has beside it, if it speaks of the
    /// manifest.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn verify_simple(
        &self,
        manifest: Digest,
        document: &[u8],
        annotations: &BTreeMap<String, String>,
    ) -> Result<Signer, Error> {
        let hash: [u8; 32] = Sha256::digest(document).into();
        let bundle = bundle_of(&hash, annotations)?.to_string();
        let signer = self.signer(&read_bundle(bundle.as_bytes())?, hash)?;
        cosign::named(signer, manifest, document)
    }

    /// The trusted identity that signed what has this sum.
    fn signer(&self, bundle: &Bundle, hash: [u8; 32]) -> Result<Signer, Error> {
        let certificate = bundle.signing_certificate().ok_or(Error::NoCertificate)?;
        let policy = VerificationPolicy::any_identity();
        let verified = self
            .verifier
            .verify(Sha256Hash::new(hash), bundle, &policy)
            .map_err(|error| refusal(&error))?;
        let subject = identity::subject(certificate.as_bytes())?;
        let Some(issuer) = verified.issuer() else {
            return Err(Error::Certificate(
                "it does not say whose word its name is".to_owned(),
            ));
        };
        let signer = Signer(format!("{subject} (issuer {issuer})"));
        let mut trusted = self.identities.iter();
        match trusted.any(|identity| identity.is(&subject, issuer)) {
            true => Ok(signer),
            false => Err(Error::UnknownIdentity(signer)),
        }
    }
}

/// When an authority may vouch: as long as it may itself, and every certificate of its chain holds.
// sigstore's specification of clients: the hybrid model of certificate verification
fn span<'c>(
    valid: Option<TimeRange>,
    chain: impl Iterator<Item = &'c DerCertificate>,
) -> Result<TimeRange, Error> {
    let unusable = |error: String| Error::Trust(format!("the trusted root: {error}"));
    let mut start = jiff::Timestamp::MIN;
    let mut end = jiff::Timestamp::MAX;
    if let Some(valid) = valid {
        start = valid.start;
        end = valid.end.unwrap_or(end);
    }
    for (at, certificate) in chain.enumerate() {
        if at == MOST {
            return Err(unusable(format!("a chain has more than {MOST} links")));
        }
        let certificate = Certificate::from_der(certificate.as_bytes());
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        let validity = certificate.tbs_certificate.validity;
        let time = |time: x509_cert::time::Time| {
            jiff::Timestamp::try_from(time.to_system_time())
                .map_err(|error| unusable(error.to_string()))
        };
        start = start.max(time(validity.not_before)?);
        end = end.min(time(validity.not_after)?);
    }
    if end < start {
        return Err(unusable("an authority was never valid".to_owned()));
    }
    Ok(TimeRange::new(start, Some(end)))
}

fn read_bundle(json: &[u8]) -> Result<Bundle, Error> {
    let malformed = |error: String| Error::Malformed(format!("the bundle: {error}"));
    let text = std::str::from_utf8(json).map_err(|error| malformed(error.to_string()))?;
    let bundle = Bundle::from_json(text).map_err(|error| malformed(error.to_string()))?;
    let material = &bundle.verification_material;
    let stamps = &material.timestamp_verification_data.rfc3161_timestamps;
    if material.tlog_entries.len() > MOST || stamps.len() > MOST {
        return Err(malformed(format!(
            "it has more than {MOST} entries or timestamps"
        )));
    }
    // sigstore-go: pkg/verify/tlog.go VerifyTlogEntry: what is there twice is no second witness
    let entries = &material.tlog_entries;
    let known = |at: usize| {
        let before = entries[..at].iter();
        let entry = &entries[at];
        before
            .clone()
            .any(|other| other.log_id == entry.log_id && other.log_index == entry.log_index)
    };
    if (0..entries.len()).any(known) {
        return Err(malformed("it has an entry twice".to_owned()));
    }
    Ok(bundle)
}

/// What a log promised, as cosign's older form has it. cosign: pkg/cosign/bundle/rekor.go
#[derive(Deserialize)]
struct Logged {
    #[serde(rename = "SignedEntryTimestamp")]
    promise: String,
    #[serde(rename = "Payload")]
    payload: LoggedPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedPayload {
    body: String,
    integrated_time: i64,
    log_index: i64,
    #[serde(rename = "logID")]
    log_id: String,
}

/// What kind of entry a body is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    kind: String,
    api_version: String,
}

/// cosign: pkg/cosign/bundle/tsa.go
#[derive(Deserialize)]
struct Stamped {
    #[serde(rename = "SignedRFC3161Timestamp")]
    stamp: String,
}

/// The annotations of the older form as a bundle.
fn bundle_of(hash: &[u8; 32], annotations: &BTreeMap<String, String>) -> Result<Value, Error> {
    let annotation = |name: &str| annotations.get(name).map(String::as_str);
    let signature = annotation(cosign::SIGNATURE_ANNOTATION).unwrap_or_default();
    let certificate = annotation(CERTIFICATE).ok_or(Error::NoCertificate)?;
    let certificates = certificates(certificate)?;
    if certificates.len() != 1 {
        return Err(Error::NoCertificate);
    }
    let chain = self::certificates(annotation(CHAIN).unwrap_or_default())?;
    let chain: Vec<_> = [certificates, chain].concat();
    if chain.len() > MOST {
        return Err(Error::Malformed(format!(
            "the chain has more than {MOST} links"
        )));
    }
    let chain: Vec<_> = chain.iter().map(|der| json!({"rawBytes": der})).collect();
    let missing = || Error::Unlogged("there is no word of a log beside it".to_owned());
    let logged = annotation(LOGGED).ok_or_else(missing)?;
    let Logged { promise, payload } = cosign::read("the log's word", logged.as_bytes())?;
    let body = cosign::decode("the log's entry", &payload.body)?;
    let Body { kind, api_version } = cosign::read("the log's entry", &body)?;
    let log = Digest::from_hex(&payload.log_id)
        .ok_or_else(|| Error::Malformed("the log's name is no sum of a key".to_owned()))?;
    let entry = json!({
        "logIndex": payload.log_index.to_string(),
        "logId": {"keyId": STANDARD.encode(log.bytes())},
        "kindVersion": {"kind": kind, "version": api_version},
        "integratedTime": payload.integrated_time.to_string(),
        "inclusionPromise": {"signedEntryTimestamp": promise},
        "canonicalizedBody": payload.body,
    });
    let mut material = json!({
        "x509CertificateChain": {"certificates": chain},
        "tlogEntries": [entry],
    });
    if let Some(stamped) = annotation(STAMPED) {
        let Stamped { stamp } = cosign::read("the timestamp", stamped.as_bytes())?;
        material["timestampVerificationData"] =
            json!({"rfc3161Timestamps": [{"signedTimestamp": stamp}]});
    }
    Ok(json!({
        "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "verificationMaterial": material,
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": STANDARD.encode(hash)},
            "signature": signature,
        },
    }))
}

/// The certificates in a text of PEM, in base64.
fn certificates(pem: &str) -> Result<Vec<String>, Error> {
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes()).take(MOST + 1);
    let encoded = certificates.map(|certificate| match certificate {
        Ok(der) => Ok(STANDARD.encode(der)),
        Err(error) => Err(Error::Malformed(format!("the certificate: {error}"))),
    });
    encoded.collect()
}

/// A refusal of the library's, in words of ours.
fn refusal(error: &sigstore_verify::Error) -> Error {
    use sigstore_verify::{CertificateError, Error as Refusal};
    match error {
        Refusal::Certificate(CertificateError::Sct(reason)) => {
            Error::UnloggedCertificate(reason.clone())
        }
        Refusal::Certificate(reason) => Error::Certificate(reason.to_string()),
        Refusal::Timestamp(reason) => Error::NoTime(reason.to_string()),
        Refusal::TransparencyLog(TransparencyLogError::EntryMismatch(reason)) => {
            Error::OtherEntry(reason.clone())
        }
        Refusal::TransparencyLog(reason) => Error::Unlogged(reason.to_string()),
        // What was signed is compared with what the bundle itself claims: see verify_bundle.
        Refusal::ArtifactMismatch(reason) => Error::OtherEntry(reason.clone()),
        Refusal::InvalidTrustRoot(reason) => Error::Trust(reason.clone()),
        Refusal::SignatureInvalid(reason) => Error::ForgedByKey(reason.clone()),
        other => Error::Malformed(format!("the bundle: {other}")),
    }
}
