//! Whether bytes are what somebody trusted has signed.
//!
//! In: the digest of an archive or of a manifest, what was found as its signature, the keys or
//! authorities that are trusted, and the time. Out: the [`Signer`], or an [`Error`] that says what
//! is wrong with the signature. Never: a request, or a way around: whoever asks for a signature gets
//! one that holds, or an error.
//!
//! [`pgp`] reads Helm's provenance files, [`cosign`] both forms in which cosign stores signatures,
//! [`keyless`] the same where a certificate says who signed.

mod algorithms;
pub mod cosign;
pub mod identity;
pub mod key;
pub mod keyless;
pub mod pgp;

use std::sync::Arc;

use super::digest::Digest;

/// Who is trusted to sign.
#[derive(Debug, Clone)]
pub enum Trusted {
    /// Whoever has one of these keys signs provenance files.
    Pgp(pgp::Keyring),
    /// Whoever has one of these keys signs manifests.
    Cosign(Vec<key::PublicKey>),
    /// These identities sign manifests, with keys that a certificate vouches for.
    Keyless(Arc<keyless::Keyless>),
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
            Self::Keyless(_) => {
                let reason = "who is trusted by name is not trusted by a key";
                return Err(Error::Trust(reason.to_owned()));
            }
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
    /// The keys or authorities that are to be trusted cannot be read.
    #[error("read what is trusted: {0}")]
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
    /// A key made it, and no certificate says whose that is.
    #[error("there is no one certificate beside the signature that says who signed")]
    NoCertificate,
    /// The certificate cannot be read, does not hold, or did not when it was used.
    #[error("the signer's certificate: {0}")]
    Certificate(String),
    /// No trusted log has the certificate.
    #[error("no trusted log vouches for the signer's certificate: {0}")]
    UnloggedCertificate(String),
    /// No trusted log has the signature, or it was not in it while the certificate held.
    #[error("no trusted log vouches for the signature: {0}")]
    Unlogged(String),
    /// A log vouches for something else than this signature.
    #[error("the log's entry is about another signature: {0}")]
    OtherEntry(String),
    /// Nobody trusted says when it was signed.
    #[error("nobody trusted says when it was signed: {0}")]
    NoTime(String),
    /// The key that the certificate speaks of did not make it.
    #[error("the signature is not by the certificate's key over these bytes: {0}")]
    ForgedByKey(String),
    /// Somebody signed it who is not trusted to.
    #[error("{0} signed it, who is none of the trusted identities")]
    UnknownIdentity(Signer),
}
