//! Keyrings and provenance files: nothing that was changed vouches for other bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pintle::source::Digest;
use pintle::source::verify::pgp::{self, Keyring};

fuzz_target!(|text: &[u8]| {
    let other = Digest::of(b"what nobody has signed");
    let now = jiff::Timestamp::UNIX_EPOCH;
    // The bytes as a keyring and as what is signed, each as far as it goes.
    let ring = Keyring::read(text);
    assert!(pgp::verify(other, "a.tgz", text, &Keyring::default(), now).is_err());
    if let Ok(ring) = ring {
        assert!(pgp::verify(other, "a.tgz", text, &ring, now).is_err());
    }
    if let Some((ring, provenance)) = text.split_at_checked(text.len() / 2)
        && let Ok(ring) = Keyring::read(ring)
    {
        let _ = pgp::verify(other, "a.tgz", provenance, &ring, now);
    }
});
