//! Signatures that cosign makes of manifests, in both forms that it stores in registries.
//!
//! In: the manifest's digest, a signature with what it is made over, the trusted keys. Out: the key
//! that made it. Never: a signature of something else by a trusted key, such as an attestation.
//!
//! The older form, under the tag `sha256-<hex>.sig`, signs a small document that names the manifest.
//! The newer one, a sigstore bundle that refers to the manifest, signs an in-toto statement in a
//! DSSE envelope. A transparency log is not asked for where a key is trusted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::key::PublicKey;
use super::{Digest, Error, Signer};

/// The media type of the document of the older form.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation of its descriptor that holds the signature.
pub const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";
/// How the media types of bundles begin; the version follows.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// sigstore: pkg/signature/payload/payload.go CosignSignatureType
const SIGNATURE_TYPE: &str = "cosign container image signature";
/// cosign: pkg/types/predicate.go CosignSignPredicateType
const SIGN_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";
const STATEMENT: &str = "application/vnd.in-toto+json";

/// What was signed in the older form.
#[derive(Deserialize)]
struct Simple {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// Whose key signed the document, if that speaks of the manifest; `signature` is in base64.
///
/// # Errors
/// See [`Error`].
pub fn verify_simple(
    manifest: Digest,
    document: &[u8],
    signature: &str,
    keys: &[PublicKey],
) -> Result<Signer, Error> {
    let signature = decode("the signature", signature)?;
    let signer = made_by(keys, |key| key.signed(document, &signature))?;
    named(signer, manifest, document)
}

/// The signer, if the document of the older form is cosign's about the manifest.
pub(super) fn named(signer: Signer, manifest: Digest, document: &[u8]) -> Result<Signer, Error> {
    let Simple { critical } = read("the signed document", document)?;
    if critical.kind != SIGNATURE_TYPE {
        return Err(Error::OtherContent {
            signer,
            signed: format!("a {:?}", critical.kind),
            wanted: format!("a {SIGNATURE_TYPE:?}"),
        });
    }
    about(signer, manifest, &[critical.image.digest])
}

/// A sigstore bundle, as far as a key needs it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bundle {
    media_type: String,
    dsse_envelope: Option<Envelope>,
    message_signature: Option<MessageSignature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

#[derive(Deserialize)]
struct MessageSignature {
    signature: String,
}

/// What a DSSE envelope holds. in-toto: Statement
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    predicate_type: String,
    subject: Vec<Subject>,
}

impl Statement {
    pub(super) fn read(payload: &[u8]) -> Result<Self, Error> {
        read("the signed statement", payload)
    }

    /// What it is about, as manifests are named.
    pub(super) fn digests(&self) -> impl Iterator<Item = String> {
        let subjects = self.subject.iter();
        subjects.map(|subject| format!("sha256:{}", subject.digest.sha256))
    }
}

#[derive(Deserialize)]
struct Subject {
    digest: SubjectDigest,
}

#[derive(Deserialize)]
struct SubjectDigest {
    #[serde(default)]
    sha256: String,
}

/// Whose key signed the bundle, if that speaks of the manifest.
///
/// # Errors
/// See [`Error`].
pub fn verify_bundle(manifest: Digest, bundle: &[u8], keys: &[PublicKey]) -> Result<Signer, Error> {
    let bundle: Bundle = read("the bundle", bundle)?;
    if !bundle.media_type.starts_with(BUNDLE) {
        let kind = bundle.media_type;
        return Err(Error::Malformed(format!("it is a {kind:?}, and no bundle")));
    }
    match (bundle.dsse_envelope, bundle.message_signature) {
        (Some(envelope), None) => verify_envelope(manifest, &envelope, keys),
        (None, Some(message)) => {
            let signature = decode("the signature", &message.signature)?;
            made_by(keys, |key| key.signed_hash(manifest.bytes(), &signature))
        }
        _ => Err(Error::Malformed(
            "the bundle has not one signature".to_owned(),
        )),
    }
}

fn verify_envelope(
    manifest: Digest,
    envelope: &Envelope,
    keys: &[PublicKey],
) -> Result<Signer, Error> {
    // sigstore-go: pkg/verify/signature.go: one signature, neither none nor a choice.
    let [EnvelopeSignature { sig }] = envelope.signatures.as_slice() else {
        let count = envelope.signatures.len();
        return Err(Error::Malformed(format!(
            "the envelope has {count} signatures"
        )));
    };
    let payload = decode("the envelope", &envelope.payload)?;
    let signature = decode("the signature", sig)?;
    let kind = &envelope.payload_type;
    // DSSE: protocol.md PAE
    let lengths = (kind.len(), payload.len());
    let mut message = format!("DSSEv1 {} {kind} {} ", lengths.0, lengths.1).into_bytes();
    message.extend_from_slice(&payload);
    let signer = made_by(keys, |key| key.signed(&message, &signature))?;
    approved(signer, manifest, kind, &payload)
}

/// The signer, if the payload of an envelope is cosign's statement about the manifest.
pub(super) fn approved(
    signer: Signer,
    manifest: Digest,
    kind: &str,
    payload: &[u8],
) -> Result<Signer, Error> {
    let other = |signer, signed: String, wanted: &str| {
        let wanted = wanted.to_owned();
        Err(Error::OtherContent {
            signer,
            signed,
            wanted,
        })
    };
    if kind != STATEMENT {
        return other(signer, format!("{kind:?}"), STATEMENT);
    }
    let statement = Statement::read(payload)?;
    if !statement.kind.starts_with("https://in-toto.io/Statement/") {
        return other(
            signer,
            format!("{:?}", statement.kind),
            "an in-toto statement",
        );
    }
    // Who can attest to something about a chart has not approved of it.
    if statement.predicate_type != SIGN_PREDICATE {
        return other(
            signer,
            format!("{:?}", statement.predicate_type),
            SIGN_PREDICATE,
        );
    }
    about(signer, manifest, &statement.digests().collect::<Vec<_>>())
}

/// The signer, if what was signed is the manifest.
pub(super) fn about(signer: Signer, manifest: Digest, signed: &[String]) -> Result<Signer, Error> {
    let wanted = manifest.to_string();
    match signed.contains(&wanted) {
        true => Ok(signer),
        false => Err(Error::OtherContent {
            signer,
            signed: signed.join(", "),
            wanted,
        }),
    }
}

fn made_by(keys: &[PublicKey], signed: impl Fn(&PublicKey) -> bool) -> Result<Signer, Error> {
    let key = keys.iter().find(|key| signed(key));
    let key = key.ok_or(Error::UnknownSigner)?;
    Ok(Signer(format!("cosign key {}", key.id())))
}

pub(super) fn decode(what: &str, text: &str) -> Result<Vec<u8>, Error> {
    let decoded = STANDARD.decode(text);
    decoded.map_err(|error| Error::Malformed(format!("{what} is no base64: {error}")))
}

pub(super) fn read<'d, T: Deserialize<'d>>(what: &str, json: &'d [u8]) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|error| Error::Malformed(format!("{what}: {error}")))
}
