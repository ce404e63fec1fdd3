//! What goes wrong on the network, in the words of Go's net/http.

use std::error::Error as StdError;
use std::io;
use std::net::ToSocketAddrs;

use pintle::source::Error;
use url::Url;

use crate::command::files::go_error;
use crate::command::flags::go_quoted;

/// The error of a request for a URL.
// go: net/url Error
pub(super) fn words(url: &str, error: &Error) -> String {
    let url = failed_url(url, error);
    format!(
        "Get {}: {}",
        go_quoted(&without_password(&url)),
        reason(&url, error)
    )
}

/// The URL that was asked last: redirects lead elsewhere.
fn failed_url(asked: &str, error: &Error) -> String {
    let place = match error {
        Error::Connect { place, .. }
        | Error::Dns { place, .. }
        | Error::Tls { place, .. }
        | Error::Interrupted { place, .. }
        | Error::Timeout { place, .. }
        | Error::Redirect { place, .. } => place.url.as_deref(),
        _ => None,
    };
    let bare = |url: &str| {
        let mut url = Url::parse(url).ok()?;
        // These fail only for URLs that cannot have a host, and those have no login either.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    match place {
        Some(place) if bare(asked) != bare(place) => place.to_owned(),
        _ => asked.to_owned(),
    }
}

// go: net/http stripPassword
fn without_password(url: &str) -> String {
    match Url::parse(url) {
        Ok(parsed) => match parsed.password() {
            Some(password) => url.replacen(&format!(":{password}@"), ":***@", 1),
            None => url.to_owned(),
        },
        Err(_) => url.to_owned(),
    }
}

/// What is behind an error of another client, without the URL.
pub(super) fn cause(url: &str, error: &(dyn StdError + 'static)) -> String {
    let (name, port) = host(url);
    if rustls_error(error).is_some() {
        return tls_reason(error, &name);
    }
    if last(error)
        .to_string()
        .starts_with("failed to lookup address")
    {
        return format!("dial tcp: lookup {name}: no such host");
    }
    dial_reason(error, &name, port)
}

fn host(url: &str) -> (String, u16) {
    let host = Url::parse(url).ok().and_then(|url| {
        let port = url.port_or_known_default()?;
        Some((url.host_str()?.to_owned(), port))
    });
    host.unwrap_or_default()
}

fn dial_reason(error: &(dyn StdError + 'static), name: &str, port: u16) -> String {
    let cause = match io_error(error) {
        Some(error) if error.kind() == io::ErrorKind::TimedOut => "i/o timeout".to_owned(),
        Some(error) => format!("connect: {}", go_error(error)),
        // The other side hung up in the middle of a handshake.
        None if last(error).to_string().ends_with("handshake eof") => return "EOF".to_owned(),
        None => return last(error).to_string(),
    };
    format!("dial tcp {}: {cause}", address(name, port))
}

fn reason(url: &str, error: &Error) -> String {
    let (name, port) = host(url);
    match error {
        Error::Connect { source, .. } => dial_reason(source.as_ref(), &name, port),
        Error::Dns { .. } => format!("dial tcp: lookup {name}: no such host"),
        Error::Timeout { waited, .. } if *waited == "connecting" => {
            format!("dial tcp {}: i/o timeout", address(&name, port))
        }
        Error::Timeout { .. } => {
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)".to_owned()
        }
        Error::Tls { source, .. } => tls_reason(source.as_ref(), &name),
        Error::Interrupted { source, .. } => match io_error(source.as_ref()) {
            Some(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                format!("read tcp {}: {}", address(&name, port), go_error(error))
            }
            _ => "EOF".to_owned(),
        },
        Error::Redirect { reason, .. } if reason.ends_with("without end") => {
            "stopped after 10 redirects".to_owned()
        }
        other => other.to_string(),
    }
}

/// Go names the address that it tried first.
fn address(name: &str, port: u16) -> String {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let mut addresses = (bare, port).to_socket_addrs().into_iter().flatten();
    match addresses.next() {
        Some(address) => address.to_string(),
        None => format!("{name}:{port}"),
    }
}

/// The error and what is behind it, one after another.
fn chain<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // An io::Error hides its inner error from source(), which shows that one's source instead.
        let io = error.downcast_ref::<io::Error>();
        match io.and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

fn last<'e>(error: &'e (dyn StdError + 'static)) -> &'e (dyn StdError + 'static) {
    chain(error).last().unwrap_or(error)
}

/// The innermost error of the system.
fn io_error<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e io::Error> {
    let system = |error: &'e (dyn StdError + 'static)| error.downcast_ref::<io::Error>();
    let errors = chain(error).filter_map(system);
    errors.filter(|error| error.raw_os_error().is_some()).last()
}

fn rustls_error<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e rustls::Error> {
    let errors = chain(error).filter_map(|error| error.downcast_ref::<rustls::Error>());
    errors.last()
}

fn tls_reason(error: &(dyn StdError + 'static), name: &str) -> String {
    use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
    let certificate = "tls: failed to verify certificate: x509:";
    match rustls_error(error) {
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "http: server gave HTTP response to HTTPS client".to_owned()
        }
        Some(Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => format!("{certificate} certificate signed by unknown authority"),
        Some(Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => {
            let bare = name.trim_start_matches('[').trim_end_matches(']');
            match bare.parse::<std::net::IpAddr>() {
                Ok(address) => format!(
                    "{certificate} cannot validate certificate for {address} because it doesn't \
                     contain any IP SANs"
                ),
                Err(_) => format!("{certificate} certificate is not valid for {name}"),
            }
        }
        Some(Error::AlertReceived(alert)) => {
            let alert = match alert {
                AlertDescription::BadCertificate => "bad certificate",
                AlertDescription::CertificateRequired => "certificate required",
                AlertDescription::UnknownCA => "unknown certificate authority",
                AlertDescription::HandshakeFailure => "handshake failure",
                AlertDescription::ProtocolVersion => "protocol version not supported",
                _ => "alert",
            };
            format!("remote error: tls: {alert}")
        }
        Some(error) => format!("tls: {error}"),
        None => error.to_string(),
    }
}
