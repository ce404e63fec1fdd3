//! Private keys out of their encodings: PKCS#1, SEC 1, PKCS#8, and OpenSSL's for DSA.

use num_bigint::BigUint;
use rsa::RsaPrivateKey;

use super::der::{self, Reader};
use super::key::{Curve, CurveKey, EC, ED25519, PrivateKey, RSA};

/// Go has many words for encodings that are none; these are the commonest.
pub(super) const MALFORMED: &str = "asn1: syntax error: data truncated";

fn integers<const N: usize>(reader: &mut Reader<'_>) -> Option<[rsa::BigUint; N]> {
    let mut numbers = Vec::with_capacity(N);
    for _ in 0..N {
        numbers.push(rsa::BigUint::from_bytes_be(reader.unsigned()?));
    }
    numbers.try_into().ok()
}

/// A form that keys are written in: the function of Go that reads it, and how it is known.
type Form = (&'static str, fn(&[u8]) -> bool);

/// What a key is written in, where it is written in another form than it is said to be.
fn other_form(bytes: &[u8], forms: [Form; 2]) -> String {
    let found = forms.into_iter().find(|(_, is_form)| is_form(bytes));
    match found {
        Some((function, _)) => {
            format!(
                "x509: failed to parse private key (use {function} instead for this key format)"
            )
        }
        None => MALFORMED.to_owned(),
    }
}

fn is_pkcs1(bytes: &[u8]) -> bool {
    pkcs1_numbers(bytes).is_some()
}

fn is_sec1(bytes: &[u8]) -> bool {
    sec1_parts(bytes).is_some()
}

fn is_pkcs8(bytes: &[u8]) -> bool {
    pkcs8_parts(bytes).is_some()
}

/// n, e, d, p and q.
fn pkcs1_numbers(bytes: &[u8]) -> Option<[rsa::BigUint; 5]> {
    let mut reader = Reader(Reader(bytes).read(der::SEQUENCE)?);
    reader.small().filter(|&version| version <= 1)?;
    integers(&mut reader)
}

pub(super) fn pkcs1(bytes: &[u8]) -> Result<PrivateKey, String> {
    let forms: [Form; 2] = [
        ("ParseECPrivateKey", is_sec1),
        ("ParsePKCS8PrivateKey", is_pkcs8),
    ];
    let [n, e, d, p, q] = pkcs1_numbers(bytes).ok_or_else(|| other_form(bytes, forms))?;
    let key = RsaPrivateKey::from_components(n, e, d, vec![p, q])
        .and_then(|key| key.validate().map(|()| key))
        .map_err(|_| "crypto/rsa: invalid private key".to_owned())?;
    Ok(PrivateKey::Rsa(Box::new(key)))
}

/// A key on a curve, which may be named.
struct Sec1<'d> {
    version: u64,
    secret: &'d [u8],
    curve: Option<&'d [u8]>,
}

fn sec1_parts(bytes: &[u8]) -> Option<Sec1<'_>> {
    let mut reader = Reader(Reader(bytes).read(der::SEQUENCE)?);
    let version = reader.small()?;
    let secret = reader.read(der::OCTET_STRING)?;
    let curve = match reader.read(der::explicit(0)) {
        Some(inner) => Some(Reader(inner).read(der::OBJECT_IDENTIFIER)?),
        None => None,
    };
    Some(Sec1 {
        version,
        secret,
        curve,
    })
}

pub(super) fn sec1(outer: Option<&[u8]>, bytes: &[u8]) -> Result<PrivateKey, String> {
    let forms: [Form; 2] = [
        ("ParsePKCS8PrivateKey", is_pkcs8),
        ("ParsePKCS1PrivateKey", is_pkcs1),
    ];
    let Sec1 {
        version,
        secret,
        curve: named,
    } = sec1_parts(bytes).ok_or_else(|| match other_form(bytes, forms) {
        error if error == MALFORMED => format!("x509: failed to parse EC private key: {error}"),
        error => error,
    })?;
    if version != 1 {
        return Err(format!("x509: unknown EC private key version {version}"));
    }
    let identifier = outer.or(named);
    let curve = Curve::ALL
        .into_iter()
        .find(|curve| Some(curve.identifier()) == identifier);
    let curve = curve.ok_or("x509: unknown elliptic curve")?;
    // Keys with too many or too few zeros before them are taken as well.
    let excess = secret.len().saturating_sub(curve.size());
    if secret[..excess].iter().any(|&byte| byte != 0) {
        return Err("x509: invalid private key length".to_owned());
    }
    let mut padded = vec![0; curve.size().saturating_sub(secret.len())];
    padded.extend_from_slice(&secret[excess..]);
    let key = CurveKey::new(curve, padded).ok_or("crypto/ecdsa: invalid private key")?;
    Ok(PrivateKey::Ecdsa(curve, key))
}

/// The algorithm, its parameters, and the key in its own form.
fn pkcs8_parts(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut reader = Reader(Reader(bytes).read(der::SEQUENCE)?);
    reader.small()?;
    let mut algorithm = Reader(reader.read(der::SEQUENCE)?);
    let identifier = algorithm.read(der::OBJECT_IDENTIFIER)?;
    let key = reader.read(der::OCTET_STRING)?;
    Some((identifier, algorithm.0, key))
}

pub(super) fn pkcs8(bytes: &[u8]) -> Result<PrivateKey, String> {
    let forms: [Form; 2] = [
        ("ParseECPrivateKey", is_sec1),
        ("ParsePKCS1PrivateKey", is_pkcs1),
    ];
    let (identifier, parameters, key) =
        pkcs8_parts(bytes).ok_or_else(|| other_form(bytes, forms))?;
    let embedded = |kind: &str, error: String| {
        format!("x509: failed to parse {kind} private key embedded in PKCS#8: {error}")
    };
    match identifier {
        RSA => pkcs1(key).map_err(|error| embedded("RSA", error)),
        EC => {
            let curve = Reader(parameters).read(der::OBJECT_IDENTIFIER);
            sec1(curve, key).map_err(|error| embedded("EC", error))
        }
        ED25519 if !parameters.is_empty() => {
            Err("x509: invalid Ed25519 private key parameters".to_owned())
        }
        ED25519 => {
            let seed = Reader(key).read(der::OCTET_STRING);
            let seed =
                seed.ok_or_else(|| format!("x509: invalid Ed25519 private key: {MALFORMED}"))?;
            let seed: &[u8; 32] = seed
                .try_into()
                .map_err(|_| format!("x509: invalid Ed25519 private key length: {}", seed.len()))?;
            Ok(PrivateKey::Ed25519(ed25519_dalek::SigningKey::from_bytes(
                seed,
            )))
        }
        other => Err(format!(
            "x509: PKCS#8 wrapping contained private key with unknown algorithm: {}",
            dotted(other)
        )),
    }
}

pub(super) fn dsa(bytes: &[u8]) -> Option<PrivateKey> {
    let mut reader = Reader(Reader(bytes).read(der::SEQUENCE)?);
    reader.small()?;
    let numbers: [rsa::BigUint; 5] = integers(&mut reader)?;
    let numbers = numbers.map(|number| BigUint::from_bytes_be(&number.to_bytes_be()));
    Some(PrivateKey::Dsa(super::dsa::Key(numbers)))
}

/// An object identifier with dots between its numbers.
fn dotted(identifier: &[u8]) -> String {
    let mut numbers: Vec<u128> = Vec::new();
    let mut number = 0_u128;
    for &byte in identifier {
        number = (number << 7) | u128::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            match numbers.is_empty() {
                true => numbers.extend([(number / 40).min(2), number - 40 * (number / 40).min(2)]),
                false => numbers.push(number),
            }
            number = 0;
        }
    }
    let words: Vec<String> = numbers.iter().map(u128::to_string).collect();
    words.join(".")
}
