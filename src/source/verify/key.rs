//! Public keys that sign with ECDSA, RSA or Ed25519.
//!
//! In: a key in PEM or DER, a message, a signature. Out: whether the one made the other. Never:
//! an algorithm that the signature chooses for itself.

use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::traits::PublicKeyParts as _;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use spki::SubjectPublicKeyInfoOwned;
use spki::der::asn1::ObjectIdentifier;
use spki::der::{Decode as _, Encode as _};

use super::super::digest::Digest;
use super::Error;

const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The shortest RSA key that is trusted, in bytes, as sigstore has it.
const SHORTEST_RSA: usize = 256;

/// A key that others sign with.
#[derive(Debug, Clone)]
pub struct PublicKey {
    kind: Kind,
    /// The digest of the key as certificates have it: its name.
    id: Digest,
}

#[derive(Debug, Clone)]
enum Kind {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Rsa(rsa::RsaPublicKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl PublicKey {
    /// All keys in a text of PEM, such as `cosign.pub`.
    ///
    /// # Errors
    /// [`Error::Trust`] where one cannot be read, or there is none.
    pub fn read_all(pem: &[u8]) -> Result<Vec<Self>, Error> {
        let keys: Vec<Self> = SubjectPublicKeyInfoDer::pem_slice_iter(pem)
            .map(|key| match key {
                Ok(key) => Self::from_der(&key),
                Err(error) => Err(Error::Trust(format!("it is no PEM: {error}"))),
            })
            .collect::<Result<_, _>>()?;
        match keys.is_empty() {
            true => Err(Error::Trust("there is no PUBLIC KEY in it".to_owned())),
            false => Ok(keys),
        }
    }

    /// A key as certificates have it.
    ///
    /// # Errors
    /// [`Error::Trust`] where it cannot be read, or is of a kind that is not taken.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let broken = |error: spki::der::Error| Error::Trust(format!("read a key: {error}"));
        let unusable = || Error::Trust("it is no point of its curve".to_owned());
        let info = SubjectPublicKeyInfoOwned::from_der(der).map_err(broken)?;
        let bytes = info
            .subject_public_key
            .as_bytes()
            .ok_or_else(|| Error::Trust("read a key: it has half a byte".to_owned()))?;
        let curve = info.algorithm.parameters.as_ref();
        let curve = curve.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
        let kind = match (info.algorithm.oid, curve) {
            (ELLIPTIC, Some(P256)) => p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes)
                .map(Kind::P256)
                .map_err(|_| unusable())?,
            (ELLIPTIC, Some(P384)) => p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes)
                .map(Kind::P384)
                .map_err(|_| unusable())?,
            (ED25519, _) => bytes
                .try_into()
                .ok()
                .and_then(|bytes| ed25519_dalek::VerifyingKey::from_bytes(bytes).ok())
                .map(Kind::Ed25519)
                .ok_or_else(unusable)?,
            (RSA, _) => {
                let key = rsa::RsaPublicKey::from_pkcs1_der(bytes)
                    .map_err(|error| Error::Trust(format!("read a key: {error}")))?;
                if key.size() < SHORTEST_RSA {
                    let bits = 8 * key.size();
                    return Err(Error::Trust(format!(
                        "an RSA key of {bits} bits is too short"
                    )));
                }
                Kind::Rsa(key)
            }
            (other, _) => {
                return Err(Error::Trust(format!(
                    "a key of the kind {other} is not taken"
                )));
            }
        };
        let id = Digest::of(&info.to_der().map_err(broken)?);
        Ok(Self { kind, id })
    }

    /// The SHA-256 sum of the key as certificates have it.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// Whether the key signed this message.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.kind {
            Kind::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            // cosign takes SHA-256 for every curve, and sigstore's bundles the one of its size.
            Kind::P384(key) => p384::ecdsa::Signature::from_der(signature).is_ok_and(|signature| {
                key.verify(message, &signature).is_ok()
                    || key
                        .verify_prehash(&Sha256::digest(message), &signature)
                        .is_ok()
            }),
            Kind::P256(_) | Kind::Rsa(_) => {
                self.signed_hash(&Sha256::digest(message).into(), signature)
            }
        }
    }

    /// Whether the key signed the message with this SHA-256 sum. Never so for Ed25519, which wants
    /// the message itself.
    pub fn signed_hash(&self, hash: &[u8; 32], signature: &[u8]) -> bool {
        match &self.kind {
            Kind::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok()),
            Kind::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok()),
            Kind::Rsa(key) => {
                let padding = rsa::Pkcs1v15Sign::new::<rsa::sha2::Sha256>();
                key.verify(padding, hash, signature).is_ok()
            }
            Kind::Ed25519(_) => false,
        }
    }
}
