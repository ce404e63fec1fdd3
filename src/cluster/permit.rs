//! Places of work: how many turns are at work at once, as opposed to waiting.
//!
//! In: turns that want to work, as many as there are releases. Out: a place for each in its time,
//! which it leaves while it only waits for a cluster or a download, so that what is held in memory
//! at once does not grow with the number of releases. Never: a place held by somebody who waits.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Places of work, shared by those who ask for one.
#[derive(Clone, Debug)]
pub struct Places {
    begin: Arc<Semaphore>,
    resume: Arc<Semaphore>,
}

/// One place of work, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    resume: Arc<Semaphore>,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Places {
    /// So many for those who begin, and as many again for those who go on after they have waited:
    /// what was begun is ended before more is begun.
    pub fn new(places: usize) -> Self {
        Self {
            begin: Arc::new(Semaphore::new(places)),
            resume: Arc::new(Semaphore::new(places)),
        }
    }

    /// A place, as soon as there is one; first come, first served.
    pub async fn take(&self) -> Place {
        Place {
            resume: Arc::clone(&self.resume),
            held: Mutex::new(Arc::clone(&self.begin).acquire_owned().await.ok()),
        }
    }
}

impl Place {
    fn hold(&self, permit: Option<OwnedSemaphorePermit>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }
}

/// A running action's permit: revoked when the action is no longer wanted, because the spec changed,
/// the resource is being deleted or the program stops; and good for a place of work.
#[derive(Debug)]
pub struct Permit {
    revoked: watch::Receiver<bool>,
    place: Arc<Place>,
}

impl Permit {
    /// Revoked as soon as `revoked` holds true.
    pub fn new(revoked: watch::Receiver<bool>, place: Arc<Place>) -> Self {
        Self { revoked, place }
    }

    /// Whether the action is no longer wanted.
    pub fn is_revoked(&self) -> bool {
        *self.revoked.borrow()
    }

    /// Comes to an end when the action is no longer wanted.
    pub async fn revoked(&self) {
        let mut revoked = self.revoked.clone();
        if revoked.wait_for(|revoked| *revoked).await.is_err() {
            // Whoever could revoke it is gone, so nobody will.
            std::future::pending::<()>().await;
        }
    }

    /// Leaves the place to others until `waiting` is over.
    pub async fn while_waiting<T>(&self, waiting: impl Future<Output = T>) -> T {
        self.place.hold(None);
        let awaited = waiting.await;
        let resume = Arc::clone(&self.place.resume);
        self.place.hold(resume.acquire_owned().await.ok());
        awaited
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn who_waits_leaves_the_place_to_the_next_and_needs_one_to_go_on() {
        let places = Places::new(1);
        let (_wish, revoked) = watch::channel(false);
        let first = Permit::new(revoked, Arc::new(places.take().await));
        assert!(places.take().now_or_never().is_none(), "there is one place");
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let mut waiting = Box::pin(first.while_waiting(ended));
        assert!(waiting.as_mut().now_or_never().is_none());
        let second = places.take().now_or_never();
        let second = second.expect("who waits holds no place");
        end.send(()).unwrap();
        let over = waiting.now_or_never();
        over.expect("who has begun is not kept by those who begin")
            .unwrap();
        drop(second);
        drop(first);
        assert!(places.take().now_or_never().is_some());
    }
}
