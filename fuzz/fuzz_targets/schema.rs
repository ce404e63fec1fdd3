//! Schemas out of a grammar, and values held against them: it ends, and says twice the same.
#![no_main]

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use pintle::chart::{Chart, schema};
use pintle_fuzz::{file, json, object};
use serde_json::{Map, Value};

#[derive(Debug)]
struct Case {
    schema: Value,
    values: Map<String, Value>,
}

const KEYWORDS: &[&str] = &[
    "$schema",
    "$id",
    "id",
    "$ref",
    "$defs",
    "definitions",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "$recursiveAnchor",
    "$vocabulary",
    "type",
    "enum",
    "const",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "items",
    "additionalItems",
    "prefixItems",
    "unevaluatedItems",
    "maxItems",
    "minItems",
    "uniqueItems",
    "contains",
    "maxContains",
    "minContains",
    "maxProperties",
    "minProperties",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "dependencies",
    "dependentSchemas",
    "dependentRequired",
    "propertyNames",
    "if",
    "then",
    "else",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "format",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "a",
    "b",
    "c",
    "^a",
    "x.*",
];

const WORDS: &[&str] = &[
    "a",
    "b",
    "c",
    "",
    "object",
    "array",
    "string",
    "number",
    "integer",
    "boolean",
    "null",
    "#",
    "#/$defs/a",
    "#/definitions/b",
    "#a",
    "a",
    "#/properties/a",
    "#/allOf/0",
    "other.json",
    "http://x/y#a",
    "urn:x",
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
    "^a+$",
    "[",
    "(a|b)*c",
    "\\p{L}",
    "^.{2,5}$",
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uri-template",
    "iri",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
    "period",
    "semver",
    "base64",
    "application/json",
    "2026-03-04T05:06:07Z",
    "P1DT2H",
    "a@b.c",
    "1.2.3.4",
    "::1",
    "1.5",
    "é",
];

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let values = object(u, &["a", "b", "c", "x1", ""], WORDS, 3)?;
        let schema = match u.ratio(1, 20)? {
            true => json(u, KEYWORDS, WORDS, 2)?,
            false => object(u, KEYWORDS, WORDS, 5)?.into(),
        };
        Ok(Self { schema, values })
    }
}

fuzz_target!(|case: Case| {
    let validate = || {
        let chart = Chart::from_files(vec![
            file("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
            file("values.schema.json", case.schema.to_string()),
        ]);
        let chart = chart.expect("a schema is not read before it is used");
        let mut warnings = Vec::new();
        schema::validate(&chart, (&case.values).into(), &mut warnings)
            .map_err(|error| error.to_string())
    };
    assert_eq!(validate(), validate());
});
