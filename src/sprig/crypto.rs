//! Checksums, passwords, ciphers, keys and certificates.
//!
//! `password` derives and hashes passwords, `cipher` is AES, `key` makes and reads private keys,
//! `certificate` makes what Go's crypto/x509 makes, byte for byte but for the chance in it; `der`
//! and `pem` are what both are written in.

mod certificate;
mod cipher;
mod der;
mod dsa;
mod issuer;
mod key;
mod password;
mod pem;
mod prime;
mod reading;
mod x509;

use std::rc::Rc;

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::template::{Function, Text};

use super::Environment;

/// What follows from its arguments alone.
pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        (
            "sha1sum",
            Function::new(|text: Text| hexadecimal(&Sha1::digest(&**text))),
        ),
        (
            "sha256sum",
            Function::new(|text: Text| hexadecimal(&Sha256::digest(&**text))),
        ),
        (
            "sha512sum",
            Function::new(|text: Text| hexadecimal(&Sha512::digest(&**text))),
        ),
        (
            "adler32sum",
            Function::new(|text: Text| adler2::adler32_slice(&text).to_string()),
        ),
    ]
}

/// What has chance in it, and its neighbours.
pub(super) fn drawing(environment: &Rc<Environment>) -> Vec<(&'static str, Function)> {
    let mut functions = password::functions(environment);
    functions.extend(cipher::functions(environment));
    functions.extend(key::functions(environment));
    functions.extend(certificate::functions(environment));
    functions
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
