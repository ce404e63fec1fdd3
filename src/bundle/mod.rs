//! Charts as an OCI image layout, for a registry that cannot reach theirs.
//!
//! In: archives, where they are from, and which images their releases run. Out: the documents of
//! the layout, in bytes that depend on nothing else; the table of mirrors for afterwards. Never: a
//! change of a manifest that a registry had; a file, a clock, a network.

mod images;
mod layout;
mod place;
mod push;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use images::{ReleaseImages, UsedImage, document, listed};
pub use layout::{Descriptor, INDEX, LAYOUT, LAYOUT_FILE, Layout, MANIFEST, blob_path};
pub use place::{Unplaceable, mirrors, place};
pub use push::{Packed, pack};

/// The digest of these bytes, as OCI writes it.
pub fn digest(bytes: &[u8]) -> String {
    let hex = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    format!("sha256:{hex}")
}

/// JSON as Go writes it: what is special in HTML is escaped.
// go: encoding/json appendString
fn go_json<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut json = serde_json::to_string(value)?;
    // None of these can stand outside a text.
    for (plain, escaped) in [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ] {
        if json.contains(plain) {
            json = json.replace(plain, escaped);
        }
    }
    Ok(json.into_bytes())
}
