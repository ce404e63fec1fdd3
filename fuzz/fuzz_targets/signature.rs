//! Documents and bundles, by keys and by names: nothing that was changed vouches for other bytes.
#![no_main]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use pintle::source::Digest;
use pintle::source::verify::cosign;
use pintle::source::verify::identity::{Identity, Name};
use pintle::source::verify::key::PublicKey;
use pintle::source::verify::keyless::Keyless;
use serde_json::Value;

/// Who made the seeds, and what a seed is a part of.
struct Known {
    keys: Vec<PublicKey>,
    keyless: Keyless,
    bundle: Value,
    document: String,
    annotations: BTreeMap<String, String>,
}

/// Parts of a bundle that hold bytes, and of the older form: the first byte of an input says which
/// of them the others are.
const PARTS: [&str; 5] = [
    "/verificationMaterial/certificate/rawBytes",
    "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp",
    "/verificationMaterial/tlogEntries/0/canonicalizedBody",
    "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
    "/dsseEnvelope/payload",
];
const CHECKPOINT: &str = "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope";
const ANNOTATIONS: [&str; 4] = ["certificate", "chain", "bundle", "rfc3161timestamp"];

fn identities() -> Vec<Identity> {
    let anybody = || Name::like(".*").expect("it is an expression");
    vec![Identity {
        issuer: anybody(),
        subject: anybody(),
    }]
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("the cases are JSON");
        let signed = json(include_str!("../../tests/signatures/cosign.json"));
        let pem = signed["simple p256"]["keys"].as_str().unwrap_or_default();
        let roots = json(include_str!("../../tests/signatures/roots.json"));
        let keyless = json(include_str!("../../tests/signatures/keyless.json"));
        let case = &keyless["bundle"];
        let root = case["root"].as_str().unwrap_or_default();
        let mut bundle = case["bundle"].clone();
        let stamped = &keyless["bundle, proof alone, stamped"]["bundle"]["verificationMaterial"];
        bundle["verificationMaterial"]["timestampVerificationData"] =
            stamped["timestampVerificationData"].clone();
        let simple = &keyless["simple"];
        let annotations = serde_json::from_value(simple["annotations"].clone());
        Known {
            keys: PublicKey::read_all(pem.as_bytes()).expect("the key is one"),
            keyless: Keyless::new(roots[root].to_string().as_bytes(), identities())
                .expect("the root is one"),
            bundle,
            document: "{}".to_owned(),
            annotations: annotations.expect("they are texts"),
        }
    })
}

fuzz_target!(|text: &[u8]| {
    let known = known();
    let other = Digest::of(b"what nobody has signed");
    let _ = PublicKey::read_all(text);
    assert!(cosign::verify_bundle(other, text, &known.keys).is_err());
    let lossy = String::from_utf8_lossy(text);
    assert!(cosign::verify_simple(other, text, &lossy, &known.keys).is_err());
    assert!(known.keyless.verify_bundle(other, text).is_err());
    assert!(
        known
            .keyless
            .verify_simple(other, text, &known.annotations)
            .is_err()
    );
    if let Ok(keyless) = Keyless::new(text, identities()) {
        let bundle = known.bundle.to_string();
        assert!(keyless.verify_bundle(other, bundle.as_bytes()).is_err());
    }
    let Some((which, part)) = text.split_first() else {
        return;
    };
    let which = usize::from(*which) % (PARTS.len() + 1 + ANNOTATIONS.len());
    if let Some(annotation) = which.checked_sub(PARTS.len() + 1) {
        let mut annotations = known.annotations.clone();
        let name = format!("dev.sigstore.cosign/{}", ANNOTATIONS[annotation]);
        annotations.insert(name, String::from_utf8_lossy(part).into_owned());
        let document = known.document.as_bytes();
        let judged = known.keyless.verify_simple(other, document, &annotations);
        assert!(judged.is_err());
        return;
    }
    let mut bundle = known.bundle.clone();
    let (place, value) = match PARTS.get(which) {
        Some(place) => (*place, base64(part)),
        None => (CHECKPOINT, String::from_utf8_lossy(part).into_owned()),
    };
    *bundle.pointer_mut(place).expect("the seed has it") = value.into();
    let bundle = bundle.to_string();
    assert!(
        known
            .keyless
            .verify_bundle(other, bundle.as_bytes())
            .is_err()
    );
});

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let mut bits = [0; 4];
        bits[1..=three.len()].copy_from_slice(three);
        let bits = u32::from_be_bytes(bits);
        for at in 0..4 {
            text.push(match at <= three.len() {
                true => char::from(LETTERS[(bits >> (18 - 6 * at)) as usize & 63]),
                false => '=',
            });
        }
    }
    text
}
