//! Amazon's signature of a request, version 4.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::source::credentials::authority;
use crate::source::digest::hex;

/// Temporary keys.
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    /// Empty for keys that are not temporary.
    pub(super) session: String,
}

/// What a signature is good for.
pub(super) struct Scope<'s> {
    pub(super) region: &'s str,
    pub(super) service: &'s str,
    pub(super) now: Timestamp,
}

/// The headers of a signed POST, but the content type: that is part of the body.
pub(super) fn sign(
    keys: &Keys,
    scope: &Scope<'_>,
    url: &Url,
    headers: &[(&'static str, String)],
    body: &str,
) -> Vec<(&'static str, String)> {
    let time = scope.now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = time.get(..8).unwrap_or_default().to_owned();
    let mut headers = headers.to_vec();
    headers.push(("host", authority(url)));
    headers.push(("x-amz-date", time.clone()));
    if !keys.session.is_empty() {
        headers.push(("x-amz-security-token", keys.session.clone()));
    }
    headers.sort();
    let names = headers.iter().map(|(name, _)| *name);
    let names = names.collect::<Vec<_>>().join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let body = hex(&Sha256::digest(body.as_bytes()));
    let request = format!("POST\n{}\n\n{lines}\n{names}\n{body}", url.path());
    let within = format!("{date}/{}/{}/aws4_request", scope.region, scope.service);
    let request = hex(&Sha256::digest(request.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{within}\n{request}");
    let mut key = format!("AWS4{}", keys.secret).into_bytes();
    for part in [&*date, scope.region, scope.service, "aws4_request"] {
        key = keyed(&key, part);
    }
    let signature = hex(&keyed(&key, &text));
    let id = &keys.id;
    headers.retain(|(name, _)| !matches!(*name, "host" | "content-type"));
    headers.push((
        "authorization",
        format!("AWS4-HMAC-SHA256 Credential={id}/{within}, SignedHeaders={names}, Signature={signature}"),
    ));
    headers
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // Amazon's test suite of the signature, case post-vanilla.
    #[test]
    fn signs_as_amazons_own_example() {
        let keys = Keys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session: String::new(),
        };
        let scope = Scope {
            region: "us-east-1",
            service: "service",
            now: "2015-08-30T12:36:00Z".parse().unwrap(),
        };
        let url = Url::parse("https://example.amazonaws.com/").unwrap();
        let headers = sign(&keys, &scope, &url, &[], "");
        let (_, authorization) = headers.last().unwrap();
        assert_eq!(
            authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
    }
}
