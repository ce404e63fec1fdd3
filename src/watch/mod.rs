//! Metadata of objects, watched for as long as somebody listens.
//!
//! In: an API, and which of its objects. Out: a stream of what the server tells ([`Told`]), which
//! never ends: it resumes where it broke off, begins anew where the server has forgotten, streams
//! the first list where the server can, and says so where the server will not have it. Never: a
//! whole object, and never more than one request for each time that a watch is begun.

use std::time::Duration;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use kube::Api;
use kube::api::{DynamicObject, ObjectMeta, PartialObjectMeta};
use kube::runtime::watcher;
use rand::RngExt as _;
use tokio::time::sleep;
use tracing::{debug, warn};

/// Objects by their metadata alone.
pub type Metadata = PartialObjectMeta<DynamicObject>;

/// Which objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// By labels, in Kubernetes' words.
    pub labels: Option<String>,
    /// By fields, in Kubernetes' words.
    pub fields: Option<String>,
}

/// What the server tells.
#[derive(Clone, Debug)]
pub enum Told {
    /// What is there is told from the beginning.
    Began,
    /// An object is there, new or changed or as it was.
    There(Box<ObjectMeta>),
    /// Everything that is there has been told since [`Told::Began`].
    Complete,
    /// An object was deleted. These are the metadata of its end.
    Gone(Box<ObjectMeta>),
    /// The server refuses to tell, for this reason. It is asked again now and then.
    Refused(String),
}

/// After a watch broke off for a reason that may pass: the first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// After the server refused to let us watch: it does not change its mind by itself.
const REFUSED_PAUSES: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(600));

/// Follows the metadata of the selected objects. `what` names them in the log.
pub fn follow(api: Api<Metadata>, selector: Selector, what: String) -> impl Stream<Item = Told> {
    let follower = Follower {
        events: begin(&api, &selector, Start::Streamed),
        start: Start::Streamed,
        pause: Duration::ZERO,
        failures: 0,
        api,
        selector,
        what,
    };
    stream::unfold(follower, |mut follower| async {
        let told = follower.next().await;
        Some((told, follower))
    })
}

/// How a watch begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// With what is there, on the same stream: the server makes no list for it.
    // Kubernetes: KEP-3157, on by default from 1.34.
    Streamed,
    /// With a list.
    Listed,
}

struct Follower {
    api: Api<Metadata>,
    selector: Selector,
    what: String,
    events: BoxStream<'static, watcher::Result<watcher::Event<Metadata>>>,
    start: Start,
    /// To be waited for before the next event is asked for.
    pause: Duration,
    /// In a row.
    failures: u32,
}

impl Follower {
    async fn next(&mut self) -> Told {
        loop {
            sleep(std::mem::take(&mut self.pause)).await;
            let Some(event) = self.events.next().await else {
                self.events = begin(&self.api, &self.selector, self.start);
                self.rest(PAUSES);
                continue;
            };
            let error = match event {
                Ok(event) => {
                    self.failures = 0;
                    return told(event);
                }
                Err(error) => error,
            };
            match trouble(&error) {
                Trouble::Expired => debug!(what = self.what, "the watch begins anew"),
                Trouble::Malformed if self.start == Start::Streamed => {
                    debug!(what = self.what, "the server does not stream lists");
                    self.start = Start::Listed;
                    self.events = begin(&self.api, &self.selector, self.start);
                }
                Trouble::Refused(why) => {
                    if self.failures == 0 {
                        warn!(what = self.what, why, "the server refuses a watch");
                    }
                    self.rest(REFUSED_PAUSES);
                    return Told::Refused(why);
                }
                Trouble::Malformed | Trouble::Passing => {
                    warn!(what = self.what, %error, "a watch broke off and is begun again");
                    self.rest(PAUSES);
                }
            }
        }
    }

    fn rest(&mut self, (first, longest): (Duration, Duration)) {
        let doubled = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let pause = first.saturating_mul(doubled).min(longest);
        self.pause = pause.mul_f64(rand::rng().random_range(0.75..1.0));
        self.failures += 1;
    }
}

fn begin(
    api: &Api<Metadata>,
    selector: &Selector,
    start: Start,
) -> BoxStream<'static, watcher::Result<watcher::Event<Metadata>>> {
    let mut config = watcher::Config::default();
    config.label_selector.clone_from(&selector.labels);
    config.field_selector.clone_from(&selector.fields);
    if start == Start::Streamed {
        config = config.streaming_lists();
    }
    watcher(api.clone(), config).boxed()
}

fn told(event: watcher::Event<Metadata>) -> Told {
    match event {
        watcher::Event::Init => Told::Began,
        watcher::Event::InitApply(object) | watcher::Event::Apply(object) => {
            Told::There(Box::new(object.metadata))
        }
        watcher::Event::InitDone => Told::Complete,
        watcher::Event::Delete(object) => Told::Gone(Box::new(object.metadata)),
    }
}

/// What is wrong with a watch.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    /// Too much has happened since: it begins with a list again.
    Expired,
    /// The server does not know the way in which we asked.
    Malformed,
    /// The server will not have it, for this reason.
    Refused(String),
    Passing,
}

fn trouble(error: &watcher::Error) -> Trouble {
    let code = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.code,
        watcher::Error::NoResourceVersion => 405,
        _ => return Trouble::Passing,
    };
    match code {
        410 => Trouble::Expired,
        400 | 422 => Trouble::Malformed,
        403 => Trouble::Refused("forbidden".to_owned()),
        404 => Trouble::Refused("not served".to_owned()),
        405 => Trouble::Refused("the server has no watch for it".to_owned()),
        _ => Trouble::Passing,
    }
}
