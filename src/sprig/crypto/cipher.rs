//! AES-256 in CBC mode, the key being the password cut or filled with zeros.

use std::rc::Rc;

use aes::Aes256;
use aes::cipher::block_padding::{NoPadding, Pkcs7};
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};

use crate::sprig::Environment;
use crate::sprig::encoding::{base64_decode, base64_encode};
use crate::template::{CallError, Function, Text};

const BLOCK: usize = 16;

pub(super) fn functions(environment: &Rc<Environment>) -> Vec<(&'static str, Function)> {
    let environment = Rc::clone(environment);
    vec![
        (
            "encryptAES",
            Function::new(move |password: Text, text: Text| {
                encrypt(&environment, &password, &text)
            }),
        ),
        (
            "decryptAES",
            Function::new(|password: Text, text: Text| decrypt(&password, &text)),
        ),
    ]
}

fn key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password[..length]);
    key
}

fn encrypt(environment: &Environment, password: &[u8], text: &[u8]) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut vector = [0; BLOCK];
    environment.fill(&mut vector);
    let cipher = cbc::Encryptor::<Aes256>::new(&key(password).into(), &vector.into());
    let encrypted = cipher.encrypt_padded_vec::<Pkcs7>(text);
    base64_encode(&[&vector[..], &encrypted].concat())
}

/// Go cuts its buffers without asking first, and panics where they are too short.
// sprig: crypto.go decryptAES
fn decrypt(password: &[u8], text: &[u8]) -> Result<Text, CallError> {
    if text.is_empty() {
        return Ok(Text::default());
    }
    let decoded = base64_decode(text).map_err(|error| CallError::new(error.to_string()))?;
    let panicked = |bounds: String| {
        CallError::new(format!("runtime error: slice bounds out of range {bounds}"))
    };
    let Some((vector, encrypted)) = decoded.split_first_chunk::<BLOCK>() else {
        // Go's buffer has room for line breaks, too.
        let capacity = text.len() / 4 * 3;
        return Err(panicked(match capacity {
            ..BLOCK => format!("[:{BLOCK}] with capacity {capacity}"),
            _ => format!("[{BLOCK}:{}]", decoded.len()),
        }));
    };
    if encrypted.len() % BLOCK != 0 {
        return Err(CallError::new("crypto/cipher: input not full blocks"));
    }
    let cipher = cbc::Decryptor::<Aes256>::new(&key(password).into(), &(*vector).into());
    let decrypted = cipher
        .decrypt_padded_vec::<NoPadding>(encrypted)
        .unwrap_or_default();
    let Some(&padding) = decrypted.last() else {
        return Err(CallError::new("runtime error: index out of range [-1]"));
    };
    match decrypted.len().checked_sub(usize::from(padding)) {
        Some(length) => Ok(Text::from_bytes(&decrypted[..length])),
        None => Err(panicked(format!(
            "[:{}]",
            decrypted.len() as i64 - i64::from(padding)
        ))),
    }
}
