//! Classes of characters: Go's Perl, POSIX and Unicode ones.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange, HirKind};

/// A class of these ranges.
pub(super) fn of(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(
        ranges
            .iter()
            .map(|&(low, high)| ClassUnicodeRange::new(low, high)),
    )
}

/// With every character, all that differ from it by case only.
pub(super) fn folded(mut class: ClassUnicode, fold: bool) -> ClassUnicode {
    if fold {
        class.case_fold_simple();
    }
    class
}

/// Everything else.
pub(super) fn negated(mut class: ClassUnicode, negate: bool) -> ClassUnicode {
    if negate {
        class.negate();
    }
    class
}

/// `\d`, `\S` and their kin, by their letter: ASCII, all of them.
pub(super) fn perl(letter: u8) -> Option<(ClassUnicode, bool)> {
    let ranges: &[(char, char)] = match letter.to_ascii_lowercase() {
        b'd' => &[('0', '9')],
        b's' => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
        b'w' => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        _ => return None,
    };
    Some((of(ranges), letter.is_ascii_uppercase()))
}

/// `[:alpha:]`, `[:^space:]` and their kin, by the name between the colons.
// regexp/syntax: perl_groups.go posixGroup
pub(super) fn posix(name: &[u8]) -> Option<(ClassUnicode, bool)> {
    let (name, negate) = match name.strip_prefix(b"^") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let ranges: &[(char, char)] = match name {
        b"alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        b"alpha" => &[('A', 'Z'), ('a', 'z')],
        b"ascii" => &[('\0', '\x7f')],
        b"blank" => &[('\t', '\t'), (' ', ' ')],
        b"cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        b"digit" => &[('0', '9')],
        b"graph" => &[('!', '~')],
        b"lower" => &[('a', 'z')],
        b"print" => &[(' ', '~')],
        b"punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        b"space" => &[('\t', '\r'), (' ', ' ')],
        b"upper" => &[('A', 'Z')],
        b"word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        b"xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    Some((of(ranges), negate))
}

/// `\p{Name}`: a category under its short or its long name, or a script whose name is one word
/// (Go looks the others up under names that its tables do not have).
// regexp/syntax: parse.go unicodeTable
pub(super) fn unicode(name: &str) -> Option<ClassUnicode> {
    let plain: String = name
        .chars()
        .filter(|mark| !matches!(mark, '_' | '-' | ' '))
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    match plain.as_str() {
        "any" => return Some(of(&[('\0', char::MAX)])),
        "ascii" => return Some(of(&[('\0', '\x7f')])),
        "assigned" => return property("gc=Cn").map(|class| negated(class, true)),
        // Surrogates are no characters, so that nothing can match.
        "cs" | "surrogate" => return Some(of(&[])),
        _ => {}
    }
    let is = |names: &[&str]| names.contains(&plain.as_str());
    if is(CATEGORIES) {
        return property(&format!("gc={plain}"));
    }
    is(SCRIPTS).then(|| property(&format!("sc={plain}")))?
}

fn property(query: &str) -> Option<ClassUnicode> {
    match regex_syntax::parse(&format!("\\p{{{query}}}"))
        .ok()?
        .into_kind()
    {
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => Some(class),
        _ => None,
    }
}

#[rustfmt::skip]
const CATEGORIES: &[&str] = &[
    "c", "cc", "cf", "cn", "co", "l", "lc", "ll", "lm", "lo", "lt", "lu", "m", "mc", "me", "mn", "n", "nd", "nl", "no",
    "p", "pc", "pd", "pe", "pf", "pi", "po", "ps", "s", "sc", "sk", "sm", "so", "z", "zl", "zp", "zs",
    "casedletter", "closepunctuation", "cntrl", "combiningmark", "connectorpunctuation", "control", "currencysymbol",
    "dashpunctuation", "decimalnumber", "digit", "enclosingmark", "finalpunctuation", "format", "initialpunctuation",
    "letter", "letternumber", "lineseparator", "lowercaseletter", "mark", "mathsymbol", "modifierletter",
    "modifiersymbol", "nonspacingmark", "number", "openpunctuation", "other", "otherletter", "othernumber",
    "otherpunctuation", "othersymbol", "paragraphseparator", "privateuse", "punct", "punctuation", "separator",
    "spaceseparator", "spacingmark", "symbol", "titlecaseletter", "unassigned", "uppercaseletter",
];

#[rustfmt::skip]
const SCRIPTS: &[&str] = &[
    "adlam", "ahom", "arabic", "armenian", "avestan", "balinese", "bamum", "batak", "bengali", "bhaiksuki",
    "bopomofo", "brahmi", "braille", "buginese", "buhid", "carian", "chakma", "cham", "cherokee", "chorasmian",
    "common", "coptic", "cuneiform", "cypriot", "cyrillic", "deseret", "devanagari", "dogra", "duployan",
    "elbasan", "elymaic", "ethiopic", "georgian", "glagolitic", "gothic", "grantha", "greek", "gujarati",
    "gurmukhi", "han", "hangul", "hanunoo", "hatran", "hebrew", "hiragana", "inherited", "javanese", "kaithi",
    "kannada", "katakana", "kawi", "kharoshthi", "khmer", "khojki", "khudawadi", "lao", "latin", "lepcha",
    "limbu", "lisu", "lycian", "lydian", "mahajani", "makasar", "malayalam", "mandaic", "manichaean", "marchen",
    "medefaidrin", "miao", "modi", "mongolian", "mro", "multani", "myanmar", "nabataean", "nandinagari", "newa",
    "nko", "nushu", "ogham", "oriya", "osage", "osmanya", "palmyrene", "phoenician", "rejang", "runic",
    "samaritan", "saurashtra", "sharada", "shavian", "siddham", "sinhala", "sogdian", "soyombo", "sundanese",
    "syriac", "tagalog", "tagbanwa", "takri", "tamil", "tangsa", "tangut", "telugu", "thaana", "thai", "tibetan",
    "tifinagh", "tirhuta", "toto", "ugaritic", "vai", "vithkuqi", "wancho", "yezidi", "yi",
];
