//! The hashes and signatures that `sigstore-verify` asks for, by the crates that all else here uses.
//!
//! In: a scheme, a key as its certificate has it, a message or its sum, a signature. Out: whether the
//! one made the other. Never: a private key.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use sigstore_verify::crypto::{
    CryptoProvider, Error, HashContext, Result, SigningScheme, install_default_provider,
};
use sigstore_verify::types::HashAlgorithm;

/// Makes these the algorithms of the whole program; any other call than the first changes nothing.
pub(super) fn install() {
    // Refused only where they are there already, as nobody else installs any.
    let _ = install_default_provider(&Algorithms);
}

#[derive(Debug)]
struct Algorithms;

enum Hash {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hash {
    fn new(algorithm: HashAlgorithm) -> Result<Self> {
        Ok(match algorithm {
            HashAlgorithm::Sha2256 => Self::Sha256(Sha256::new()),
            HashAlgorithm::Sha2384 => Self::Sha384(Sha384::new()),
            HashAlgorithm::Sha2512 => Self::Sha512(Sha512::new()),
            other => return Err(Error::UnsupportedAlgorithm(other.to_string())),
        })
    }
}

impl HashContext for Hash {
    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(data),
            Self::Sha384(hash) => hash.update(data),
            Self::Sha512(hash) => hash.update(data),
        }
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        match *self {
            Self::Sha256(hash) => hash.finalize().to_vec(),
            Self::Sha384(hash) => hash.finalize().to_vec(),
            Self::Sha512(hash) => hash.finalize().to_vec(),
        }
    }
}

impl CryptoProvider for Algorithms {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        Ok(Box::new(Hash::new(algorithm)?))
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        if let Some(algorithm) = scheme.hash_algorithm() {
            let mut hash = Box::new(Hash::new(algorithm)?);
            hash.update(message);
            return self.verify_prehashed(scheme, key, &hash.finalize(), signature);
        }
        if scheme != SigningScheme::Ed25519 {
            return Err(Error::UnsupportedAlgorithm(scheme.name().to_owned()));
        }
        let key = key.try_into().ok();
        let key = key.and_then(|key| ed25519_dalek::VerifyingKey::from_bytes(key).ok());
        let key = key.ok_or_else(|| broken(scheme))?;
        let signature = ed25519_dalek::Signature::from_slice(signature);
        let verified = signature.and_then(|signature| key.verify_strict(message, &signature));
        verified.map_err(|_| forged(scheme))
    }

    fn verify_prehashed(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        hash: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        use SigningScheme as S;
        let verified = match scheme {
            S::EcdsaP256Sha256 | S::EcdsaP256Sha384 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key);
                let key = key.map_err(|_| broken(scheme))?;
                p256::ecdsa::Signature::from_der(signature)
                    .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok())
            }
            S::EcdsaP384Sha256 | S::EcdsaP384Sha384 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key);
                let key = key.map_err(|_| broken(scheme))?;
                p384::ecdsa::Signature::from_der(signature)
                    .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok())
            }
            _ => {
                let key = rsa::RsaPublicKey::from_pkcs1_der(key).map_err(|_| broken(scheme))?;
                match scheme {
                    S::RsaPkcs1Sha256 => key.verify(
                        rsa::Pkcs1v15Sign::new::<rsa::sha2::Sha256>(),
                        hash,
                        signature,
                    ),
                    S::RsaPkcs1Sha384 => key.verify(
                        rsa::Pkcs1v15Sign::new::<rsa::sha2::Sha384>(),
                        hash,
                        signature,
                    ),
                    S::RsaPkcs1Sha512 => key.verify(
                        rsa::Pkcs1v15Sign::new::<rsa::sha2::Sha512>(),
                        hash,
                        signature,
                    ),
                    S::RsaPssSha256 => {
                        key.verify(rsa::Pss::new::<rsa::sha2::Sha256>(), hash, signature)
                    }
                    S::RsaPssSha384 => {
                        key.verify(rsa::Pss::new::<rsa::sha2::Sha384>(), hash, signature)
                    }
                    S::RsaPssSha512 => {
                        key.verify(rsa::Pss::new::<rsa::sha2::Sha512>(), hash, signature)
                    }
                    other => return Err(Error::UnsupportedAlgorithm(other.name().to_owned())),
                }
                .is_ok()
            }
        };
        match verified {
            true => Ok(()),
            false => Err(forged(scheme)),
        }
    }
}

fn broken(scheme: SigningScheme) -> Error {
    Error::InvalidKey(format!("it is no key for {}", scheme.name()))
}

fn forged(scheme: SigningScheme) -> Error {
    Error::Verification(format!("the key did not make it ({})", scheme.name()))
}
