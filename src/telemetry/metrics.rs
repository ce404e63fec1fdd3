//! Figures for Prometheus.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::api::Reason;

/// Every figure that the program keeps.
pub struct Metrics {
    registry: Registry,
    status: IntGaugeVec,
    stages: HistogramVec,
    actions: IntCounterVec,
    drifted: IntGaugeVec,
    found_drifted: IntCounterVec,
    corrected: IntCounterVec,
    last_success: GaugeVec,
    /// The reason under which each resource stands in `status` now: one series each.
    reasons: Mutex<HashMap<(String, String), Reason>>,
}

impl Metrics {
    /// Figures that all begin at nothing.
    ///
    /// # Errors
    /// Only if two figures had one name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let status = IntGaugeVec::new(
            Opts::new(
                "planton_helm_release_reconciliation_status",
                "1 where the declared release is deployed and ready, 0 where it is not; the reason says why",
            ),
            &["namespace", "name", "reason"],
        )?;
        let stages = HistogramVec::new(
            HistogramOpts::new(
                "planton_helm_release_stage_duration_seconds",
                "How long each stage of a turn took",
            )
            .buckets(vec![0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0]),
            &["stage"],
        )?;
        let actions = IntCounterVec::new(
            Opts::new(
                "planton_helm_release_action_total",
                "Actions taken on releases",
            ),
            &["action", "result"],
        )?;
        let drifted = IntGaugeVec::new(
            Opts::new(
                "planton_helm_release_drift_objects",
                "Objects found to differ from what was applied",
            ),
            &["namespace", "name"],
        )?;
        let found_drifted = IntCounterVec::new(
            Opts::new(
                "planton_helm_release_drift_detected_total",
                "Objects found to differ from what was applied, each time anew",
            ),
            &["kind"],
        )?;
        let corrected = IntCounterVec::new(
            Opts::new(
                "planton_helm_release_drift_corrected_total",
                "Objects put back after drift",
            ),
            &["kind"],
        )?;
        let last_success = GaugeVec::new(
            Opts::new(
                "planton_helm_release_last_success_timestamp_seconds",
                "When the release was last found or made as declared",
            ),
            &["namespace", "name"],
        )?;
        let registry = Registry::new();
        registry.register(Box::new(status.clone()))?;
        registry.register(Box::new(stages.clone()))?;
        registry.register(Box::new(actions.clone()))?;
        registry.register(Box::new(drifted.clone()))?;
        registry.register(Box::new(found_drifted.clone()))?;
        registry.register(Box::new(corrected.clone()))?;
        registry.register(Box::new(last_success.clone()))?;
        let reasons = Mutex::default();
        Ok(Self {
            registry,
            status,
            stages,
            actions,
            drifted,
            found_drifted,
            corrected,
            last_success,
            reasons,
        })
    }

    /// A resource stands so now.
    pub fn stands(&self, namespace: &str, name: &str, ready: bool, reason: Reason) {
        let key = (namespace.to_owned(), name.to_owned());
        let before = self
            .reasons
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, reason);
        if let Some(before) = before.filter(|before| *before != reason) {
            // An error means that the series was not there, which is what is wanted.
            let _ = self
                .status
                .remove_label_values(&[namespace, name, before.as_str()]);
        }
        self.status
            .with_label_values(&[namespace, name, reason.as_str()])
            .set(i64::from(ready));
    }

    /// A resource was found or made as declared, at this time in seconds since 1970.
    pub fn succeeded(&self, namespace: &str, name: &str, now: i64) {
        #[allow(
            clippy::cast_precision_loss,
            reason = "seconds fit a float's 53 bits for ages"
        )]
        self.last_success
            .with_label_values(&[namespace, name])
            .set(now as f64);
    }

    /// A resource is gone, and its series with it.
    pub fn gone(&self, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        let before = self
            .reasons
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key);
        if let Some(reason) = before {
            let _ = self
                .status
                .remove_label_values(&[namespace, name, reason.as_str()]);
        }
        let _ = self.drifted.remove_label_values(&[namespace, name]);
        let _ = self.last_success.remove_label_values(&[namespace, name]);
    }

    /// A stage of a turn took so long.
    pub fn stage(&self, stage: &'static str, took: Duration) {
        self.stages
            .with_label_values(&[stage])
            .observe(took.as_secs_f64());
    }

    /// An action ended.
    pub fn acted(&self, action: &'static str, result: &'static str) {
        self.actions.with_label_values(&[action, result]).inc();
    }

    /// So many objects of a release differ from what was applied.
    pub fn drifted(&self, namespace: &str, name: &str, objects: usize) {
        let objects = i64::try_from(objects).unwrap_or(i64::MAX);
        self.drifted
            .with_label_values(&[namespace, name])
            .set(objects);
    }

    /// An object was found to differ that did not before.
    pub fn found_drifted(&self, kind: &str) {
        self.found_drifted.with_label_values(&[kind]).inc();
    }

    /// An object was put back.
    pub fn corrected(&self, kind: &str) {
        self.corrected.with_label_values(&[kind]).inc();
    }

    /// Everything in Prometheus's text format.
    ///
    /// # Errors
    /// Only if a figure were inconsistent.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_release_stands_in_one_series_and_leaves_none_behind() {
        let metrics = Metrics::new().unwrap();
        metrics.stands("apps", "shop", false, Reason::Progressing);
        metrics.stands("apps", "shop", true, Reason::InstallSucceeded);
        let text = metrics.text().unwrap();
        assert!(text.contains(
            r#"planton_helm_release_reconciliation_status{name="shop",namespace="apps",reason="InstallSucceeded"} 1"#
        ));
        assert!(!text.contains("Progressing"));
        metrics.gone("apps", "shop");
        assert!(!metrics.text().unwrap().contains("shop"));
    }
}
