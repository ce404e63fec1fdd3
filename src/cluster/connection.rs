//! The connection to the API server. Every request is answered, or is an error, in a time that is
//! bounded: whoever waits for it holds a place of work.

use std::time::Duration;

use kube::Client;
use kube::client::ClientBuilder;
use kube::client::retry::RetryPolicy;
use tower::buffer::BufferLayer;
use tower::retry::RetryLayer;
use tower::timeout::TimeoutLayer;

/// How often a request is sent again that the API server had no time for (429, 503, 504), a second
/// or what it asks for apart. The library's own fifteen times are minutes in which nobody is told
/// anything; whoever asked for it comes back to it later.
const RETRIES: u32 = 3;

/// Until an answer begins. The API server itself gives up after a minute
/// (kube-apiserver: --request-timeout); a connection that somebody between lost says nothing at all.
const ANSWER: Duration = Duration::from_secs(75);

/// Without a byte of an answer that has begun. A watch ends after 290 seconds.
const SILENCE: Duration = Duration::from_secs(295);

/// Requests that may wait for a connection; the library's own number.
const QUEUE: usize = 1024;

/// A client for this cluster, whose requests carry this program's name.
///
/// # Errors
/// If the configuration's certificates or its proxy cannot be used.
pub fn connect(config: kube::Config) -> Result<Client, kube::Error> {
    connect_within(config, ANSWER)
}

fn connect_within(mut config: kube::Config, answer: Duration) -> Result<Client, kube::Error> {
    const AGENT: http::HeaderValue =
        http::HeaderValue::from_static(concat!("pintle/", env!("CARGO_PKG_VERSION")));
    config.headers.push((http::header::USER_AGENT, AGENT));
    config.read_timeout = config.read_timeout.or(Some(SILENCE));
    config.default_retry = false;
    let (pause, longest) = (Duration::from_millis(250), Duration::from_secs(1));
    let retries = RetryPolicy::new(pause, longest, RETRIES, true)
        .map_err(|error| kube::Error::Service(error.into()))?;
    let client = ClientBuilder::try_from(config)?
        .with_layer(&BufferLayer::new(QUEUE))
        .with_layer(&TimeoutLayer::new(answer))
        .with_layer(&RetryLayer::new(retries));
    Ok(client.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Error;

    #[tokio::test]
    async fn a_server_that_never_answers_is_not_waited_for_for_ever() {
        // Who listens and never accepts is connected to, and says nothing.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let config = kube::Config::new(address.parse().unwrap());
        let client = connect_within(config, Duration::from_millis(200)).unwrap();
        let error = client.apiserver_version().await.unwrap_err();
        let error = Error::of("discover", "the version", error);
        assert!(error.is_transient(), "{error:?}");
    }
}
