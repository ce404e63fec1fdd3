//! Who a certificate says that somebody is, and who is trusted.
//!
//! In: a certificate that an authority vouches for, words or expressions of those trusted. Out: the
//! one name that the certificate has, whether it is trusted. Never: a certificate of several names,
//! or an expression that matches a part of one.

use regex_automata::meta::Regex;
use regex_syntax::hir::{Hir, Look};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::Error;

/// fulcio: docs/oid-info.md: the name of somebody who has neither an address nor a URI
const USER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// How deep an expression may nest, and how large the machine that it makes may be.
const DEEPEST: u32 = 50;
const LARGEST_MACHINE: usize = 1 << 20;

/// Whom to trust: a subject, if it is this issuer that vouches for it.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Who vouches: the OIDC issuer that fulcio asked.
    pub issuer: Name,
    /// Who signs: an address, a URI or a user name.
    pub subject: Name,
}

impl Identity {
    pub(super) fn is(&self, subject: &str, issuer: &str) -> bool {
        self.issuer.is(issuer) && self.subject.is(subject)
    }
}

/// A name, or what describes whole names.
#[derive(Debug, Clone)]
pub enum Name {
    /// This one.
    Exactly(String),
    /// Those that the expression matches from their beginning to their end.
    Like(Box<Regex>),
}

impl Name {
    /// Names like this.
    ///
    /// # Errors
    /// Why it is no regular expression.
    pub fn like(expression: &str) -> Result<Self, String> {
        // Read on its own before anything is put around it: `a)|(b` is none.
        let mut parser = regex_syntax::ParserBuilder::new()
            .nest_limit(DEEPEST)
            .build();
        let within = parser
            .parse(expression)
            .map_err(|error| error.to_string())?;
        let whole = Hir::concat(vec![Hir::look(Look::Start), within, Hir::look(Look::End)]);
        let limits = Regex::config().nfa_size_limit(Some(LARGEST_MACHINE));
        let built = Regex::builder().configure(limits).build_from_hir(&whole);
        let regex = built.map_err(|error| error.to_string())?;
        Ok(Self::Like(Box::new(regex)))
    }

    fn is(&self, name: &str) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == name,
            Self::Like(regex) => regex.is_match(name),
        }
    }
}

/// The one name that a certificate has.
pub(super) fn subject(certificate: &[u8]) -> Result<String, Error> {
    let broken = |error: x509_cert::der::Error| Error::Certificate(error.to_string());
    let certificate = Certificate::from_der(certificate).map_err(broken)?;
    let names = certificate.tbs_certificate.get::<SubjectAltName>();
    let names = names.map_err(broken)?.map(|(_, names)| names.0);
    let names = names.unwrap_or_default();
    let [name] = names.as_slice() else {
        let count = names.len();
        return Err(Error::Certificate(format!("it has {count} names")));
    };
    match name {
        GeneralName::Rfc822Name(address) => Ok(address.to_string()),
        GeneralName::UniformResourceIdentifier(uri) => Ok(uri.to_string()),
        GeneralName::OtherName(name) if name.type_id == USER_NAME => {
            let name = name.value.decode_as::<Utf8StringRef<'_>>();
            name.map(|name| name.to_string()).map_err(broken)
        }
        _ => Err(Error::Certificate(
            "its name is no address, no URI and no user name".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_expression_matches_whole_names() {
        for (expression, name, matches) in [
            ("a|ab", "ab", true),
            ("a|ab", "abc", false),
            ("a.*", "b\na", false),
            ("(?m)^a$", "a\nb", false),
            ("(?x) a # b", "a", true),
            ("", "", true),
            ("", "a", false),
        ] {
            let is = Name::like(expression).unwrap().is(name);
            assert_eq!(is, matches, "{expression:?} and {name:?}");
        }
    }

    #[test]
    fn what_is_no_expression_or_too_large_is_refused() {
        let deep = "(".repeat(100) + &")".repeat(100);
        for expression in ["a)|(b", "(", "a{1000}{1000}{1000}", &deep, r"(a)\1"] {
            assert!(Name::like(expression).is_err(), "{expression:.20}");
        }
    }
}
