//! Private authorities, client certificates, and certificates that are not to be trusted.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::super::{Error, TlsMaterial};
use super::registry::{content, repo};
use super::server::{Reply, Server};
use super::{CHART, Fetcher, shop};

pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

pub(super) struct Certificate {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "tests");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        change(&mut params);
        Certificate {
            certificate: params.signed_by(&key, &self.0).unwrap(),
            key,
        }
    }

    pub(super) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    /// A server that asks for a certificate of this authority, and takes clients without one, too.
    pub(super) fn server(&self, of: &Certificate) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let chain: Vec<CertificateDer<'static>> = vec![of.certificate.der().clone()];
        let key = PrivateKeyDer::try_from(of.key.serialize_der()).unwrap();
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
            .with_single_cert(chain, key)
            .unwrap()
    }
}

fn material(ca: &Authority) -> TlsMaterial {
    TlsMaterial {
        ca: Some(ca.pem()),
        ..TlsMaterial::default()
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_given() {
    let ca = Authority::new();
    let server = Server::start_tls(ca.server(&ca.issue(|_| {})), content);
    let mut chart = shop(&repo(&server));
    chart.insecure = false;
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(
        matches!(error, Error::Tls { .. }) && error.is_transient(),
        "{error:?}"
    );
    assert!(server.seen().is_empty());
    chart.tls = Some(material(&ca));
    let fetcher = Fetcher::with(|config| config.allow_insecure = false);
    assert_eq!(fetcher.fetch(&chart).await.unwrap().bytes, CHART);
    chart.tls = Some(material(&Authority::new()));
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn an_expired_certificate_and_one_of_another_name_are_refused() {
    let ca = Authority::new();
    let expired = ca.issue(|params| params.not_after = date_time_ymd(2020, 1, 1));
    let other = ca.issue(|params| {
        *params = CertificateParams::new(["other.example.com".to_owned()]).unwrap()
    });
    for certificate in [expired, other] {
        let server = Server::start_tls(ca.server(&certificate), content);
        let mut chart = shop(&repo(&server));
        (chart.insecure, chart.tls) = (false, Some(material(&ca)));
        let error = Fetcher::new().fetch(&chart).await.unwrap_err();
        assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn the_client_certificate_is_shown_to_the_repository_alone() {
    let ca = Authority::new();
    let storage = Server::start_tls(ca.server(&ca.issue(|_| {})), |_| Reply::ok(CHART));
    let location = storage.url("/blob");
    let server = Server::start_tls(ca.server(&ca.issue(|_| {})), move |request| {
        if request.path.contains("/blobs/") {
            Reply::redirect(&location)
        } else {
            content(request)
        }
    });
    let client = ca.issue(|_| {});
    let mut chart = shop(&repo(&server));
    chart.insecure = false;
    chart.tls = Some(TlsMaterial {
        ca: Some(ca.pem()),
        certificate: Some(client.certificate.pem().into_bytes()),
        key: Some(client.key.serialize_pem().into_bytes()),
        ..TlsMaterial::default()
    });
    assert_eq!(Fetcher::new().fetch(&chart).await.unwrap().bytes, CHART);
    assert!(
        server
            .seen()
            .iter()
            .all(|request| request.client_certificate)
    );
    assert!(
        storage
            .seen()
            .iter()
            .all(|request| !request.client_certificate)
    );
    assert_eq!((server.seen().len(), storage.seen().len()), (2, 1));
}

#[tokio::test]
async fn https_never_leads_to_plain_http() {
    let ca = Authority::new();
    let plain = Server::start(|_| Reply::ok(r#"{"token":"t"}"#));
    let (location, realm) = (plain.url("/blob"), plain.url("/token"));
    let challenge = format!(r#"Bearer realm="{realm}""#);
    let redirecting = Server::start_tls(ca.server(&ca.issue(|_| {})), move |_| {
        Reply::redirect(&location)
    });
    let challenging = Server::start_tls(ca.server(&ca.issue(|_| {})), move |_| {
        Reply::new(401, "").header("WWW-Authenticate", &challenge)
    });
    for server in [redirecting, challenging] {
        let mut chart = shop(&repo(&server));
        (chart.insecure, chart.tls) = (false, Some(material(&ca)));
        let error = Fetcher::new().fetch(&chart).await.unwrap_err();
        assert!(matches!(error, Error::InsecureRefused { .. }), "{error:?}");
    }
    assert!(plain.seen().is_empty());
}

#[tokio::test]
async fn material_that_cannot_be_used_is_refused_without_being_shown() {
    let ca = Authority::new();
    let issued = ca.issue(|_| {});
    let certificate = Some(issued.certificate.pem().into_bytes());
    let key = Some(issued.key.serialize_pem().into_bytes());
    let other_key = Some(KeyPair::generate().unwrap().serialize_pem().into_bytes());
    let hidden = Some(b"hidden".to_vec());
    for (ca, certificate, key) in [
        (hidden.clone(), None, None),
        (None, certificate.clone(), None),
        (None, None, key.clone()),
        (None, certificate.clone(), hidden.clone()),
        (None, hidden, key),
        (None, certificate, other_key),
    ] {
        let mut chart = shop("https://charts.example.com");
        chart.tls = Some(TlsMaterial {
            ca,
            certificate,
            key,
            ..TlsMaterial::default()
        });
        let error = Fetcher::new().fetch(&chart).await.unwrap_err();
        assert!(matches!(error, Error::InvalidTls { .. }), "{error:?}");
        assert!(
            !format!("{error} {error:?}").contains("hidden"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_certificate_may_bear_another_name_where_that_is_said() {
    let ca = Authority::new();
    let other = ca.issue(|params| {
        *params = CertificateParams::new(["other.example.com".to_owned()]).unwrap()
    });
    let server = Server::start_tls(ca.server(&other), content);
    let named = |name: &str, ca: &Authority| {
        let mut chart = shop(&repo(&server));
        chart.insecure = false;
        chart.tls = Some(TlsMaterial {
            server_name: Some(name.to_owned()),
            ..material(ca)
        });
        chart
    };
    let good = named("other.example.com", &ca);
    assert_eq!(Fetcher::new().fetch(&good).await.unwrap().bytes, CHART);
    for chart in [
        named("127.0.0.1", &ca),
        named("other.example.com", &Authority::new()),
    ] {
        let error = Fetcher::new().fetch(&chart).await.unwrap_err();
        assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    }
    let error = Fetcher::new().fetch(&named("not a name", &ca)).await;
    assert!(matches!(error, Err(Error::InvalidTls { .. })), "{error:?}");
}

#[tokio::test]
async fn a_certificate_that_expires_in_between_is_refused() {
    let ca = Authority::new();
    let brief = ca.issue(|params| {
        let now = std::time::SystemTime::now();
        params.not_after = (now + std::time::Duration::from_secs(3)).into();
    });
    let server = Server::start_tls(ca.server(&brief), content);
    let mut chart = shop(&repo(&server));
    (chart.insecure, chart.tls) = (false, Some(material(&ca)));
    let fetcher = Fetcher::new();
    fetcher.fetch(&chart).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let error = fetcher.fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    assert!(format!("{error:?}").contains("Expired"), "{error:?}");
}
