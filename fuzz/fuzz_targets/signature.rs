//! Provenance, documents and bundles: nothing that was changed vouches for other bytes.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use pintle::source::Digest;
use pintle::source::verify::cosign;
use pintle::source::verify::key::PublicKey;
use pintle::source::verify::pgp::{self, Keyring};
use serde_json::Value;

/// The keys that made the seeds.
fn keys() -> &'static (Keyring, Vec<PublicKey>) {
    static KEYS: OnceLock<(Keyring, Vec<PublicKey>)> = OnceLock::new();
    KEYS.get_or_init(|| {
        let signed = include_str!("../../tests/signatures/cosign.json");
        let signed: Value = serde_json::from_str(signed).expect("the cases are JSON");
        let pem = signed["simple p256"]["keys"].as_str().unwrap_or_default();
        let keys = PublicKey::read_all(pem.as_bytes()).expect("the key is one");
        (Keyring::default(), keys)
    })
}

fuzz_target!(|text: &[u8]| {
    let (none, keys) = keys();
    let other = Digest::of(b"what nobody has signed");
    let now = jiff::Timestamp::UNIX_EPOCH;
    // The bytes as a keyring and as what is signed, each as far as it goes.
    let ring = Keyring::read(text);
    assert!(pgp::verify(other, "a.tgz", text, none, now).is_err());
    if let Ok(ring) = ring {
        assert!(pgp::verify(other, "a.tgz", text, &ring, now).is_err());
    }
    if let Some((ring, provenance)) = text.split_at_checked(text.len() / 2)
        && let Ok(ring) = Keyring::read(ring)
    {
        let _ = pgp::verify(other, "a.tgz", provenance, &ring, now);
    }
    assert!(cosign::verify_bundle(other, text, keys).is_err());
    let signature = String::from_utf8_lossy(text);
    assert!(cosign::verify_simple(other, text, &signature, keys).is_err());
    let _ = PublicKey::read_all(text);
});
