//! Certificates as Go's crypto/x509 makes them of Sprig's template.

use std::any::Any;
use std::net::IpAddr;
use std::rc::Rc;

use crate::sprig::encoding::base64_decode;
use crate::sprig::{Environment, addresses};
use crate::template::print::show;
use crate::template::{CallError, Function, List, Map, Object, Text, Type, Value};

use super::issuer::Issuer;
use super::key::PrivateKey;
use super::pem;
use super::x509::{Template, Term};

/// How long the keys of certificates are.
const KEY_BITS: u32 = 2_048;

pub(super) fn functions(environment: &Rc<Environment>) -> Vec<(&'static str, Function)> {
    let with = || Rc::clone(environment);
    let [ca, ca_key, own, own_key] = [with(), with(), with(), with()];
    let gen_ca = move |name: Text, days: isize| {
        let term = Term::of(&ca, days);
        authority(&ca, name, term, &new_key(&ca)?)
    };
    let gen_ca_with_key = move |name: Text, days: isize, key: Text| {
        let term = Term::of(&ca_key, days);
        authority(&ca_key, name, term, &given_key(&key)?)
    };
    let gen_self_signed = move |name: Text, ips: List, dns: List, days: isize| {
        let term = Term::of(&own, days);
        let key = new_key(&own)?;
        self_signed(
            &own,
            &Request {
                name,
                ips,
                dns,
                term,
            },
            &key,
        )
    };
    let gen_self_signed_with_key =
        move |name: Text, ips: List, dns: List, days: isize, key: Text| {
            let term = Term::of(&own_key, days);
            self_signed(
                &own_key,
                &Request {
                    name,
                    ips,
                    dns,
                    term,
                },
                &given_key(&key)?,
            )
        };
    let build = |certificate: Text, key: Text| build_custom(&certificate, &key);
    vec![
        ("buildCustomCert", Function::new(build)),
        ("genCA", Function::new(gen_ca)),
        ("genCAWithKey", Function::new(gen_ca_with_key)),
        ("genSelfSignedCert", Function::new(gen_self_signed)),
        (
            "genSelfSignedCertWithKey",
            Function::new(gen_self_signed_with_key),
        ),
        ("genSignedCert", signed(with(), false)),
        ("genSignedCertWithKey", signed(with(), true)),
    ]
}

/// `genSignedCert`, or with a key for its last argument.
fn signed(environment: Rc<Environment>, with_key: bool) -> Function {
    let mut parameters = vec![
        Type::String,
        Type::ANY_SLICE,
        Type::ANY_SLICE,
        Type::INT,
        Type::Named(Certificate::TYPE),
    ];
    if with_key {
        parameters.push(Type::String);
    }
    Function::with_machine(parameters, None, move |_, values| {
        let request = Request::of(&environment, values)?;
        let key = match values.get(5) {
            Some(Value::String(key)) => given_key(key)?,
            _ => new_key(&environment)?,
        };
        signed_by(&environment, &request, &values[4], &key)
    })
}

/// What a template gets: a struct of two texts in PEM.
struct Certificate {
    certificate: Text,
    key: Text,
}

impl Certificate {
    const TYPE: &'static str = "sprig.certificate";

    fn value(certificate: impl Into<Text>, key: impl Into<Text>) -> Value {
        Value::Object(Rc::new(Self {
            certificate: certificate.into(),
            key: key.into(),
        }))
    }
}

impl Object for Certificate {
    fn type_name(&self) -> &'static str {
        Self::TYPE
    }

    fn kind(&self) -> &'static str {
        "struct"
    }

    fn field(&self, name: &[u8]) -> Option<Value> {
        match name {
            b"Cert" => Some(Value::String(self.certificate.clone())),
            b"Key" => Some(Value::String(self.key.clone())),
            _ => None,
        }
    }

    fn method(&self, _name: &[u8]) -> Option<Function> {
        None
    }

    fn print(&self) -> Text {
        Text::default()
    }

    fn fields(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(vec![
            ("Cert", Value::String(self.certificate.clone())),
            ("Key", Value::String(self.key.clone())),
        ])
    }

    fn to_data(&self) -> Result<Value, CallError> {
        let map = Map::default();
        map.insert("Cert", Value::String(self.certificate.clone()));
        map.insert("Key", Value::String(self.key.clone()));
        Ok(map.into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn new_key(environment: &Environment) -> Result<PrivateKey, CallError> {
    PrivateKey::generate_rsa(environment, KEY_BITS)
        .map_err(|error| CallError::new(format!("error generating rsa key: {error}")))
}

fn given_key(text: &[u8]) -> Result<PrivateKey, CallError> {
    PrivateKey::from_pem(text)
        .map_err(|error| CallError::new(format!("parsing private key: {error}")))
}

// sprig: crypto.go buildCustomCertificate
fn build_custom(certificate: &[u8], key: &[u8]) -> Result<Value, CallError> {
    let failed = |error: String| Err(CallError::new(error));
    let Ok(certificate) = base64_decode(certificate) else {
        return failed("unable to decode base64 certificate".to_owned());
    };
    let Ok(key) = base64_decode(key) else {
        return failed("unable to decode base64 private key".to_owned());
    };
    issuer(&certificate)?;
    if let Err(error) = PrivateKey::from_pem(&key) {
        return failed(format!("error parsing private key: {error}"));
    }
    Ok(Certificate::value(certificate, key))
}

/// What a certificate is asked for.
struct Request {
    name: Text,
    ips: List,
    dns: List,
    term: Term,
}

impl Request {
    fn of(environment: &Environment, values: &[Value]) -> Result<Self, CallError> {
        match values {
            [
                Value::String(name),
                Value::List(ips),
                Value::List(dns),
                Value::Int(_, days),
                ..,
            ] => Ok(Self {
                name: name.clone(),
                ips: ips.clone(),
                dns: dns.clone(),
                term: Term::of(environment, *days as isize),
            }),
            _ => Err(CallError::new("no request for a certificate")),
        }
    }

    // sprig: crypto.go getBaseCertTemplate
    fn template(&self) -> Result<Template, CallError> {
        let ips = self.ips.items().iter().map(ip).collect::<Result<_, _>>()?;
        let dns = self
            .dns
            .items()
            .iter()
            .map(dns_name)
            .collect::<Result<_, _>>()?;
        Ok(Template {
            name: self.name.clone(),
            ips,
            dns,
            term: self.term.clone(),
            is_authority: false,
        })
    }
}

fn ip(value: &Value) -> Result<IpAddr, CallError> {
    let Value::String(text) = value else {
        return Err(CallError::new(format!(
            "error parsing ip: {} is not a string",
            show(value)
        )));
    };
    match addresses::parse(text) {
        Ok((address, b"")) => Ok(address),
        _ => Err(CallError::new(format!("error parsing ip: {text}"))),
    }
}

fn dns_name(value: &Value) -> Result<Text, CallError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => {
            let shown = show(other);
            Err(CallError::new(format!(
                "error processing alternate dns name: {shown} is not a string"
            )))
        }
    }
}

fn authority(
    environment: &Environment,
    name: Text,
    term: Term,
    key: &PrivateKey,
) -> Result<Value, CallError> {
    let (ips, dns) = (Vec::new(), Vec::new());
    let template = Template {
        name,
        ips,
        dns,
        term,
        is_authority: true,
    };
    issue(&template, environment, key, None)
}

fn self_signed(
    environment: &Environment,
    request: &Request,
    key: &PrivateKey,
) -> Result<Value, CallError> {
    issue(&request.template()?, environment, key, None)
}

// sprig: crypto.go generateSignedCertificateWithKeyInternal
fn signed_by(
    environment: &Environment,
    request: &Request,
    authority: &Value,
    key: &PrivateKey,
) -> Result<Value, CallError> {
    let authority = match authority {
        Value::Object(object) => object.as_any().downcast_ref::<Certificate>(),
        _ => None,
    };
    let authority = authority.ok_or_else(|| CallError::new("unable to decode certificate"))?;
    let issuer = issuer(&authority.certificate)?;
    let issuer_key = PrivateKey::from_pem(&authority.key)
        .map_err(|error| CallError::new(format!("error parsing private key: {error}")))?;
    issue(
        &request.template()?,
        environment,
        key,
        Some((issuer, issuer_key)),
    )
}

/// The certificate in a PEM text.
fn issuer(text: &[u8]) -> Result<Issuer, CallError> {
    let block = pem::decode(text).ok_or_else(|| CallError::new("unable to decode certificate"))?;
    Issuer::parse(&block.bytes).map_err(|error| {
        CallError::new(format!(
            "error parsing certificate: decodedCert.Bytes: x509: {error}"
        ))
    })
}

/// The certificate for a key, signed with the issuer's, or with the same key.
// sprig: crypto.go getCertAndKey
fn issue(
    template: &Template,
    environment: &Environment,
    key: &PrivateKey,
    issuer: Option<(Issuer, PrivateKey)>,
) -> Result<Value, CallError> {
    let (issuer, issuer_key) = match &issuer {
        Some((issuer, issuer_key)) => (Some(issuer), issuer_key),
        None => (None, key),
    };
    let certificate = template
        .create(environment, key, issuer, issuer_key)
        .map_err(|error| CallError::new(format!("error creating certificate: {error}")))?;
    Ok(Certificate::value(
        pem::encode("CERTIFICATE", &certificate),
        key.to_pem(),
    ))
}
