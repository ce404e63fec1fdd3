//! What a server asks for with `WWW-Authenticate` (RFC 9110, 11.6.1).

/// One of the two ways to log in that registries know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

impl Challenge {
    /// The best challenge of all header values: a token before a password.
    pub(super) fn choose<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut basic = None;
        for (scheme, parameters) in headers.flat_map(parse) {
            let find = |name: &str| {
                parameters
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.clone())
            };
            if scheme == "bearer"
                && let Some(realm) = find("realm")
            {
                return Some(Self::Bearer {
                    realm,
                    service: find("service"),
                    scope: find("scope"),
                });
            }
            if scheme == "basic" {
                basic = Some(Self::Basic);
            }
        }
        basic
    }
}

type Parsed = (String, Vec<(String, String)>);

/// Schemes and parameter names in lower case; ends at the first thing that is not a challenge.
fn parse(header: &str) -> Vec<Parsed> {
    let mut challenges: Vec<Parsed> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        if word.is_empty() {
            return challenges;
        }
        let word = word.to_ascii_lowercase();
        let value = after
            .trim_start_matches([' ', '\t'])
            .strip_prefix('=')
            .and_then(value);
        match (value, challenges.last_mut()) {
            (Some((value, after)), Some((_, parameters))) => {
                parameters.push((word, value));
                rest = after;
            }
            (Some(_), None) => return challenges,
            (None, _) => {
                challenges.push((word, Vec::new()));
                rest = after;
            }
        }
    }
}

fn value(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, rest) = token(text);
        return (!word.is_empty()).then(|| (word.to_owned(), rest));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

fn token(text: &str) -> (&str, &str) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split_at(text.find(|c| !is_token(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer {
            realm: realm.into(),
            service: service.map(Into::into),
            scope: scope.map(Into::into),
        })
    }

    #[test]
    fn reads_what_registries_send() {
        let choose = |header: &str| Challenge::choose([header].into_iter());
        assert_eq!(
            choose(
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#
            ),
            bearer(
                "https://auth.docker.io/token",
                Some("registry.docker.io"),
                Some("repository:a/b:pull,push")
            )
        );
        assert_eq!(choose(r#"Basic realm="harbor""#), Some(Challenge::Basic));
        assert_eq!(
            choose(r#"BASIC realm=x, bearer Realm = "t\"t" , scope=s"#),
            bearer("t\"t", None, Some("s"))
        );
        assert_eq!(choose("Negotiate, Basic"), Some(Challenge::Basic));
        assert_eq!(
            Challenge::choose([r#"Basic realm="a""#, r#"Bearer realm="b""#].into_iter()),
            bearer("b", None, None)
        );
    }

    #[test]
    fn survives_what_is_none() {
        for header in [
            "",
            "=",
            "Bearer",
            "Bearer realm",
            "Bearer realm=",
            "Bearer realm=\"open",
            "\"",
            ",,,",
            "Negotiate abc==",
        ] {
            assert_eq!(Challenge::choose([header].into_iter()), None, "{header}");
        }
    }
}
