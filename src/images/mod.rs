//! The images that rendered objects name, and whether their names say which bytes run.
//!
//! In: objects and a policy. Out: the images, and each at fault, with its object. Never: a look into a
//! registry; a change of an object.

mod places;
mod reference;

use std::fmt;

use crate::api::{FloatingTags, Images};
use crate::manifest::{Object, ObjectKey};

use self::places::images;
use self::reference::Reference;

/// An image that a policy does not like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it stands.
    pub object: ObjectKey,
    /// The image, as it is written.
    pub image: String,
    /// What is wrong with it.
    pub fault: Fault,
    /// Nothing must be applied.
    pub denied: bool,
}

/// What is wrong with an image's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has the tag `latest`, or neither tag nor digest.
    Floating,
    /// It has no digest.
    NoDigest,
    /// It is no name of an image.
    Unreadable,
}

/// What a policy finds at fault, each image of an object once.
pub fn judge(objects: &[Object], policy: &Images) -> Vec<Finding> {
    let mut findings = Vec::new();
    for object in objects {
        let mut found = images(&object.key, &object.value);
        found.sort_unstable();
        found.dedup();
        for image in found {
            let Some((fault, denied)) = fault(image, policy) else {
                continue;
            };
            findings.push(Finding {
                object: object.key.clone(),
                image: image.to_owned(),
                fault,
                denied,
            });
        }
    }
    findings
}

/// Every image that objects name, with the object that does.
pub fn named(objects: &[Object]) -> Vec<(&ObjectKey, &str)> {
    let found = objects.iter().flat_map(|object| {
        let found = images(&object.key, &object.value).into_iter();
        found.map(|image| (&object.key, image))
    });
    found.collect()
}

fn fault(image: &str, policy: &Images) -> Option<(Fault, bool)> {
    let tags = policy.floating_tags.unwrap_or_default();
    let digest = policy.require_digest.unwrap_or_default();
    if tags == FloatingTags::Allow && !digest {
        return None;
    }
    let Some(reference) = Reference::parse(image) else {
        return Some((Fault::Unreadable, digest || tags == FloatingTags::Deny));
    };
    if digest && !reference.has_digest {
        return Some((Fault::NoDigest, true));
    }
    let floats = reference.floats() && tags != FloatingTags::Allow;
    floats.then_some((Fault::Floating, tags == FloatingTags::Deny))
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.fault {
            Fault::Floating => "which has no fixed tag",
            Fault::NoDigest => "which has no digest",
            Fault::Unreadable => "which is no name of an image",
        };
        write!(f, "{} runs {:?}, {words}", self.object, self.image)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MANIFEST: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers: [{name: a, image: 'registry.example.com:5000/team/init'}]
      containers:
      - {name: b, image: 'nginx:1.27.1'}
      - {name: c, image: 'nginx:latest'}
      - {name: d, image: 'nginx:latest'}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: busybox}]}}}}}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: p}
spec: {image: 'quay.io/prometheus/prometheus:latest', containers: [{name: extra}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: words}
data: {image: 'nginx:latest', containers: 'none'}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: x.example.com}
spec: {versions: [{schema: {properties: {containers: {items: {properties: {image: {type: string}}}}}}}]}
";

    fn said(tags: FloatingTags, digest: bool, manifest: &str) -> Vec<(String, bool)> {
        let policy = Images {
            floating_tags: Some(tags),
            require_digest: Some(digest),
        };
        let findings = judge(&crate::manifest::parse(manifest).unwrap(), &policy);
        let said = findings.iter();
        said.map(|f| (f.to_string(), f.denied)).collect()
    }

    #[test]
    fn floating_tags_are_named_with_their_objects() {
        for (tags, denied) in [(FloatingTags::Warn, true), (FloatingTags::Deny, true)] {
            let denied = denied && tags == FloatingTags::Deny;
            let expected = [
                "Deployment web runs \"nginx:latest\", which has no fixed tag",
                "Deployment web runs \"registry.example.com:5000/team/init\", which has no fixed tag",
                "CronJob nightly runs \"busybox\", which has no fixed tag",
                "Prometheus p runs \"quay.io/prometheus/prometheus:latest\", which has no fixed tag",
            ];
            assert_eq!(
                said(tags, false, MANIFEST),
                expected.map(|words| (words.to_owned(), denied))
            );
        }
        assert!(said(FloatingTags::Allow, false, MANIFEST).is_empty());
    }

    #[test]
    fn a_digest_is_asked_for() {
        let pod = |image: &str| {
            format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{name: a, image: '{image}'}}]}}}}"
            )
        };
        let digest = format!("sha256:{}", "a".repeat(64));
        for good in [
            format!("nginx@{digest}"),
            format!("r:5000/a/nginx:1@{digest}"),
        ] {
            assert!(
                said(FloatingTags::Deny, true, &pod(&good)).is_empty(),
                "{good}"
            );
        }
        for bad in [
            "nginx:1.27.1",
            "nginx",
            "nginx@sha256:abc",
            "nginx:",
            "a b",
            "",
        ] {
            let said = said(FloatingTags::Allow, true, &pod(bad));
            assert!(matches!(&said[..], [(_, true)]), "{bad}: {said:?}");
        }
    }
}
