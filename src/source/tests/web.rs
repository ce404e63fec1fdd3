//! Single requests: whom they trust, where their login goes, and what comes back.

use url::Url;

use super::super::{
    Credentials, Error, Get, LoginWhen, Part, Reply as Came, TlsMaterial, Trust, Web,
};
use super::CHART;
use super::server::{Reply, Request, Server};
use super::tls::Authority;

async fn get(
    tls: Option<TlsMaterial>,
    url: &str,
    credentials: Option<&Credentials>,
    login: LoginWhen<'_>,
) -> Result<Came, Error> {
    let url = Url::parse(url).unwrap();
    let get = Get {
        url: &url,
        accept: "*/*",
        part: Part::Archive,
        credentials,
        login,
    };
    Web::new(tls).unwrap().get(&get).await
}

fn login() -> Credentials {
    Credentials::Basic {
        username: "user".to_owned(),
        password: "pass".to_owned(),
    }
}

const LOGIN: &str = "Basic dXNlcjpwYXNz";

#[tokio::test]
async fn trust_is_as_it_is_told() {
    let (ca, other) = (Authority::new(), Authority::new());
    let server = Server::start_tls(ca.server(&ca.issue(|_| {})), |_| Reply::ok(CHART));
    let url = server.url("/shop.tgz");
    for (authority, trust, is_trusted) in [
        (None, Trust::System, false),
        (None, Trust::Everybody, true),
        (None, Trust::CaAlone, false),
        (Some(&ca), Trust::System, true),
        (Some(&ca), Trust::CaAlone, true),
        (Some(&other), Trust::CaAlone, false),
        (Some(&other), Trust::Everybody, true),
    ] {
        let tls = TlsMaterial {
            ca: authority.map(|authority| authority.pem()),
            trust,
            ..TlsMaterial::default()
        };
        match get(Some(tls), &url, None, LoginWhen::AtOnce).await {
            Ok(came) => assert!(is_trusted && came.body == CHART, "{trust:?}"),
            Err(error) => assert!(
                !is_trusted && matches!(error, Error::Tls { .. }),
                "{trust:?}"
            ),
        }
    }
    let broken = TlsMaterial {
        ca: Some(b"broken".to_vec()),
        ..TlsMaterial::default()
    };
    assert!(matches!(
        Web::new(Some(broken)).map(|_| ()),
        Err(Error::InvalidTls { .. })
    ));
}

#[tokio::test]
async fn any_status_is_an_answer() {
    let server = Server::start(|_| Reply::new(503, "busy").header("X-Test", "yes"));
    let came = get(None, &server.url("/"), None, LoginWhen::AtOnce).await;
    let came = came.unwrap();
    assert_eq!((came.status, came.body.as_ref()), (503, &b"busy"[..]));
    assert_eq!(came.header("x-test"), Some("yes"));
    assert_eq!(came.header("x-other"), None);
}

#[tokio::test]
async fn a_login_is_shown_when_it_is_told_to_and_to_its_own_host_alone() {
    let elsewhere = Server::start(|_| Reply::ok(CHART));
    let away = elsewhere.url("/blob");
    let server = Server::start(move |request: &Request| match request.path.as_str() {
        "/away" => Reply::redirect(&away),
        _ if request.authorization() == Some(LOGIN) => Reply::ok(CHART),
        _ => Reply::new(401, "").header("WWW-Authenticate", "Basic realm=\"tests\""),
    });
    let login = login();
    let shown = |server: &Server| -> Vec<Option<String>> {
        let shown = |request: &Request| request.authorization().map(str::to_owned);
        server.seen().iter().map(shown).collect()
    };
    let (url, known) = (server.url("/shop.tgz"), Some(LOGIN.to_owned()));
    let asked = LoginWhen::Asked("charts/shop");
    let came = get(None, &url, Some(&login), LoginWhen::AtOnce).await;
    assert_eq!(came.unwrap().status, 200);
    assert_eq!(shown(&server), vec![known.clone()]);
    let came = get(None, &url, Some(&login), asked).await;
    assert_eq!(came.unwrap().status, 200);
    assert_eq!(shown(&server), [known.clone(), None, known.clone()]);
    let came = get(None, &url, None, asked).await;
    assert_eq!(came.unwrap().status, 401);
    let came = get(None, &server.url("/away"), Some(&login), LoginWhen::AtOnce).await;
    assert_eq!(came.unwrap().url.as_str(), elsewhere.url("/blob"));
    assert_eq!(shown(&elsewhere), [None]);
}

#[tokio::test]
async fn ten_requests_are_made_for_one_and_no_more() {
    let server = Server::start(|request| {
        let place = format!("http://{}/round", request.header("host").unwrap());
        Reply::redirect(place)
    });
    let came = get(None, &server.url("/round"), None, LoginWhen::AtOnce).await;
    assert!(matches!(came, Err(Error::Redirect { .. })));
    assert_eq!(server.count("/round"), 10);
}
