//! The order in which Helm creates and deletes kinds.

use std::cmp::Ordering;

use super::object::Object;

/// Which way the kinds are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// What others need comes first.
    Install,
    /// What needs others comes first.
    Uninstall,
}

/// helm: pkg/release/v1/util/kind_sorter.go InstallOrder
const INSTALL: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Not the install order reversed: Services go before the workloads behind them.
/// helm: pkg/release/v1/util/kind_sorter.go UninstallOrder
const UNINSTALL: [&str; 38] = [
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "Ingress",
    "IngressClass",
    "Service",
    "CronJob",
    "Job",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
    "DaemonSet",
    "RoleBindingList",
    "RoleBinding",
    "RoleList",
    "Role",
    "ClusterRoleBindingList",
    "ClusterRoleBinding",
    "ClusterRoleList",
    "ClusterRole",
    "CustomResourceDefinition",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "ConfigMap",
    "SecretList",
    "Secret",
    "ServiceAccount",
    "PodDisruptionBudget",
    "PodSecurityPolicy",
    "LimitRange",
    "ResourceQuota",
    "NetworkPolicy",
    "Namespace",
    "PriorityClass",
];

impl Order {
    /// How two kinds stand to each other. Kinds that the order does not know come last, by name.
    pub fn compare(self, left: &str, right: &str) -> Ordering {
        match (self.rank(left), self.rank(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => left.cmp(right),
        }
    }

    fn rank(self, kind: &str) -> Option<usize> {
        let order = match self {
            Self::Install => &INSTALL,
            Self::Uninstall => &UNINSTALL,
        };
        order.iter().position(|known| *known == kind)
    }
}

/// Brings objects into the order in which they are created; equal kinds keep their order.
pub fn install_order(objects: &mut [Object]) {
    objects.sort_by(|left, right| Order::Install.compare(&left.key.kind, &right.key.kind));
}

/// Brings objects into the order in which they are deleted; equal kinds keep their order.
pub fn uninstall_order(objects: &mut [Object]) {
    objects.sort_by(|left, right| Order::Uninstall.compare(&left.key.kind, &right.key.kind));
}
