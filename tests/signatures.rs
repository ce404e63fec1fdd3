//! Signatures as `helm package --sign` and cosign make them, and what becomes of broken ones.
//!
//! `tests/oracle/signatures` made them, and asked Helm and sigstore for their verdicts.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle::source::Digest;
use pintle::source::verify::identity::{Identity, Name};
use pintle::source::verify::key::PublicKey;
use pintle::source::verify::keyless::Keyless;
use pintle::source::verify::pgp::{self, Keyring};
use pintle::source::verify::{Error, Signer, cosign};
use serde::{Deserialize, Deserializer};

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(STANDARD.decode(text).unwrap())
}

fn cases<C: for<'de> Deserialize<'de>>(file: &str) -> BTreeMap<String, C> {
    serde_json::from_slice(&std::fs::read(format!("tests/signatures/{file}.json")).unwrap())
        .unwrap()
}

/// The word for an error.
fn word(error: &Error) -> String {
    let shown = format!("{error:?}");
    let end = shown.find(|c: char| !c.is_alphanumeric());
    shown[..end.unwrap_or(shown.len())].to_owned()
}

#[derive(Deserialize)]
struct Provenance {
    #[serde(deserialize_with = "bytes")]
    keyring: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    archive: Vec<u8>,
    file: String,
    #[serde(deserialize_with = "bytes")]
    provenance: Vec<u8>,
    refusal: String,
    signer: String,
}

fn judge(case: &Provenance) -> Result<Signer, Error> {
    let keyring = Keyring::read(&case.keyring)?;
    let (archive, now) = (Digest::of(&case.archive), jiff::Timestamp::now());
    pgp::verify(archive, &case.file, &case.provenance, &keyring, now)
}

#[test]
fn provenance_is_judged_as_helm_judges_it() {
    let mut words = BTreeSet::new();
    for (name, case) in cases::<Provenance>("provenance") {
        match (judge(&case), case.refusal.as_str()) {
            (Ok(signer), "") => assert!(signer.0.contains(&case.signer), "{name}: {signer}"),
            // Helm loses what follows the first block that it reads from such a keyring, though it
            // means to take it. helm: pkg/provenance/sign.go loadArmoredKeyRing
            (Ok(_), _) if name == "several armoured keys" => {}
            (Err(error), refusal) if !refusal.is_empty() => {
                eprintln!("{name}: {error}");
                words.insert(word(&error));
            }
            (ours, helms) => panic!("{name}: {ours:?}, and Helm says {helms:?}"),
        }
    }
    let wanted = [
        "Forged",
        "KeyExpired",
        "Malformed",
        "NotForSigning",
        "OtherContent",
        "OtherFile",
        "Revoked",
        "SignatureExpired",
        "Trust",
        "UnknownSigner",
    ];
    assert_eq!(words, BTreeSet::from(wanted.map(str::to_owned)));
}

#[test]
fn the_signer_is_told_with_the_name_and_the_key() {
    let case = &cases::<Provenance>("provenance")["rsa"];
    let told = format!("Somebody <somebody@example.com> (PGP key {})", case.signer);
    assert_eq!(judge(case).unwrap().to_string(), told);
}

/// Whatever byte is changed: no provenance that was changed vouches for other bytes.
#[test]
fn no_changed_provenance_vouches_for_another_archive() {
    let mut case = cases::<Provenance>("provenance").remove("ed25519").unwrap();
    case.archive.push(0);
    let whole = case.provenance.clone();
    for at in 0..whole.len() {
        case.provenance.clone_from(&whole);
        case.provenance[at] ^= 1;
        assert!(judge(&case).is_err(), "byte {at}");
    }
    for at in (0..whole.len()).step_by(10) {
        case.provenance = whole[..at].to_vec();
        assert!(judge(&case).is_err(), "the first {at} bytes");
    }
}

#[test]
fn a_private_key_and_a_keybox_are_refused_by_name() {
    for (keyring, reason) in [
        (
            &b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"[..],
            "private key",
        ),
        (b"\0\0\0\x20\x01\x01\0\0KBXf", "keybox"),
    ] {
        let refused = Keyring::read(keyring).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
}

#[derive(Deserialize)]
struct Cosign {
    keys: String,
    manifest: String,
    #[serde(default, deserialize_with = "bytes")]
    document: Vec<u8>,
    #[serde(default)]
    signature: String,
    bundle: Option<serde_json::Value>,
    refusal: String,
}

fn judge_cosign(case: &Cosign) -> Result<Signer, Error> {
    let keys = PublicKey::read_all(case.keys.as_bytes())?;
    let manifest = case.manifest.parse().unwrap();
    match &case.bundle {
        Some(bundle) => cosign::verify_bundle(manifest, bundle.to_string().as_bytes(), &keys),
        None => cosign::verify_simple(manifest, &case.document, &case.signature, &keys),
    }
}

#[test]
fn cosigns_signatures_are_judged_as_sigstore_judges_them() {
    let mut words = BTreeSet::new();
    for (name, case) in cases::<Cosign>("cosign") {
        match (judge_cosign(&case), case.refusal.as_str()) {
            (Ok(signer), "") => {
                let key = &PublicKey::read_all(case.keys.as_bytes()).unwrap()[0];
                assert_eq!(signer.0, format!("cosign key {}", key.id()), "{name}");
            }
            (Err(error), refusal) if !refusal.is_empty() => {
                eprintln!("{name}: {error}");
                words.insert(word(&error));
            }
            (ours, sigstores) => panic!("{name}: {ours:?}, and sigstore says {sigstores:?}"),
        }
    }
    let wanted = ["Malformed", "OtherContent", "Trust", "UnknownSigner"];
    assert_eq!(words, BTreeSet::from(wanted.map(str::to_owned)));
}

#[test]
fn any_of_several_keys_may_have_signed() {
    let cases = cases::<Cosign>("cosign");
    let mut case = Cosign {
        keys: cases["simple ed25519"].keys.clone() + &cases["simple p256"].keys,
        document: cases["simple p256"].document.clone(),
        signature: cases["simple p256"].signature.clone(),
        manifest: cases["simple p256"].manifest.clone(),
        bundle: None,
        refusal: String::new(),
    };
    assert!(judge_cosign(&case).is_ok());
    case.keys = cases["simple ed25519"].keys.clone();
    assert_eq!(judge_cosign(&case), Err(Error::UnknownSigner));
}

#[derive(Deserialize)]
struct KeylessCase {
    root: String,
    #[serde(default)]
    identities: Vec<Trusted>,
    manifest: String,
    #[serde(default, deserialize_with = "bytes")]
    document: Vec<u8>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    bundle: Option<serde_json::Value>,
    refusal: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    issuer: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trusted {
    issuer: Option<String>,
    issuer_reg_exp: Option<String>,
    subject: Option<String>,
    subject_reg_exp: Option<String>,
}

impl Trusted {
    fn identity(&self) -> Identity {
        let name = |exactly: &Option<String>, like: &Option<String>| match exactly {
            Some(exactly) => Name::Exactly(exactly.clone()),
            None => Name::like(like.as_ref().unwrap()).unwrap(),
        };
        Identity {
            issuer: name(&self.issuer, &self.issuer_reg_exp),
            subject: name(&self.subject, &self.subject_reg_exp),
        }
    }
}

impl KeylessCase {
    fn trusted(&self) -> Result<Keyless, Error> {
        let root = &cases::<serde_json::Value>("roots")[&self.root];
        let identities = self.identities.iter().map(Trusted::identity).collect();
        Keyless::new(root.to_string().as_bytes(), identities)
    }

    fn judge(&self, trusted: &Keyless) -> Result<Signer, Error> {
        let manifest = self.manifest.parse().unwrap();
        match &self.bundle {
            Some(bundle) => trusted.verify_bundle(manifest, bundle.to_string().as_bytes()),
            None => trusted.verify_simple(manifest, &self.document, &self.annotations),
        }
    }
}

#[test]
fn keyless_signatures_are_judged_as_sigstore_judges_them() {
    let mut words = BTreeSet::new();
    for (name, case) in cases::<KeylessCase>("keyless") {
        let ours = case.trusted().and_then(|trusted| case.judge(&trusted));
        match (ours, case.refusal.as_str()) {
            (Ok(signer), "") => {
                let told = format!("{} (issuer {})", case.subject, case.issuer);
                assert_eq!(signer.0, told, "{name}");
            }
            // sigstore-go takes one of the two for the signer; fulcio never gives two.
            (Err(Error::Certificate(_)), "") if name == "bundle, two names" => {}
            (Err(error), refusal) if !refusal.is_empty() => {
                eprintln!("{name}: {error}");
                words.insert(word(&error));
            }
            (ours, sigstores) => panic!("{name}: {ours:?}, and sigstore says {sigstores:?}"),
        }
    }
    let wanted = [
        "Certificate",
        "ForgedByKey",
        "Malformed",
        "NoCertificate",
        "NoTime",
        "OtherContent",
        "OtherEntry",
        "Trust",
        "UnknownIdentity",
        "Unlogged",
        "UnloggedCertificate",
    ];
    assert_eq!(words, BTreeSet::from(wanted.map(str::to_owned)));
}
