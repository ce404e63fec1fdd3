//! The drafts of JSON schema, and how they differ in where schemas are.

use super::address::split;

/// A draft that Helm's schema library knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    Four,
    Six,
    Seven,
    Year2019,
    Year2020,
}

/// A set of drafts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drafts(u8);

impl Drafts {
    /// How many sets there are.
    pub(super) const SETS: usize = 1 << Draft::ALL.len();

    pub(super) fn with(self, draft: Draft) -> Self {
        Self(self.0 | 1 << draft as u8)
    }

    pub(super) fn contains(self, draft: Draft) -> bool {
        self.0 & 1 << draft as u8 != 0
    }

    /// The set's number among all sets.
    pub(super) fn number(self) -> usize {
        usize::from(self.0)
    }
}

/// A step on the way to the schemas below a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// The keyword's value itself.
    Itself,
    /// Every property of the value.
    Properties,
    /// Every item of the value.
    Items,
}

// santhosh-tekuri/jsonschema: draft.go subschemas
const KEYWORDS: &[(Draft, &str, Below)] = &[
    (Draft::Four, "definitions", Below::Properties),
    (Draft::Four, "not", Below::Itself),
    (Draft::Four, "allOf", Below::Items),
    (Draft::Four, "anyOf", Below::Items),
    (Draft::Four, "oneOf", Below::Items),
    (Draft::Four, "properties", Below::Properties),
    (Draft::Four, "additionalProperties", Below::Itself),
    (Draft::Four, "patternProperties", Below::Properties),
    (Draft::Four, "items", Below::Itself),
    (Draft::Four, "items", Below::Items),
    (Draft::Four, "additionalItems", Below::Itself),
    (Draft::Four, "dependencies", Below::Properties),
    (Draft::Six, "propertyNames", Below::Itself),
    (Draft::Six, "contains", Below::Itself),
    (Draft::Seven, "if", Below::Itself),
    (Draft::Seven, "then", Below::Itself),
    (Draft::Seven, "else", Below::Itself),
    (Draft::Year2019, "$defs", Below::Properties),
    (Draft::Year2019, "dependentSchemas", Below::Properties),
    (Draft::Year2019, "unevaluatedProperties", Below::Itself),
    (Draft::Year2019, "unevaluatedItems", Below::Itself),
    (Draft::Year2019, "contentSchema", Below::Itself),
    (Draft::Year2020, "prefixItems", Below::Items),
];

impl Draft {
    /// The draft of a schema that names none.
    pub(super) const LATEST: Self = Self::Year2020;

    pub(super) const ALL: [Self; 5] = [
        Self::Four,
        Self::Six,
        Self::Seven,
        Self::Year2019,
        Self::Year2020,
    ];

    /// The draft that a `$schema` names.
    pub(super) fn named(url: &str) -> Option<Self> {
        let (url, fragment) = split(url);
        if !fragment.is_empty() {
            return None;
        }
        let url = url
            .strip_prefix("http://")
            .or_else(|| url.strip_prefix("https://"))
            .unwrap_or(url);
        match url {
            "json-schema.org/schema" => Some(Self::LATEST),
            "json-schema.org/draft/2020-12/schema" => Some(Self::Year2020),
            "json-schema.org/draft/2019-09/schema" => Some(Self::Year2019),
            "json-schema.org/draft-07/schema" => Some(Self::Seven),
            "json-schema.org/draft-06/schema" => Some(Self::Six),
            "json-schema.org/draft-04/schema" => Some(Self::Four),
            _ => None,
        }
    }

    /// Where the draft's own schema is.
    pub(super) fn url(self) -> &'static str {
        match self {
            Self::Four => "http://json-schema.org/draft-04/schema",
            Self::Six => "http://json-schema.org/draft-06/schema",
            Self::Seven => "http://json-schema.org/draft-07/schema",
            Self::Year2019 => "https://json-schema.org/draft/2019-09/schema",
            Self::Year2020 => "https://json-schema.org/draft/2020-12/schema",
        }
    }

    /// The keyword that names a schema.
    pub(super) fn id_keyword(self) -> &'static str {
        if self == Self::Four { "id" } else { "$id" }
    }

    /// Where schemas are within a schema.
    pub(super) fn keywords(self) -> impl Iterator<Item = (&'static str, Below)> {
        KEYWORDS
            .iter()
            .filter(move |(since, ..)| *since <= self)
            .map(|(_, keyword, below)| (*keyword, *below))
    }
}
