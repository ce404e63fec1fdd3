//! Whether bytes are what somebody trusted has signed.
//!
//! In: the digest of an archive or of a manifest, what was found as its signature, the keys or
//! authorities that are trusted, and the time. Out: the [`Signer`], or an [`Error`] that says what
//! is wrong with the signature. Never: a request, a clock, or a way around: whoever asks for a
//! signature gets one that holds, or an error.
//!
//! [`pgp`] reads Helm's provenance files, [`cosign`] both forms in which cosign stores signatures.

pub mod cosign;
pub mod key;
pub mod pgp;

use super::digest::Digest;

/// Who is trusted to sign.
#[derive(Debug, Clone)]
pub enum Trusted {
    /// Whoever has one of these keys signs provenance files.
    Pgp(pgp::Keyring),
    /// Whoever has one of these keys signs manifests.
    Cosign(Vec<key::PublicKey>),
}

impl Trusted {
    /// Trusts these keys, too.
    ///
    /// # Errors
    /// [`Error::Trust`] where they cannot be read.
    pub fn add(&mut self, keys: &[u8]) -> Result<(), Error> {
        match self {
            Self::Pgp(keyring) => keyring.add(pgp::Keyring::read(keys)?),
            Self::Cosign(trusted) => trusted.extend(key::PublicKey::read_all(keys)?),
        }
        Ok(())
    }
}

/// Who signed, in words for a status: a key with its owner, or an identity with its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer(pub String);

impl std::fmt::Display for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody signed it, as far as was found.
    #[error("there is no signature")]
    Unsigned,
    /// The keys that are to be trusted cannot be read.
    #[error("read the trusted keys: {0}")]
    Trust(String),
    /// What was found is no signature.
    #[error("read the signature: {0}")]
    Malformed(String),
    /// None of the trusted keys made it.
    #[error("none of the trusted keys made the signature")]
    UnknownSigner,
    /// It names a trusted key, but that one did not sign these bytes.
    #[error("the signature of {0} is not over these bytes")]
    Forged(Signer),
    /// The signature is good, and for something else.
    #[error("{signer} signed {signed}, and not {wanted}")]
    OtherContent {
        /// Who signed.
        signer: Signer,
        /// What the signature speaks of.
        signed: String,
        /// What was fetched.
        wanted: String,
    },
    /// The provenance does not speak of the archive.
    #[error("what {signer} signed has no sum of {file:?}")]
    OtherFile {
        /// Who signed.
        signer: Signer,
        /// The archive's file name.
        file: String,
    },
    /// The hash is one with which two documents can have the same signature.
    #[error("the signature is made with {0}, which can be forged")]
    WeakHash(String),
    /// The key was taken back by its owner.
    #[error("the key of {0} is revoked")]
    Revoked(Signer),
    /// The key's time is over.
    #[error("the key of {0} has expired")]
    KeyExpired(Signer),
    /// The signature's time is over.
    #[error("the signature of {0} has expired")]
    SignatureExpired(Signer),
    /// The key may not sign documents.
    #[error("the key of {0} is not for signing")]
    NotForSigning(Signer),
}
