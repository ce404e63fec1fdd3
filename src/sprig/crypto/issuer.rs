//! The issuer's certificate, as far as those that it signs take from it.

use super::der::{self, Reader};

pub(super) const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];

/// What of the issuer's certificate goes into those that it signs.
pub(super) struct Issuer {
    pub(super) subject: Vec<u8>,
    pub(super) key_identifier: Vec<u8>,
    /// The public key as DER.
    pub(super) public: Vec<u8>,
}

impl Issuer {
    /// Reads a certificate; the error is Go's without its package.
    // crypto/x509: parser.go parseCertificate
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut whole = Reader(bytes);
        let mut certificate = Reader(whole.read(der::SEQUENCE).ok_or("malformed certificate")?);
        let mut body = Reader(
            certificate
                .read(der::SEQUENCE)
                .ok_or("malformed tbs certificate")?,
        );
        let version = match body.read(der::explicit(0)) {
            Some(version) => Reader(version).small().ok_or("malformed version")?,
            None => 0,
        };
        if version > 2 {
            return Err("invalid version");
        }
        let serial = body.read(der::INTEGER).ok_or("malformed serial number")?;
        if matches!(serial, [0x80..=0xff, ..]) {
            return Err("negative serial number");
        }
        let inner = body
            .read(der::SEQUENCE)
            .ok_or("malformed signature algorithm identifier")?;
        let outer = certificate
            .read(der::SEQUENCE)
            .ok_or("malformed algorithm identifier")?;
        if inner != outer {
            return Err("inner and outer signature algorithm identifiers don't match");
        }
        body.read(der::SEQUENCE).ok_or("malformed issuer")?;
        body.read(der::SEQUENCE).ok_or("malformed validity")?;
        let (_, subject) = body.element(der::SEQUENCE).ok_or("malformed issuer")?;
        let (_, public) = body.element(der::SEQUENCE).ok_or("malformed spki")?;
        certificate.bits().ok_or("malformed signature")?;
        if !whole.is_empty() {
            return Err("trailing data");
        }
        let key_identifier = if version == 2 {
            key_identifier(body)?
        } else {
            Vec::new()
        };
        Ok(Self {
            subject: subject.to_vec(),
            key_identifier,
            public: public.to_vec(),
        })
    }
}

/// The identifier of the subject's key among the extensions.
fn key_identifier(mut body: Reader<'_>) -> Result<Vec<u8>, &'static str> {
    // The unique identifiers of issuer and subject, which nobody has.
    body.read(der::implicit(1));
    body.read(der::implicit(2));
    let Some(extensions) = body.read(der::explicit(3)) else {
        return Ok(Vec::new());
    };
    let mut extensions = Reader(
        Reader(extensions)
            .read(der::SEQUENCE)
            .ok_or("malformed extensions")?,
    );
    while !extensions.is_empty() {
        let mut extension = Reader(
            extensions
                .read(der::SEQUENCE)
                .ok_or("malformed extension")?,
        );
        let identifier = extension
            .read(der::OBJECT_IDENTIFIER)
            .ok_or("malformed extension OID field")?;
        extension.read(der::BOOLEAN);
        let value = extension
            .read(der::OCTET_STRING)
            .ok_or("malformed extension value field")?;
        if identifier == SUBJECT_KEY_IDENTIFIER {
            let found = Reader(value)
                .read(der::OCTET_STRING)
                .ok_or("invalid subject key identifier")?;
            return Ok(found.to_vec());
        }
    }
    Ok(Vec::new())
}
