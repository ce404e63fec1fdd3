//! What Go's `x509.CreateCertificate` makes: version 3, with extensions in its order.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use crate::sprig::Environment;
use crate::sprig::dates::{Duration, Time};
use crate::template::{Text, quote};

use super::der;
use super::issuer::{Issuer, SUBJECT_KEY_IDENTIFIER};
use super::key::{PrivateKey, PublicKey};

const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER_AUTHENTICATION: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT_AUTHENTICATION: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// A certificate that is not yet signed.
pub(super) struct Template {
    pub(super) name: Text,
    pub(super) ips: Vec<IpAddr>,
    pub(super) dns: Vec<Text>,
    pub(super) term: Term,
    pub(super) is_authority: bool,
}

/// From when to when a certificate is valid.
#[derive(Clone)]
pub(super) struct Term {
    begin: Time,
    end: Time,
}

impl Term {
    /// So many days from the time on that certificates begin at. To be asked for before anything
    /// is drawn for the certificate.
    pub(super) fn of(environment: &Environment, days: isize) -> Self {
        const DAY: i64 = 24 * 3_600 * 1_000_000_000;
        let validity = DAY.wrapping_mul(days as i64);
        let begin = Time::from_timestamp(environment.begin_certificate(validity));
        let end = begin.plus(Duration(validity));
        Self { begin, end }
    }
}

impl Template {
    /// The certificate in DER.
    // crypto/x509: x509.go CreateCertificate
    pub(super) fn create(
        &self,
        environment: &Environment,
        key: &PrivateKey,
        issuer: Option<&Issuer>,
        issuer_key: &PrivateKey,
    ) -> Result<Vec<u8>, String> {
        let mut serial = [0; 16];
        environment.fill(&mut serial);
        let algorithm = issuer_key.signature_algorithm()?;
        let public = key.public()?;
        let subject = self.subject()?;
        let issuer_subject = issuer.map_or(&subject, |issuer| &issuer.subject);
        let authority_key = match issuer {
            Some(issuer) if issuer.subject != subject => issuer.key_identifier.as_slice(),
            _ => &[],
        };
        if issuer.is_some_and(|issuer| {
            issuer_key
                .public()
                .is_ok_and(|own| own.to_der() != issuer.public)
        }) {
            return Err("x509: provided PrivateKey doesn't match parent's PublicKey".to_owned());
        }
        let extensions = self.extensions(&public, authority_key, subject == der::sequence(&[]))?;
        let body = der::sequence(&[
            der::element(der::explicit(0), &der::unsigned(&[2])),
            der::unsigned(&serial),
            algorithm.clone(),
            issuer_subject.clone(),
            self.validity()?,
            subject,
            public.to_der(),
            der::element(der::explicit(3), &der::sequence(&extensions)),
        ]);
        let signature = issuer_key.sign(environment, &body)?;
        Ok(der::sequence(&[
            body,
            algorithm,
            der::bit_string(&signature),
        ]))
    }

    fn subject(&self) -> Result<Vec<u8>, String> {
        if self.name.is_empty() {
            return Ok(der::sequence(&[]));
        }
        let printable = |byte: &u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(byte);
        let tag = match self.name.as_str() {
            _ if self.name.iter().all(printable) => der::PRINTABLE_STRING,
            Some(_) => der::UTF8_STRING,
            None => return Err("asn1: string not valid UTF-8".to_owned()),
        };
        let name = [
            der::element(der::OBJECT_IDENTIFIER, COMMON_NAME),
            der::element(tag, &self.name),
        ];
        Ok(der::sequence(&[der::element(
            der::SET,
            &der::sequence(&name),
        )]))
    }

    fn validity(&self) -> Result<Vec<u8>, String> {
        let Term { begin, end } = &self.term;
        Ok(der::sequence(&[time(begin)?, time(end)?]))
    }

    // crypto/x509: x509.go buildCertExtensions
    fn extensions(
        &self,
        public: &PublicKey,
        authority_key: &[u8],
        anonymous: bool,
    ) -> Result<Vec<Vec<u8>>, String> {
        // Digital signature and key encipherment; for an authority, signing of certificates, too.
        let usage: &[u8] = if self.is_authority {
            &[2, 0xa4]
        } else {
            &[5, 0xa0]
        };
        let extended = [SERVER_AUTHENTICATION, CLIENT_AUTHENTICATION]
            .map(|usage| der::element(der::OBJECT_IDENTIFIER, usage));
        let constraints = if self.is_authority {
            vec![der::element(der::BOOLEAN, &[0xff])]
        } else {
            Vec::new()
        };
        let mut extensions = vec![
            extension(KEY_USAGE, true, &der::element(der::BIT_STRING, usage)),
            extension(EXTENDED_KEY_USAGE, false, &der::sequence(&extended)),
            extension(BASIC_CONSTRAINTS, true, &der::sequence(&constraints)),
        ];
        if self.is_authority {
            let identifier = &Sha256::digest(&public.bytes)[..20];
            let identifier = der::element(der::OCTET_STRING, identifier);
            extensions.push(extension(SUBJECT_KEY_IDENTIFIER, false, &identifier));
        }
        if !authority_key.is_empty() {
            let identifier = der::sequence(&[der::element(der::implicit(0), authority_key)]);
            extensions.push(extension(AUTHORITY_KEY_IDENTIFIER, false, &identifier));
        }
        if !self.dns.is_empty() || !self.ips.is_empty() {
            extensions.push(extension(
                SUBJECT_ALTERNATIVE_NAME,
                anonymous,
                &self.alternative_names()?,
            ));
        }
        Ok(extensions)
    }

    fn alternative_names(&self) -> Result<Vec<u8>, String> {
        let mut names = Vec::new();
        for name in &self.dns {
            if !name.is_ascii() {
                let quoted = String::from_utf8_lossy(&quote::quote(name)).into_owned();
                return Err(format!("x509: {quoted} cannot be encoded as an IA5String"));
            }
            names.push(der::element(der::implicit(2), name));
        }
        names.extend(self.ips.iter().map(|ip| match ip.to_canonical() {
            IpAddr::V4(ip) => der::element(der::implicit(7), &ip.octets()),
            IpAddr::V6(ip) => der::element(der::implicit(7), &ip.octets()),
        }));
        Ok(der::sequence(&names))
    }
}

fn extension(identifier: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![der::element(der::OBJECT_IDENTIFIER, identifier)];
    if critical {
        parts.push(der::element(der::BOOLEAN, &[0xff]));
    }
    parts.push(der::element(der::OCTET_STRING, value));
    der::sequence(&parts)
}

/// A time with a year of two digits while that is clear.
// encoding/asn1: marshal.go makeUTCTime, makeGeneralizedTime
fn time(time: &Time) -> Result<Vec<u8>, String> {
    match time.year() {
        1950..=2049 => Ok(der::element(der::UTC_TIME, &time.format(b"060102150405Z"))),
        0..=9999 => Ok(der::element(
            der::GENERALIZED_TIME,
            &time.format(b"20060102150405Z"),
        )),
        _ => Err("asn1: structure error: cannot represent time as GeneralizedTime".to_owned()),
    }
}
