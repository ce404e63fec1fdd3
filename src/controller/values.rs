//! What the spec refers to in its own namespace: values, logins, certificates, proxies. Values that were
//! read go into the render and nowhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use kube::{Api, Client};
use serde_json::{Map, Value};

use super::error::{Error, ReferenceError};
use crate::api::{
    CloudProvider, HelmReleaseSpec, SecretName, SignerIdentity, TrustRoot, TrustRootKey,
    ValuesKind, ValuesReference, VerifyProvider,
};
use crate::source::verify::Trusted;
use crate::source::verify::identity::{Identity, Name};
use crate::source::verify::keyless::Keyless;
use crate::source::verify::pgp::Keyring;
use crate::source::{Cloud, Credentials, DockerConfig, ProxyServer, Route, TlsMaterial};
use crate::{chart, yaml};

/// The user's values: each reference in order, then the spec's own over them. Numbers are floats,
/// as in any values file.
///
/// # Errors
/// Where an object or a key that is referred to is missing, or holds no values.
pub async fn resolve(
    client: &Client,
    namespace: &str,
    spec: &HelmReleaseSpec,
) -> Result<Map<String, Value>, Error> {
    let mut values = Map::new();
    for reference in &spec.values_from {
        if let Some(text) = read(client, namespace, reference).await? {
            merge_reference(&mut values, reference, &text)?;
        }
    }
    let own = yaml::floats(Value::Object(spec.values.clone().unwrap_or_default()));
    if let Value::Object(own) = own {
        values = chart::values::merge(values, own);
    }
    Ok(values)
}

async fn read(
    client: &Client,
    namespace: &str,
    reference: &ValuesReference,
) -> Result<Option<Vec<u8>>, ReferenceError> {
    let object = described(reference);
    let found = match reference.kind {
        ValuesKind::Secret => secret_data(client, namespace, "valuesFrom", &reference.name).await,
        ValuesKind::ConfigMap => {
            config_map_data(client, namespace, "valuesFrom", &reference.name).await
        }
    };
    let data = match found {
        Err(ReferenceError::MissingObject { .. }) if reference.optional => return Ok(None),
        found => found?,
    };
    match data.get(&reference.key) {
        Some(bytes) => Ok(Some(bytes.clone())),
        None if reference.optional => Ok(None),
        None => Err(ReferenceError::MissingKey {
            field: "valuesFrom",
            object,
            key: reference.key.clone(),
        }),
    }
}

fn merge_reference(
    values: &mut Map<String, Value>,
    reference: &ValuesReference,
    bytes: &[u8],
) -> Result<(), ReferenceError> {
    let unusable = |problem: String| ReferenceError::Unusable {
        field: "valuesFrom",
        object: described(reference),
        key: reference.key.clone(),
        problem,
    };
    if let Some(path) = &reference.target_path {
        let text = std::str::from_utf8(bytes).map_err(|_| unusable("it is no UTF-8".to_owned()))?;
        // The message of a parse error would show the value, so it is not passed on.
        return chart::strvals::parse_literal_into(&format!("{path}={text}"), values)
            .map_err(|_| unusable(format!("it cannot be set at {path:?}")));
    }
    match yaml::from_slice(bytes).map(yaml::floats) {
        Ok(Value::Object(table)) => {
            *values = chart::values::merge(std::mem::take(values), table);
            Ok(())
        }
        Ok(Value::Null) => Ok(()),
        Ok(_) => Err(unusable("it is no table of values".to_owned())),
        Err(error) => Err(unusable(match error.line() {
            Some(line) => format!("it is no YAML (line {line})"),
            None => "it is no YAML".to_owned(),
        })),
    }
}

fn described(reference: &ValuesReference) -> String {
    format!("{:?} {}", reference.kind, reference.name)
}

/// The login of `spec.auth`.
pub(super) async fn credentials(
    client: &Client,
    namespace: &str,
    spec: &HelmReleaseSpec,
) -> Result<Option<Credentials>, Error> {
    let Some(auth) = &spec.auth else {
        return Ok(None);
    };
    if let Some(provider) = auth.provider {
        return Ok(Some(Credentials::Cloud(match provider {
            CloudProvider::Aws => Cloud::Aws,
            CloudProvider::Google => Cloud::Google,
            CloudProvider::Azure => Cloud::Azure,
        })));
    }
    if let Some(account) = &auth.service_account_name {
        return pull_secrets(client, namespace, account).await.map(Some);
    }
    let Some(SecretName { name }) = &auth.secret_ref else {
        return Ok(None);
    };
    let data = secret_data(client, namespace, "auth.secretRef", name).await?;
    if let Some(config) = docker_config(&data)? {
        return Ok(Some(Credentials::Docker(config)));
    }
    let text = |key: &str| {
        data.get(key)
            .map(|bytes| String::from_utf8_lossy(bytes).trim_end().to_owned())
    };
    match (text("username"), text("password"), text("token")) {
        (Some(username), Some(password), _) => Ok(Some(Credentials::Basic { username, password })),
        (None, _, Some(token)) => Ok(Some(Credentials::Token(token))),
        _ => Err(Error::Reference(ReferenceError::MissingKey {
            field: "auth.secretRef",
            object: format!("Secret {name}"),
            key: "username and password, token, or .dockerconfigjson".to_owned(),
        })),
    }
}

fn docker_config(data: &BTreeMap<String, Vec<u8>>) -> Result<Option<DockerConfig>, Error> {
    let newer = data
        .get(".dockerconfigjson")
        .map(|json| DockerConfig::parse(json));
    let older = || {
        data.get(".dockercfg")
            .map(|json| DockerConfig::parse_older(json))
    };
    Ok(newer.or_else(older).transpose()?)
}

/// The logins of an account's imagePullSecrets. One that does not exist is passed over.
// k8s: pkg/kubelet/kubelet_pods.go getPullSecretsForPod
async fn pull_secrets(
    client: &Client,
    namespace: &str,
    account: &str,
) -> Result<Credentials, Error> {
    let field = "auth.serviceAccountName";
    let object = format!("ServiceAccount {account}");
    let api: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let found = found(field, &object, api.get_opt(account).await)?;
    let mut configs = Vec::new();
    for secret in found.image_pull_secrets.unwrap_or_default() {
        match secret_data(client, namespace, field, &secret.name).await {
            Ok(data) => configs.extend(docker_config(&data)?),
            Err(ReferenceError::MissingObject { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if configs.is_empty() {
        return Err(Error::Reference(ReferenceError::MissingKey {
            field,
            object,
            key: "imagePullSecrets (with a login)".to_owned(),
        }));
    }
    Ok(Credentials::Docker(DockerConfig::join(configs)))
}

/// The certificates of `spec.tls`.
pub(super) async fn tls(
    client: &Client,
    namespace: &str,
    spec: &HelmReleaseSpec,
) -> Result<Option<TlsMaterial>, Error> {
    let Some(tls) = &spec.tls else {
        return Ok(None);
    };
    let mut data = match &tls.secret_ref {
        Some(SecretName { name }) => secret_data(client, namespace, "tls.secretRef", name).await?,
        None => BTreeMap::new(),
    };
    Ok(Some(TlsMaterial {
        ca: data.remove("ca.crt"),
        certificate: data.remove("tls.crt"),
        key: data.remove("tls.key"),
        server_name: tls.server_name.clone(),
        ..TlsMaterial::default()
    }))
}

/// The way that `spec.proxy` says.
pub(super) async fn route(
    client: &Client,
    namespace: &str,
    spec: &HelmReleaseSpec,
) -> Result<Route, Error> {
    let Some(reference) = &spec.proxy else {
        return Ok(Route::default());
    };
    let name = &reference.secret_ref.name;
    let data = secret_data(client, namespace, "proxy.secretRef", name).await?;
    let text = |key: &str| {
        data.get(key)
            .map(|bytes| String::from_utf8_lossy(bytes).trim_end().to_owned())
    };
    let Some(address) = text("address") else {
        return Err(Error::Reference(ReferenceError::MissingKey {
            field: "proxy.secretRef",
            object: format!("Secret {name}"),
            key: "address".to_owned(),
        }));
    };
    let login = text("username").map(|user| (user, text("password").unwrap_or_default()));
    Ok(Route::Through(ProxyServer::new(&address, login)?))
}

/// Whom `spec.verify` trusts.
///
/// # Errors
/// Where an object that it refers to or a key of it is missing, or holds no keys or no trusted root.
pub async fn trusted(
    client: &Client,
    namespace: &str,
    spec: &HelmReleaseSpec,
) -> Result<Option<Trusted>, Error> {
    let Some(verify) = &spec.verify else {
        return Ok(None);
    };
    let trusted = match (&verify.secret_ref, &verify.trust_root) {
        (Some(secret), None) => keys(client, namespace, verify.provider, &secret.name).await?,
        (None, Some(root)) => {
            let identities = verify.identities.as_deref().unwrap_or_default();
            keyless(client, namespace, root, identities).await?
        }
        // The definition refuses it; whoever has an older one still is trusted with nothing.
        _ => {
            return Err(Error::Reference(ReferenceError::Unreadable {
                field: "verify".to_owned(),
                problem: "it takes exactly one of secretRef and trustRoot".to_owned(),
            }));
        }
    };
    Ok(Some(trusted))
}

/// The public keys of a Secret.
async fn keys(
    client: &Client,
    namespace: &str,
    provider: VerifyProvider,
    name: &str,
) -> Result<Trusted, ReferenceError> {
    const FIELD: &str = "verify.secretRef";
    let data = secret_data(client, namespace, FIELD, name).await?;
    let wanted = |key: &String| provider == VerifyProvider::Pgp || key.ends_with(".pub");
    let mut trusted = match provider {
        VerifyProvider::Cosign => Trusted::Cosign(Vec::new()),
        VerifyProvider::Pgp => Trusted::Pgp(Keyring::default()),
    };
    let mut is_empty = true;
    for (key, bytes) in data.iter().filter(|(key, _)| wanted(key)) {
        is_empty = false;
        trusted
            .add(bytes)
            .map_err(|error| ReferenceError::Unusable {
                field: FIELD,
                object: format!("Secret {name}"),
                key: key.clone(),
                problem: error.to_string(),
            })?;
    }
    if is_empty {
        return Err(ReferenceError::MissingKey {
            field: FIELD,
            object: format!("Secret {name}"),
            key: match provider {
                VerifyProvider::Cosign => "cosign.pub".to_owned(),
                VerifyProvider::Pgp => "keyring.gpg".to_owned(),
            },
        });
    }
    Ok(trusted)
}

/// The authorities and logs of a trusted root, and the identities that are trusted.
async fn keyless(
    client: &Client,
    namespace: &str,
    root: &TrustRoot,
    identities: &[SignerIdentity],
) -> Result<Trusted, ReferenceError> {
    let (field, object, key, mut data) = match (&root.secret_ref, &root.config_map_ref) {
        (Some(TrustRootKey { name, key }), None) => {
            let field = "verify.trustRoot.secretRef";
            let data = secret_data(client, namespace, field, name).await?;
            (field, format!("Secret {name}"), key, data)
        }
        (None, Some(TrustRootKey { name, key })) => {
            let field = "verify.trustRoot.configMapRef";
            let data = config_map_data(client, namespace, field, name).await?;
            (field, format!("ConfigMap {name}"), key, data)
        }
        _ => {
            return Err(ReferenceError::Unreadable {
                field: "verify.trustRoot".to_owned(),
                problem: "it takes exactly one of secretRef and configMapRef".to_owned(),
            });
        }
    };
    let identities = identities.iter().enumerate();
    let identities = identities.map(|(at, identity)| {
        let name = |exactly: &Option<String>, like: &Option<String>, field: &str| {
            let named = match (exactly, like) {
                (Some(exactly), None) => Ok(Name::Exactly(exactly.clone())),
                (None, Some(like)) => Name::like(like),
                _ => Err("it takes exactly one of a name and an expression".to_owned()),
            };
            named.map_err(|problem| ReferenceError::Unreadable {
                field: format!("verify.identities[{at}].{field}"),
                problem,
            })
        };
        Ok(Identity {
            issuer: name(&identity.issuer, &identity.issuer_reg_exp, "issuer")?,
            subject: name(&identity.subject, &identity.subject_reg_exp, "subject")?,
        })
    });
    let identities = identities.collect::<Result<Vec<_>, ReferenceError>>()?;
    let Some(text) = data.remove(key) else {
        let key = key.clone();
        return Err(ReferenceError::MissingKey { field, object, key });
    };
    match Keyless::new(&text, identities) {
        Ok(keyless) => Ok(Trusted::Keyless(Arc::new(keyless))),
        Err(error) => Err(ReferenceError::Unusable {
            field,
            object,
            key: key.clone(),
            problem: error.to_string(),
        }),
    }
}

async fn secret_data(
    client: &Client,
    namespace: &str,
    field: &'static str,
    name: &str,
) -> Result<BTreeMap<String, Vec<u8>>, ReferenceError> {
    let object = format!("Secret {name}");
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let secret = found(field, &object, api.get_opt(name).await)?;
    Ok(secret
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, bytes)| (key, bytes.0))
        .collect())
}

async fn config_map_data(
    client: &Client,
    namespace: &str,
    field: &'static str,
    name: &str,
) -> Result<BTreeMap<String, Vec<u8>>, ReferenceError> {
    let object = format!("ConfigMap {name}");
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let map = found(field, &object, api.get_opt(name).await)?;
    let texts = map
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, text)| (key, text.into_bytes()));
    let bytes = map
        .binary_data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, bytes)| (key, bytes.0));
    Ok(texts.chain(bytes).collect())
}

fn found<K>(
    field: &'static str,
    object: &str,
    answer: Result<Option<K>, kube::Error>,
) -> Result<K, ReferenceError> {
    let object = object.to_owned();
    match answer {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(ReferenceError::MissingObject { field, object }),
        Err(source) => Err(ReferenceError::Unavailable {
            field,
            object,
            source: Box::new(source),
        }),
    }
}
