//! Helm's stored release.
//!
//! In: the bytes that Helm 2.17 to 4 put into a release Secret, or a [`Record`] to be stored. Out:
//! the other of the two, the Secret's name and labels, and from a release's [`History`] the answers
//! to what is last, what is deployed and what may go. Never: a cluster or a clock; whoever stores a
//! record says what time it is.
//!
//! A record is Helm's own, field for field, so that `helm list`, `history`, `get`, `rollback` and
//! `uninstall` work on it, and fields that this version does not know outlive an update.

mod codec;
mod gojson;
mod history;
mod large;
mod packed;
mod record;
mod seed;
mod status;

pub use codec::{MAX_RECORD, decode, encode};
pub use history::{Header, History, labels, secret_name};
pub use large::{Fitted, continued, fit, join};
pub use packed::Packed;
pub use record::{Info, Record, time};
pub use seed::{SEED_KEY, Seed};
pub use status::Status;

/// The `type` of a Secret that holds a release.
pub const SECRET_TYPE: &str = "helm.sh/release.v1";

/// The `type` of a Secret that goes on where a release's Secret is full, and the key in its `data`.
pub const PART_TYPE: &str = "helm.pintle.dev/record.v1";

/// See [`PART_TYPE`].
pub const PART_KEY: &str = "part";

/// The key in the Secret's `data` that holds the encoded record.
pub const SECRET_KEY: &str = "release";

/// Why stored bytes are no release, or a release cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not base64.
    #[error("decode a stored release")]
    Base64(#[source] base64::DecodeError),
    /// The bytes are gzip, but broken.
    #[error("decompress a stored release")]
    Gzip(#[source] std::io::Error),
    /// The record is larger than any that a Secret can hold.
    #[error("a stored release expands to more than {limit} bytes")]
    TooLarge {
        /// [`MAX_RECORD`].
        limit: u64,
    },
    /// The bytes are no record.
    #[error("read a stored release")]
    Json(#[source] serde_json::Error),
    /// The record cannot be written.
    #[error("write a release record")]
    Encode(#[source] serde_json::Error),
    /// What further Secrets hold is not what the record's own Secret speaks of.
    #[error("put the parts of a stored release together")]
    Parts,
    /// What stands where the seed should is none.
    #[error("key {SEED_KEY} holds no seed: passwords that templates make could not be made again")]
    Seed,
    /// A Secret's labels do not say which release it holds.
    #[error("the labels of a stored release have no {0}")]
    Label(&'static str),
}
