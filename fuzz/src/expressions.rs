//! Templates out of a grammar: statements around calls of every function.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use pintle::sprig::{self, Environment};
use pintle::template::{Type, quote};
use serde_json::{Map, Value, json};

/// The types of a function's arguments, and that of those which can be repeated.
type Signature = (Vec<Kind>, Option<Kind>);

/// What an argument is to be.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Any,
    Bool,
    Int,
    Float,
    Text,
    List,
    Map,
}

/// Go's own functions and Helm's, whose signatures are not to be had from the library.
const OTHERS: &[(&str, &str)] = &[
    ("and", "aa*"),
    ("or", "aa*"),
    ("not", "a"),
    ("eq", "aaa*"),
    ("ne", "aa"),
    ("lt", "aa"),
    ("le", "aa"),
    ("gt", "aa"),
    ("ge", "aa"),
    ("index", "aa*"),
    ("slice", "aii*"),
    ("len", "a"),
    ("print", "a*"),
    ("printf", "sa*"),
    ("println", "a*"),
    ("html", "a*"),
    ("js", "a*"),
    ("urlquery", "a*"),
    ("call", "aa*"),
    ("include", "sa"),
    ("tpl", "sa"),
    ("required", "sa"),
    ("lookup", "ssss"),
    ("toYaml", "a"),
    ("toYamlPretty", "a"),
    ("mustToYaml", "a"),
    ("fromYaml", "s"),
    ("fromYamlArray", "s"),
    ("toJson", "a"),
    ("mustToJson", "a"),
    ("fromJson", "s"),
    ("fromJsonArray", "s"),
    ("toToml", "a"),
    ("mustToToml", "a"),
    ("fromToml", "s"),
    ("mustToDuration", "a"),
    ("durationSeconds", "a"),
    ("durationMilliseconds", "a"),
    ("durationMicroseconds", "a"),
    ("durationNanoseconds", "a"),
    ("durationMinutes", "a"),
    ("durationHours", "a"),
    ("durationDays", "a"),
    ("durationWeeks", "a"),
    ("durationRoundTo", "aa"),
    ("durationTruncateTo", "aa"),
];

/// Every function by its name.
static FUNCTIONS: LazyLock<Vec<(String, Signature)>> = LazyLock::new(|| {
    let environment = Rc::new(Environment {
        now: Box::new(|| jiff::Timestamp::UNIX_EPOCH),
        time_zone: jiff::tz::TimeZone::UTC,
        random: RefCell::new(Box::new(|_| {})),
        keyed: None,
        resolve_host: None,
    });
    let sprigs = sprig::functions(&environment)
        .into_iter()
        .map(|(name, function)| {
            let fixed = function.parameters.iter().map(kind).collect();
            (
                name.to_owned(),
                (fixed, function.variadic.as_ref().map(kind)),
            )
        });
    let others = OTHERS.iter().map(|(name, letters)| {
        let repeated = letters.ends_with('*');
        let mut kinds: Vec<Kind> = letters.trim_end_matches('*').chars().map(letter).collect();
        let last = if repeated { kinds.pop() } else { None };
        ((*name).to_owned(), (kinds, last))
    });
    sprigs.chain(others).collect()
});

fn kind(of: &Type) -> Kind {
    match of {
        Type::Bool => Kind::Bool,
        Type::Int(_) | Type::Uint(_) => Kind::Int,
        Type::Float(_) => Kind::Float,
        Type::String => Kind::Text,
        Type::Any => Kind::Any,
        other if *other == Type::ANY_SLICE => Kind::List,
        other if *other == Type::ANY_MAP => Kind::Map,
        _ => Kind::Any,
    }
}

fn letter(letter: char) -> Kind {
    match letter {
        's' => Kind::Text,
        'i' => Kind::Int,
        _ => Kind::Any,
    }
}

/// What the templates find under `.Values`.
pub fn values() -> Map<String, Value> {
    let Value::Object(values) = json!({
        "s": "text", "e": "", "n": null, "t": true, "i": 7, "f": 1.5, "big": 1e300, "neg": -3,
        "l": ["b", "a", 3, null, {"k": "v"}, ["x"]], "o": [], "q": ["z", "y", "x"],
        "m": {"a": 1, "b": {"c": "d", "l": [1, 2]}, "z": null}, "d": {},
        "y": "a: 1\nb: [x, {c: d}]\n", "j": "{\"a\": [1, null]}", "tpl": "{{ .Values.s }}",
        "u": "https://u:p@h:80/p?q=1#f", "date": "2026-03-04T05:06:07Z", "v": "1.2.3-rc.1+m",
    }) else {
        unreachable!("an object was written down")
    };
    values
}

const FIELDS: &[&str] = &[
    "s", "e", "n", "t", "i", "f", "big", "neg", "l", "o", "q", "m", "d", "y", "j", "tpl", "u",
    "date", "v", "m.b", "m.b.c", "m.b.l", "m.z", "missing",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "text",
    " a b  c ",
    "a-b_c.d",
    "camelCaseText",
    "é€😀",
    "a\nb\n",
    "0",
    "7",
    "-1",
    "1.5",
    "0x1f",
    "1e3",
    "true",
    "a,b,c",
    "%s %d %v",
    "%[2]*.[1]*f",
    "%q %x %T",
    "(a+)(b|c)*$",
    "[[:alpha:]]+",
    "${1}x$2",
    "2006-01-02",
    "Mon Jan _2 15:04:05.000 MST 2006",
    "2026-03-04",
    "1h30m",
    "-2.5s",
    "0s",
    "America/New_York",
    "Local",
    "^1.2.0 || >=3 <4-0",
    "~1",
    "v1.2",
    "sha256:",
    "aGk=",
    "NBUQ====",
    "/a/../b/./c.tar.gz",
    "..",
    "{{ . }}",
    "{{ include \"h\" . }}",
    "h",
    "a: b",
    "- 1",
    "{\"a\":1}",
    "[x]",
    "a = 1\n[b]\nc = [1, 2]",
    "map",
    "string",
    "int64",
    "rsa",
    "100Mi",
    "\u{0}\u{7f}\u{85}",
];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "-1",
    "3",
    "10",
    "64",
    "1000",
    "'a'",
    "0x7f",
    "100000",
    "-9223372036854775808",
    "9223372036854775807",
    "1e6",
    "4294967296",
];

const FLOATS: &[&str] = &["0.0", "1.5", "-0.5", "1e21", "1e-7", "2.0", "1e308", "0.1"];

/// A template of some statements.
pub fn template(u: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::from("{{ define \"h\" }}[{{ . }}]{{ end }}");
    for _ in 0..u.int_in_range(1..=3)? {
        statement(u, &mut text, 2)?;
    }
    Ok(text)
}

fn statement(u: &mut Unstructured<'_>, text: &mut String, depth: u32) -> Result<()> {
    let head = |keyword: &str, expression: &str| format!("{{{{ {keyword}{expression} }}}}");
    let value = expression(u, Kind::Any, 3)?;
    let keyword = match u.int_in_range(0..=9)? {
        0 if depth > 0 => "if ",
        1 if depth > 0 => "with ",
        2 if depth > 0 => "range ",
        3 if depth > 0 => "range $k, $x := ",
        4 => "$x := ",
        _ => "",
    };
    text.push_str(&head(keyword, &value));
    if !matches!(keyword, "" | "$x := ") {
        statement(u, text, depth - 1)?;
        text.push_str("{{ . }}{{ else }}-{{ end }}");
    }
    if keyword == "$x := " {
        text.push_str("{{ $x }}{{ kindOf $x }}{{ $x | toJson }}");
    }
    Ok(())
}

/// An expression that gives something of a kind, mostly.
fn expression(u: &mut Unstructured<'_>, kind: Kind, depth: u32) -> Result<String> {
    if u.ratio(1, 24)? {
        return Ok(format!(".Values.{}", u.choose(FIELDS)?));
    }
    if depth == 0 || u.ratio(1, 3)? {
        return simple(u, kind);
    }
    let mut text = call(u, depth, 0)?;
    if u.ratio(1, 5)? {
        text.push_str(" | ");
        text.push_str(&call(u, depth, 1)?);
    }
    Ok(match depth {
        3 => text,
        _ => format!("({text})"),
    })
}

/// A call, of which so many arguments come through a pipe.
fn call(u: &mut Unstructured<'_>, depth: u32, piped: usize) -> Result<String> {
    let (name, (fixed, repeated)) = u.choose(&FUNCTIONS)?;
    let mut kinds = fixed.clone();
    if let Some(kind) = repeated {
        kinds.extend(std::iter::repeat_n(*kind, u.int_in_range(0..=3)?));
    }
    kinds.truncate(kinds.len().saturating_sub(piped));
    if u.ratio(1, 40)? {
        kinds.push(Kind::Any);
    }
    let mut text = name.clone();
    for kind in kinds {
        text.push(' ');
        text.push_str(&expression(u, kind, depth - 1)?);
    }
    Ok(text)
}

fn simple(u: &mut Unstructured<'_>, kind: Kind) -> Result<String> {
    let kind = match kind {
        Kind::Any => *u.choose(&[
            Kind::Bool,
            Kind::Int,
            Kind::Float,
            Kind::Text,
            Kind::Text,
            Kind::List,
            Kind::Map,
            Kind::Any,
        ])?,
        kind => kind,
    };
    let one =
        |u: &mut Unstructured<'_>, from: &[&str]| u.choose(from).map(|text| (*text).to_owned());
    match kind {
        Kind::Bool => one(u, &["true", "false", ".Values.t", "(empty .Values.e)"]),
        Kind::Int if u.ratio(1, 8)? => Ok(u.arbitrary::<i64>()?.to_string()),
        Kind::Int => one(u, NUMBERS),
        Kind::Float => one(u, FLOATS),
        Kind::Text if u.ratio(1, 6)? => {
            let bytes: &[u8] = u.arbitrary()?;
            Ok(String::from_utf8_lossy(&quote::quote(bytes)).into_owned())
        }
        Kind::Text => {
            let text = *u.choose(TEXTS)?;
            Ok(String::from_utf8_lossy(&quote::quote(text.as_bytes())).into_owned())
        }
        Kind::List => one(
            u,
            &[
                ".Values.l",
                ".Values.o",
                ".Values.q",
                "(list 3 1 2)",
                "(list)",
                "(tuple \"a\" nil)",
            ],
        ),
        Kind::Map => one(
            u,
            &[
                ".Values.m",
                ".Values.d",
                "(dict \"a\" 1 \"b\" (list 1))",
                "(dict)",
                ".Values",
                "$",
                ".Chart",
            ],
        ),
        Kind::Any => one(
            u,
            &[
                "nil",
                ".",
                "$",
                ".Values.n",
                ".Values.missing",
                ".Files",
                ".Release",
                ".Capabilities",
                "now",
                "(semver .Values.v)",
                "(toDate \"2006\" \"2026\")",
            ],
        ),
    }
}
