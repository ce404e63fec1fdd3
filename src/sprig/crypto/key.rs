//! Private keys: made, read from PEM, written to it, and signing.

use std::rc::Rc;

use ed25519_dalek::Signer as _;
use num_bigint::BigUint;
use rsa::RsaPrivateKey;
use rsa::rand_core::{CryptoRng, RngCore};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use sha2::{Digest as _, Sha256};

use crate::sprig::Environment;
use crate::template::{CallError, Function, Text, Type, Value};

use super::{der, dsa, pem, prime, reading};

/// What a key costs that is made of large primes, and one that is a point of a curve, in steps of
/// some hundred nanoseconds.
const PRIMES_COST: u64 = 20_000_000;
const CURVE_COST: u64 = 20_000;

pub(super) fn functions(environment: &Rc<Environment>) -> Vec<(&'static str, Function)> {
    let environment = Rc::clone(environment);
    vec![(
        "genPrivateKey",
        Function::with_machine(vec![Type::String], None, move |machine, values| {
            let Value::String(kind) = &values[0] else {
                return Err(CallError::new("the kind of a key is no text"));
            };
            machine.spend(match kind.as_bytes() {
                b"" | b"rsa" | b"dsa" => PRIMES_COST,
                b"ecdsa" | b"ed25519" => CURVE_COST,
                _ => 0,
            })?;
            let key = match kind.as_bytes() {
                b"" | b"rsa" => PrivateKey::generate_rsa(&environment, 4_096),
                b"dsa" => Ok(PrivateKey::Dsa(dsa::Key::generate(&environment))),
                b"ecdsa" => Ok(PrivateKey::generate_p256(&environment)),
                b"ed25519" => Ok(PrivateKey::generate_ed25519(&environment)),
                other => return Ok(Text::from([b"Unknown type ", other].concat()).into()),
            };
            Ok(match key {
                Ok(key) => key.to_pem().into(),
                Err(error) => format!("failed to generate private key: {error}").into(),
            })
        }),
    )]
}

pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
pub(super) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
pub(super) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// The injected randomness under the interface that the RSA library asks for.
struct Source<'e>(&'e Environment);

impl RngCore for Source<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, buffer: &mut [u8]) {
        self.0.fill(buffer);
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill(buffer);
        Ok(())
    }
}

impl CryptoRng for Source<'_> {}

/// A private key.
pub(super) enum PrivateKey {
    Rsa(Box<RsaPrivateKey>),
    Ecdsa(Curve, CurveKey),
    Ed25519(ed25519_dalek::SigningKey),
    Dsa(dsa::Key),
}

/// The curves that Go knows, but for P-224.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub(super) const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    pub(super) fn identifier(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
        }
    }

    /// ECDSA with the hash that fits the curve.
    fn signature(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
            Self::P384 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03],
            Self::P521 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04],
        }
    }

    pub(super) fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// A key on a curve.
pub(super) struct CurveKey {
    secret: Vec<u8>,
    /// The public point, uncompressed.
    public: Vec<u8>,
}

impl CurveKey {
    pub(super) fn new(curve: Curve, secret: Vec<u8>) -> Option<Self> {
        let public = match curve {
            Curve::P256 => p256::SecretKey::from_slice(&secret)
                .ok()?
                .public_key()
                .to_sec1_bytes(),
            Curve::P384 => p384::SecretKey::from_slice(&secret)
                .ok()?
                .public_key()
                .to_sec1_bytes(),
            Curve::P521 => p521::SecretKey::from_slice(&secret)
                .ok()?
                .public_key()
                .to_sec1_bytes(),
        };
        Some(Self {
            secret,
            public: public.into_vec(),
        })
    }

    /// The signature in DER; nothing only if the secret were none of the curve.
    fn sign(&self, curve: Curve, message: &[u8]) -> Option<Vec<u8>> {
        use p256::ecdsa::signature::Signer;
        Some(match curve {
            Curve::P256 => {
                let signature: p256::ecdsa::Signature =
                    p256::ecdsa::SigningKey::from_slice(&self.secret)
                        .ok()?
                        .sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Curve::P384 => {
                let signature: p384::ecdsa::Signature =
                    p384::ecdsa::SigningKey::from_slice(&self.secret)
                        .ok()?
                        .sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Curve::P521 => {
                let signature: p521::ecdsa::Signature =
                    p521::ecdsa::SigningKey::from_slice(&self.secret)
                        .ok()?
                        .sign(message);
                signature.to_der().as_bytes().to_vec()
            }
        })
    }
}

/// A public key: its algorithm, as DER, and its bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    pub(super) algorithm: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

impl PublicKey {
    /// The element that certificates have it in.
    pub(super) fn to_der(&self) -> Vec<u8> {
        der::sequence(&[self.algorithm.clone(), der::bit_string(&self.bytes)])
    }
}

fn algorithm(identifier: &[u8], parameters: &[Vec<u8>]) -> Vec<u8> {
    let identifier = der::element(der::OBJECT_IDENTIFIER, identifier);
    der::sequence(&[&[identifier], parameters].concat())
}

impl PrivateKey {
    pub(super) fn generate_rsa(environment: &Environment, bits: u32) -> Result<Self, String> {
        let number = |number: BigUint| rsa::BigUint::from_bytes_be(&number.to_bytes_be());
        let (first, second) = prime::pair(environment, bits / 2)?;
        let key = RsaPrivateKey::from_p_q(number(first), number(second), prime::EXPONENT.into())
            .map_err(|error| error.to_string())?;
        Ok(Self::Rsa(Box::new(key)))
    }

    fn generate_p256(environment: &Environment) -> Self {
        loop {
            let mut secret = vec![0; Curve::P256.size()];
            environment.fill(&mut secret);
            if let Some(key) = CurveKey::new(Curve::P256, secret) {
                return Self::Ecdsa(Curve::P256, key);
            }
        }
    }

    fn generate_ed25519(environment: &Environment) -> Self {
        let mut seed = [0; 32];
        environment.fill(&mut seed);
        Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    // sprig: crypto.go parsePrivateKeyPEM
    pub(super) fn from_pem(text: &[u8]) -> Result<Self, String> {
        let block = pem::decode(text).ok_or("no PEM data in input")?;
        if block.kind == b"PRIVATE KEY" {
            return reading::pkcs8(&block.bytes)
                .map_err(|error| format!("decoding PEM as PKCS#8: {error}"));
        }
        let kind = String::from_utf8_lossy(&block.kind).into_owned();
        let Some(kind) = kind.strip_suffix(" PRIVATE KEY") else {
            return Err(format!("no private key data in PEM block of type {kind}"));
        };
        let failed = |error| format!("parsing {kind} private key from PEM: {error}");
        match kind {
            "RSA" => reading::pkcs1(&block.bytes).map_err(failed),
            "EC" => reading::sec1(None, &block.bytes).map_err(failed),
            "DSA" => {
                reading::dsa(&block.bytes).ok_or_else(|| failed(reading::MALFORMED.to_owned()))
            }
            other => Err(format!("invalid private key type {other} PRIVATE KEY")),
        }
    }

    // sprig: crypto.go pemBlockForKey
    pub(super) fn to_pem(&self) -> String {
        match self {
            Self::Rsa(key) => pem::encode("RSA PRIVATE KEY", &rsa_to_der(key)),
            Self::Dsa(key) => pem::encode("DSA PRIVATE KEY", &key.to_der()),
            Self::Ecdsa(curve, key) => {
                let curve = der::element(der::OBJECT_IDENTIFIER, curve.identifier());
                let parts = [
                    der::unsigned(&[1]),
                    der::element(der::OCTET_STRING, &key.secret),
                    der::element(der::explicit(0), &curve),
                    der::element(der::explicit(1), &der::bit_string(&key.public)),
                ];
                pem::encode("EC PRIVATE KEY", &der::sequence(&parts))
            }
            Self::Ed25519(key) => {
                let seed = der::element(der::OCTET_STRING, key.as_bytes());
                let parts = [
                    der::unsigned(&[]),
                    algorithm(ED25519, &[]),
                    der::element(der::OCTET_STRING, &seed),
                ];
                pem::encode("PRIVATE KEY", &der::sequence(&parts))
            }
        }
    }

    /// The public key; Go's x509 takes no DSA ones.
    // crypto/x509: x509.go marshalPublicKey
    pub(super) fn public(&self) -> Result<PublicKey, String> {
        Ok(match self {
            Self::Rsa(key) => PublicKey {
                algorithm: algorithm(RSA, &[der::element(der::NULL, &[])]),
                bytes: der::sequence(&[
                    der::unsigned(&key.n().to_bytes_be()),
                    der::unsigned(&key.e().to_bytes_be()),
                ]),
            },
            Self::Ecdsa(curve, key) => PublicKey {
                algorithm: algorithm(
                    EC,
                    &[der::element(der::OBJECT_IDENTIFIER, curve.identifier())],
                ),
                bytes: key.public.clone(),
            },
            Self::Ed25519(key) => PublicKey {
                algorithm: algorithm(ED25519, &[]),
                bytes: key.verifying_key().as_bytes().to_vec(),
            },
            Self::Dsa(_) => {
                return Err("x509: unsupported public key type: *dsa.PublicKey".to_owned());
            }
        })
    }

    /// The algorithm that the key signs with, as DER.
    // crypto/x509: x509.go signingParamsForKey
    pub(super) fn signature_algorithm(&self) -> Result<Vec<u8>, String> {
        Ok(match self {
            Self::Rsa(_) => algorithm(SHA256_WITH_RSA, &[der::element(der::NULL, &[])]),
            Self::Ecdsa(curve, _) => algorithm(curve.signature(), &[]),
            Self::Ed25519(_) => algorithm(ED25519, &[]),
            Self::Dsa(_) => {
                return Err(
                    "x509: certificate private key does not implement crypto.Signer".to_owned(),
                );
            }
        })
    }

    pub(super) fn sign(
        &self,
        environment: &Environment,
        message: &[u8],
    ) -> Result<Vec<u8>, String> {
        match self {
            Self::Rsa(key) => sign_rsa(environment, key, message),
            Self::Ecdsa(curve, key) => key
                .sign(*curve, message)
                .ok_or_else(|| "crypto/ecdsa: invalid private key".to_owned()),
            Self::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
            Self::Dsa(_) => {
                Err("x509: certificate private key does not implement crypto.Signer".to_owned())
            }
        }
    }
}

/// The signature of PKCS #1 version 1.5, which a key and a message have but one of.
fn sign_rsa(
    environment: &Environment,
    key: &RsaPrivateKey,
    message: &[u8],
) -> Result<Vec<u8>, String> {
    // Go refuses shorter keys.
    const SHORTEST: u64 = 1_024;
    let bits = BigUint::from_bytes_be(&key.n().to_bytes_be()).bits();
    if bits < SHORTEST {
        return Err(format!(
            "crypto/rsa: {bits}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)"
        ));
    }
    // ring signs with keys of the sizes that certificates have, five times faster. It asks for randomness,
    // of which this kind of signature makes no use.
    if let Ok(key) = ring::rsa::KeyPair::from_der(&rsa_to_der(key)) {
        let mut signature = vec![0; key.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        key.sign(
            &ring::signature::RSA_PKCS1_SHA256,
            &random,
            message,
            &mut signature,
        )
        .map_err(|_| "crypto/rsa: the key signs nothing".to_owned())?;
        return Ok(signature);
    }
    // What it draws blinds the arithmetic: the signature does not show it.
    let padding = rsa::Pkcs1v15Sign::new::<rsa::sha2::Sha256>();
    key.sign_with_rng(&mut Source(environment), padding, &Sha256::digest(message))
        .map_err(|error| format!("crypto/rsa: {error}"))
}

fn rsa_to_der(key: &RsaPrivateKey) -> Vec<u8> {
    let number = |bytes: Vec<u8>| BigUint::from_bytes_be(&bytes);
    let one = BigUint::from(1_u32);
    let d = number(key.d().to_bytes_be());
    let primes: Vec<BigUint> = key
        .primes()
        .iter()
        .map(|prime| number(prime.to_bytes_be()))
        .collect();
    let [p, q] = primes.as_slice() else {
        // Nothing here makes or reads a key of more primes.
        return Vec::new();
    };
    let numbers = [
        BigUint::ZERO,
        number(key.n().to_bytes_be()),
        number(key.e().to_bytes_be()),
        d.clone(),
        p.clone(),
        q.clone(),
        &d % (p - &one),
        &d % (q - &one),
        q.modinv(p).unwrap_or_default(),
    ];
    der::sequence(&numbers.map(|number| der::unsigned(&number.to_bytes_be())))
}
