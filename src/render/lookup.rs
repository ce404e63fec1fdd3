//! `lookup`: how a template asks for objects of the cluster.

use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::Value as Json;

use crate::template::{CallError, Function, Map, Text, Value};

/// Where `lookup` finds objects: a cluster, or [`NoCluster`].
pub trait Lookup {
    /// The object of this kind, or the list of all of them where the name is empty. An empty
    /// namespace stands for all, and for kinds without one. What is not there is `None`.
    ///
    /// # Errors
    /// Where the cluster does not know the kind, or does not answer: the render fails.
    fn get(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Json>, LookupError>;
}

/// Why an object could not be looked up. The template's error shows the text.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct LookupError(pub String);

/// No cluster: nothing is ever found, as in `helm template`.
pub struct NoCluster;

impl Lookup for NoCluster {
    fn get(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Option<Json>, LookupError> {
        Ok(None)
    }
}

type Answer = Result<Option<Json>, LookupError>;

/// A question of the engine's thread to the caller's, where the [`Lookup`] lives.
struct Question {
    wanted: [String; 4],
    answer: Sender<Answer>,
}

/// The engine's side: it can ask.
pub(super) struct Asker(Sender<Question>);

/// The caller's side: it answers until the engine is done.
pub(super) struct Answerer(Receiver<Question>);

pub(super) fn line() -> (Asker, Answerer) {
    let (sender, receiver) = channel();
    (Asker(sender), Answerer(receiver))
}

impl Answerer {
    /// Answers until no [`Asker`] is left.
    pub(super) fn serve(self, lookup: &dyn Lookup) {
        for Question {
            wanted: [api_version, kind, namespace, name],
            answer,
        } in self.0
        {
            // An engine that no longer waits is done, one way or another.
            let _ = answer.send(lookup.get(&api_version, &kind, &namespace, &name));
        }
    }
}

impl Asker {
    fn ask(&self, wanted: [String; 4]) -> Answer {
        let gone = || LookupError("the cluster cannot be asked any more".to_owned());
        let (answer, answered) = channel();
        self.0
            .send(Question { wanted, answer })
            .map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }

    /// The template function. helm: pkg/engine/lookup_func.go
    pub(super) fn function(self) -> Function {
        Function::new(
            move |api_version: Text, kind: Text, namespace: Text, name: Text| {
                let text = |text: Text| text.to_str_lossy().into_owned();
                let wanted = [text(api_version), text(kind), text(namespace), text(name)];
                match self.ask(wanted) {
                    Ok(Some(object)) => Ok(Value::from_json(&object)),
                    Ok(None) => Ok(Value::Map(Map::default())),
                    Err(error) => Err(CallError::new(error.to_string())),
                }
            },
        )
    }
}
