//! Passwords: hashed for servers, and derived from a master password.

use std::rc::Rc;

use bcrypt::Version;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::sprig::Environment;
use crate::template::{Function, Text};

/// The cost that Go's library hashes with if none is asked for.
const COST: u32 = 10;
/// The longest password that is hashed, in bytes.
const LONGEST: usize = 72;

pub(super) fn functions(environment: &Rc<Environment>) -> Vec<(&'static str, Function)> {
    let [hash, line] = [Rc::clone(environment), Rc::clone(environment)];
    vec![
        (
            "bcrypt",
            Function::new(move |password: Text| hashed(&hash, &password)),
        ),
        (
            "htpasswd",
            Function::new(move |user: Text, password: Text| {
                let user = user.as_bytes();
                if user.contains(&b':') {
                    return Text::from([b"invalid username: ", user].concat());
                }
                [user, b":", hashed(&line, &password).as_bytes()]
                    .concat()
                    .into()
            }),
        ),
        (
            "derivePassword",
            Function::new(
                |counter: u32, kind: Text, password: Text, user: Text, site: Text| {
                    derived(counter, &kind, &password, &user, &site)
                },
            ),
        ),
    ]
}

/// The hash, or a complaint in its place, as Sprig gives it.
fn hashed(environment: &Environment, password: &[u8]) -> String {
    if password.len() > LONGEST {
        return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes"
            .to_owned();
    }
    let mut salt = [0; 16];
    environment.fill(&mut salt);
    match bcrypt::hash_with_salt(password, COST, salt) {
        Ok(hash) => hash.format_for_version(Version::TwoA),
        Err(error) => format!("failed to encrypt string with bcrypt: {error}"),
    }
}

/// A password that follows from a master password, as Master Password derives it.
// sprig: crypto.go derivePassword
fn derived(counter: u32, kind: &[u8], password: &[u8], user: &[u8], site: &[u8]) -> Text {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    let Some(templates) = templates(kind) else {
        return [b"cannot find password template ", kind].concat().into();
    };
    let length = |text: &[u8]| (text.len() as u32).to_be_bytes();
    let salt = [SEED, &length(user), user].concat();
    let mut key = [0; 64];
    let stretched = scrypt::Params::new(15, 8, 2)
        .map_err(|error| error.to_string())
        .and_then(|parameters| {
            scrypt::scrypt(password, &salt, &parameters, &mut key)
                .map_err(|error| error.to_string())
        });
    if let Err(error) = stretched {
        return format!("failed to derive password: {error}").into();
    }
    let message = [SEED, &length(site), site, &counter.to_be_bytes()].concat();
    let seed = match Hmac::<Sha256>::new_from_slice(&key) {
        Ok(code) => code.chain_update(&message).finalize().into_bytes(),
        Err(error) => return format!("failed to derive password: {error}").into(),
    };
    let template = templates[usize::from(seed[0]) % templates.len()];
    let letters = template.bytes().zip(&seed[1..]).map(|(class, &chance)| {
        let letters = letters(class).as_bytes();
        letters[usize::from(chance) % letters.len()]
    });
    letters.collect::<Vec<u8>>().into()
}

fn templates(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

/// The characters of a class that a template has a letter for.
fn letters(class: u8) -> &'static str {
    match class {
        b'C' => "BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => "aeiou",
        b'c' => "bcdfghjklmnpqrstvwxyz",
        b'a' => "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => "0123456789",
        b'o' => "@&%?,=[]_:-+*$#!'^~;()/.",
        _ => "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}
