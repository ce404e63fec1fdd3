//! The clouds' exchanges against stand-ins of their endpoints.

use std::io::Write as _;

use serde_json::json;
use tempfile::NamedTempFile;
use url::Url;

use super::super::cloud::Clouds;
use super::super::http::Http;
use super::super::{
    AwsIdentity, AwsProof, AzureIdentity, Cloud, Credentials, Error, GoogleIdentity, Identities,
    Limits, Retries, Timeouts,
};
use super::server::{Reply, Server};
use super::shop;

const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

fn token(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{text}").unwrap();
    file
}

fn url(server: &Server) -> Url {
    server.url("/").parse().unwrap()
}

/// The `Authorization` that a registry at this host would be shown, or sent on to its token server.
async fn login(clouds: &Clouds, cloud: Cloud, host: &str) -> Result<Option<String>, Error> {
    let http = Http::new(Timeouts::default(), &Limits::default(), Retries::default());
    let mut chart = shop(&format!("oci://{host}/charts"));
    chart.insecure = false;
    chart.credentials = Some(Credentials::Cloud(cloud));
    let chart = clouds.resolve(&http, &chart).await?;
    let credentials = chart.credentials.unwrap();
    assert!(credentials.login("other.example.com", "x").is_none());
    let parts = credentials.parts().join(" ");
    Ok(credentials.login(host, "charts/shop").map(|_| parts))
}

fn aws(proof: AwsProof, server: &Server) -> Clouds {
    Clouds::new(Identities {
        aws: Some(AwsIdentity {
            proof,
            token_service: Some(url(server)),
            registry_service: Some(url(server)),
        }),
        ..Identities::default()
    })
}

fn amazon() -> Server {
    Server::start(|request| {
        if request.path.starts_with("/agent") {
            let known = request.authorization() == Some("pod-token");
            let keys = json!({"AccessKeyId": "ASIA1", "SecretAccessKey": "secret", "Token": "session", "Expiration": "2030-01-01T00:00:00Z"});
            return if known {
                Reply::ok(keys.to_string())
            } else {
                Reply::new(403, "")
            };
        }
        if request.body.contains("AssumeRoleWithWebIdentity") {
            assert!(
                request.body.contains("WebIdentityToken=pod-token"),
                "{}",
                request.body
            );
            assert!(
                request
                    .body
                    .contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fpintle")
            );
            return Reply::ok(
                "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
                 <SessionToken>session</SessionToken><SecretAccessKey>secret</SecretAccessKey>\
                 <Expiration>2030-01-01T00:00:00Z</Expiration><AccessKeyId>ASIA1</AccessKeyId>\
                 </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
            );
        }
        let signed = request.authorization().unwrap_or_default();
        let well = signed.starts_with("AWS4-HMAC-SHA256 Credential=ASIA1/")
            && signed.contains("/eu-west-1/ecr/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=")
            && request.header("x-amz-security-token") == Some("session")
            && request.header("content-type") == Some("application/x-amz-json-1.1");
        // "AWS:password"
        let tokens = json!({"authorizationData": [{"authorizationToken": "QVdTOnBhc3N3b3Jk", "expiresAt": 1.9e9, "proxyEndpoint": "https://x"}]});
        if well {
            Reply::ok(tokens.to_string())
        } else {
            Reply::new(403, "")
        }
    })
}

#[tokio::test]
async fn amazons_registry_takes_a_role_or_a_pods_identity() {
    let server = amazon();
    let file = token("pod-token");
    for proof in [
        AwsProof::Role {
            arn: "arn:aws:iam::1:role/pintle".to_owned(),
            token_file: file.path().to_owned(),
        },
        AwsProof::Agent {
            url: server.url("/agent").parse().unwrap(),
            token_file: file.path().to_owned(),
        },
    ] {
        let clouds = aws(proof, &server);
        let before = server.seen().len();
        for _ in 0..3 {
            let login = login(&clouds, Cloud::Aws, ECR).await.unwrap().unwrap();
            assert!(login.ends_with("basic AWS password"), "{login}");
        }
        assert_eq!(server.seen().len(), before + 2, "a login is lent once");
    }
}

#[tokio::test]
async fn googles_registry_takes_the_metadata_servers_token() {
    let server = Server::start(|request| {
        let asked = request.header("metadata-flavor") == Some("Google")
            && request.path == "/computeMetadata/v1/instance/service-accounts/default/token";
        let token = json!({"access_token": "ya29", "expires_in": 3599, "token_type": "Bearer"});
        if asked {
            Reply::ok(token.to_string())
        } else {
            Reply::new(403, "")
        }
    });
    let clouds = Clouds::new(Identities {
        google: Some(GoogleIdentity {
            metadata: url(&server),
        }),
        ..Identities::default()
    });
    let host = "europe-docker.pkg.dev";
    let login = login(&clouds, Cloud::Google, host).await.unwrap().unwrap();
    assert!(login.ends_with("basic oauth2accesstoken ya29"), "{login}");
}

#[tokio::test]
async fn microsofts_registry_takes_a_refresh_token() {
    let server = Server::start(|request| match request.path.as_str() {
        "/tenant/oauth2/v2.0/token" => {
            let asked = request.body.contains("client_assertion=pod-token")
                && request.body.contains("client_id=client")
                && request.body.contains("grant_type=client_credentials");
            assert!(asked, "{}", request.body);
            Reply::ok(json!({"access_token": "entra", "expires_in": 3600}).to_string())
        }
        "/" => {
            let asked =
                "grant_type=access_token&service=team.azurecr.io&tenant=tenant&access_token=entra";
            assert_eq!(request.body, asked);
            Reply::ok(json!({"refresh_token": "refresh"}).to_string())
        }
        _ => Reply::new(404, ""),
    });
    let file = token("pod-token");
    let clouds = Clouds::new(Identities {
        azure: Some(AzureIdentity {
            tenant: "tenant".to_owned(),
            client: "client".to_owned(),
            token_file: file.path().to_owned(),
            authority: url(&server),
            exchange: Some(url(&server)),
        }),
        ..Identities::default()
    });
    let host = "team.azurecr.io";
    let login = login(&clouds, Cloud::Azure, host).await.unwrap().unwrap();
    assert!(login.ends_with("refresh refresh"), "{login}");
}

#[tokio::test]
async fn what_goes_wrong_is_named_and_no_secret_is_shown() {
    let hidden = Server::start(|_| Reply::ok("{\"hidden\": \"hidden\"}"));
    let refusing = Server::start(|_| Reply::new(403, "hidden"));
    let away = Server::start(|_| Reply::redirect("https://evil.example.com/"));
    let file = token("hidden");
    let proof = || AwsProof::Role {
        arn: "arn".to_owned(),
        token_file: file.path().to_owned(),
    };
    for (server, expected) in [
        (&hidden, "Malformed"),
        (&refusing, "Unauthorized"),
        (&away, "Redirect"),
    ] {
        let error = login(&aws(proof(), server), Cloud::Aws, ECR)
            .await
            .unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{error:?}");
        assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
    }
    // A registry of somebody else is given nothing, and a cloud without identity lends nothing.
    let before = hidden.seen().len();
    for (cloud, host) in [
        (Cloud::Aws, "evil.example.com"),
        (Cloud::Google, "gcr.io"),
        (Cloud::Azure, "team.azurecr.io"),
    ] {
        let error = login(&aws(proof(), &hidden), cloud, host)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::InvalidCredentials { .. }), "{error}");
    }
    assert_eq!(hidden.seen().len(), before);
    let gone = AwsProof::Role {
        arn: "arn".to_owned(),
        token_file: "/nonexistent/token".into(),
    };
    let error = login(&aws(gone, &hidden), Cloud::Aws, ECR)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Start { .. }), "{error}");
}
