//! Where images stand in an object.
//!
//! Lists of containers are known by their names wherever they stand, so that a custom kind with a
//! pod in it (a Rollout, a Workflow, a CloneSet) needs no mention. Kinds that name an image of their
//! own stand in a table.

use serde_json::Value;

use crate::manifest::ObjectKey;

/// Lists whose items have an `image`.
const LISTS: [&str; 5] = [
    "containers",
    "initContainers",
    "ephemeralContainers",
    "sidecars",
    "steps",
];

/// Group, kind, and where its image stands.
const KINDS: &[(&str, &str, &str)] = &[
    ("monitoring.coreos.com", "Prometheus", "/spec/image"),
    ("monitoring.coreos.com", "PrometheusAgent", "/spec/image"),
    ("monitoring.coreos.com", "Alertmanager", "/spec/image"),
    ("monitoring.coreos.com", "ThanosRuler", "/spec/image"),
    ("opentelemetry.io", "OpenTelemetryCollector", "/spec/image"),
    ("postgresql.cnpg.io", "Cluster", "/spec/imageName"),
    ("postgresql.cnpg.io", "Pooler", "/spec/template/spec/image"),
    (
        "elasticsearch.k8s.elastic.co",
        "Elasticsearch",
        "/spec/image",
    ),
    ("kibana.k8s.elastic.co", "Kibana", "/spec/image"),
    ("rabbitmq.com", "RabbitmqCluster", "/spec/image"),
    ("kafka.strimzi.io", "Kafka", "/spec/kafka/image"),
    ("kafka.strimzi.io", "KafkaConnect", "/spec/image"),
    (
        "redis.redis.opstreelabs.in",
        "Redis",
        "/spec/kubernetesConfig/image",
    ),
    (
        "redis.redis.opstreelabs.in",
        "RedisCluster",
        "/spec/kubernetesConfig/image",
    ),
    ("pkg.crossplane.io", "Provider", "/spec/package"),
    ("pkg.crossplane.io", "Function", "/spec/package"),
    ("pkg.crossplane.io", "Configuration", "/spec/package"),
    ("jaegertracing.io", "Jaeger", "/spec/allInOne/image"),
];

/// Every image that an object names.
pub(super) fn images<'v>(key: &ObjectKey, object: &'v Value) -> Vec<&'v str> {
    let mut found = Vec::new();
    walk(object, &mut found);
    let own = KINDS.iter();
    let own = own.filter(|(group, kind, _)| key.group() == *group && key.kind == *kind);
    found.extend(own.filter_map(|(_, _, place)| object.pointer(place)?.as_str()));
    found
}

fn walk<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Value::Array(items) = field
                    && LISTS.contains(&name.as_str())
                {
                    let images = items.iter().filter_map(|item| item["image"].as_str());
                    found.extend(images);
                }
                // An Argo Workflow's template has one container, or a script; a volume may be an image.
                let place = match name.as_str() {
                    "container" | "script" => field.get("image"),
                    "image" => field.get("reference"),
                    _ => None,
                };
                found.extend(place.and_then(Value::as_str));
                walk(field, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
