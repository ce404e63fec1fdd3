//! Flags as pflag reads them, for commands that stand in for one of Helm's.
//!
//! In: a table of [`Flag`]s, each of which knows the place of its value in a set of options, and
//! the arguments. Out: the options filled in, what is left over, and what there is to say of
//! deprecated flags; or an [`Error`] in pflag's words. Never: a flag by name here, or a value kept
//! as a text that its place does not want as one.
// pflag: flag.go; cobra: command.go

mod error;
mod help;
mod value;

use std::collections::BTreeSet;

pub(crate) use error::Error;
pub(crate) use value::{Integer, go_bool, go_quoted, integer, integer_of};

/// One flag of a command whose options are `T`.
pub(crate) struct Flag<T> {
    name: &'static str,
    shorthand: Option<u8>,
    place: Place<T>,
    /// The value of the flag where none is given with it.
    // pflag: Flag.NoOptDefVal
    bare: Option<&'static str>,
    deprecated: Option<&'static str>,
    hidden: bool,
    inherited: bool,
    usage: &'static str,
}

/// What kind of value a flag takes, and where it goes.
pub(crate) enum Place<T> {
    /// True or false; bare means true.
    Bool(fn(&mut T) -> &mut bool),
    /// A text.
    Text(fn(&mut T) -> &mut String),
    /// A list of texts, one for each time that the flag is given.
    Texts(fn(&mut T) -> &mut Vec<String>),
    /// A list of texts, several at once where commas divide them.
    List(fn(&mut T) -> &mut Vec<String>),
    /// Pairs of key and value.
    Pairs(fn(&mut T) -> &mut Vec<(String, String)>),
    /// A whole number.
    Integer(fn(&mut T) -> &mut i64),
    /// A number.
    Number(fn(&mut T) -> &mut f32),
    /// Anything else: what reads it, and how help names its kind and its default.
    Other {
        set: fn(&mut T, &str) -> Result<(), String>,
        kind: &'static str,
        default: &'static str,
    },
}

impl<T> Flag<T> {
    pub(crate) fn new(name: &'static str, place: Place<T>, usage: &'static str) -> Self {
        let bare = matches!(place, Place::Bool(_)).then_some("true");
        Self {
            name,
            shorthand: None,
            place,
            bare,
            deprecated: None,
            hidden: false,
            inherited: false,
            usage,
        }
    }

    /// One ASCII letter.
    pub(crate) fn short(mut self, letter: u8) -> Self {
        self.shorthand = Some(letter);
        self
    }

    /// The value of the flag where none is given with it.
    pub(crate) fn bare(mut self, value: &'static str) -> Self {
        self.bare = Some(value);
        self
    }

    /// Hidden, and answered with this advice.
    // pflag: FlagSet.MarkDeprecated
    pub(crate) fn deprecated(mut self, advice: &'static str) -> Self {
        self.deprecated = Some(advice);
        self.hidden()
    }

    /// Not shown in the help.
    pub(crate) fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// A flag of the whole program.
    // cobra: Command.PersistentFlags
    pub(crate) fn inherited(mut self) -> Self {
        self.inherited = true;
        self
    }
}

/// What a command line holds beside flags.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// In their order.
    pub(crate) arguments: Vec<String>,
    /// Lines about deprecated flags, in the order of the flags.
    pub(crate) remarks: Vec<String>,
}

/// All flags of a command, and which of them were given.
pub(crate) struct Flags<T> {
    table: Vec<Flag<T>>,
    changed: BTreeSet<&'static str>,
    help: bool,
}

/// Which flags count, and what becomes of the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// The flags of the whole program; others are passed over as well as may be.
    Inherited,
    /// All, and no others.
    All,
}

impl<T> Flags<T> {
    /// `help` says what `--help` does.
    // cobra: command.go InitDefaultHelpFlag
    pub(crate) fn new(mut table: Vec<Flag<T>>, help: &'static str) -> Self {
        let place = Place::Other {
            set: |_, _| Ok(()),
            kind: "",
            default: "",
        };
        table.push(Flag::new(HELP, place, help).short(b'h').bare("true"));
        Self {
            table,
            changed: BTreeSet::new(),
            help: false,
        }
    }

    /// Reads the flags of the whole program alone, up to the first error, which the other pass
    /// will meet, too. helm: pkg/cmd/root.go does it to know early where to log.
    pub(crate) fn parse_inherited(&mut self, arguments: &[String], options: &mut T) {
        let _ = self.pass(Pass::Inherited, arguments, options);
    }

    /// Reads all flags.
    pub(crate) fn parse(&mut self, arguments: &[String], options: &mut T) -> Result<Parsed, Error> {
        self.pass(Pass::All, arguments, options)
    }

    /// Whether `--help` was given.
    pub(crate) fn help(&self) -> bool {
        self.help
    }

    /// `Err` if more than one flag of a group was given.
    // cobra: flag_groups.go validateExclusiveFlagGroups
    pub(crate) fn exclude(&self, groups: &[&[&'static str]]) -> Result<(), Error> {
        let mut groups: Vec<(String, &[&'static str])> = groups
            .iter()
            .map(|group| (group.join(" "), *group))
            .collect();
        groups.sort();
        for (name, group) in groups {
            let mut given: Vec<&str> = group.to_vec();
            given.retain(|name| self.changed.contains(name));
            given.sort_unstable();
            if given.len() > 1 {
                let given = given.join(" ");
                return Err(Error::Exclusive { group: name, given });
            }
        }
        Ok(())
    }

    /// Takes the command's name out of the whole program's arguments; nothing if they name another
    /// command, or none.
    // cobra: command.go Find
    pub(crate) fn take_command(&self, name: &str, arguments: &[String]) -> Option<Vec<String>> {
        let mut position = 0;
        while let Some(argument) = arguments.get(position) {
            if argument == "--" {
                return None;
            }
            if self.takes_next(argument) {
                position += 2;
            } else if argument.is_empty() || argument.starts_with('-') {
                position += 1;
            } else {
                return (argument == name)
                    .then(|| [&arguments[..position], &arguments[position + 1..]].concat());
            }
        }
        None
    }

    /// Whether the argument is a flag of the whole program whose value is the next argument.
    // cobra: command.go stripFlags
    fn takes_next(&self, argument: &str) -> bool {
        if argument.contains('=') {
            return false;
        }
        let flag = match argument.strip_prefix("--") {
            Some(name) => self.long(Pass::Inherited, name),
            None => match argument.as_bytes() {
                [b'-', letter] => self.short(Pass::Inherited, *letter),
                _ => return false,
            },
        };
        flag.is_none_or(|flag| flag.bare.is_none())
    }

    fn long(&self, pass: Pass, name: &str) -> Option<&Flag<T>> {
        self.table
            .iter()
            .find(|flag| flag.name == name && (pass == Pass::All || flag.inherited))
    }

    fn short(&self, pass: Pass, letter: u8) -> Option<&Flag<T>> {
        self.table
            .iter()
            .find(|flag| flag.shorthand == Some(letter) && (pass == Pass::All || flag.inherited))
    }

    // pflag: flag.go parseArgs
    fn pass(&mut self, pass: Pass, arguments: &[String], options: &mut T) -> Result<Parsed, Error> {
        let mut parsed = Parsed::default();
        let mut rest = arguments;
        while let Some((argument, after)) = rest.split_first() {
            rest = after;
            match argument.as_bytes() {
                [b'-', b'-'] => {
                    parsed.arguments.extend(rest.iter().cloned());
                    break;
                }
                [b'-', b'-', ..] => {
                    rest = self.parse_long(pass, &argument[2..], rest, options, &mut parsed)?;
                }
                [b'-', letters @ ..] if !letters.is_empty() => {
                    rest = self.parse_short(pass, letters, rest, options, &mut parsed)?;
                }
                _ => parsed.arguments.push(argument.clone()),
            }
        }
        Ok(parsed)
    }

    // pflag: flag.go parseLongArg
    fn parse_long<'a>(
        &mut self,
        pass: Pass,
        text: &str,
        rest: &'a [String],
        options: &mut T,
        parsed: &mut Parsed,
    ) -> Result<&'a [String], Error> {
        if text.starts_with(['-', '=']) {
            return Err(Error::Syntax(format!("--{text}")));
        }
        let (name, given) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let Some(flag) = self.long(pass, name) else {
            return match (pass, given) {
                _ if name == "help" => Err(Error::Help),
                (Pass::All, _) => Err(Error::Unknown(name.to_owned())),
                (Pass::Inherited, Some(_)) => Ok(rest),
                (Pass::Inherited, None) => Ok(without_value(rest)),
            };
        };
        let (flag_name, bare) = (flag.name, flag.bare);
        match (given, bare, rest.split_first()) {
            (Some(value), ..) => self.set(flag_name, value, options, parsed)?,
            (None, Some(value), _) => self.set(flag_name, value, options, parsed)?,
            (None, None, Some((value, after))) => {
                self.set(flag_name, value, options, parsed)?;
                return Ok(after);
            }
            (None, None, None) => return Err(Error::Missing(name.to_owned())),
        }
        Ok(rest)
    }

    /// Letters that may be several flags, the last of them with its value behind it.
    // pflag: flag.go parseShortArg, parseSingleShortArg
    fn parse_short<'a>(
        &mut self,
        pass: Pass,
        letters: &[u8],
        rest: &'a [String],
        options: &mut T,
        parsed: &mut Parsed,
    ) -> Result<&'a [String], Error> {
        let (mut letters, mut after) = (letters, rest);
        while let Some((&letter, behind)) = letters.split_first() {
            if letters.starts_with(b"test.") {
                // Go takes these for its own test programs.
                return Ok(rest);
            }
            let shown = || String::from_utf8_lossy(letters).into_owned();
            let given = match behind {
                [b'=', value @ ..] if !value.is_empty() => Some(value),
                _ => None,
            };
            let Some(flag) = self.short(pass, letter) else {
                match pass {
                    _ if letter == b'h' => return Err(Error::Help),
                    Pass::All => {
                        return Err(Error::UnknownLetter {
                            letter,
                            letters: shown(),
                        });
                    }
                    Pass::Inherited if given.is_some() => return Ok(rest),
                    Pass::Inherited => (letters, after) = (behind, without_value(rest)),
                }
                continue;
            };
            let (name, bare) = (flag.name, flag.bare);
            let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
            let value = match (given, bare, behind, rest.split_first()) {
                (Some(value), ..) => text(value),
                (None, Some(value), ..) => {
                    (letters, after) = (behind, rest);
                    self.set(name, value, options, parsed)?;
                    continue;
                }
                (None, None, [_, ..], _) => text(behind),
                (None, None, [], Some((value, next))) => {
                    after = next;
                    value.clone()
                }
                (None, None, [], None) => {
                    return Err(Error::MissingLetter {
                        letter,
                        letters: shown(),
                    });
                }
            };
            self.set(name, &value, options, parsed)?;
            break;
        }
        Ok(after)
    }

    // pflag: flag.go Set
    fn set(
        &mut self,
        name: &'static str,
        value: &str,
        options: &mut T,
        parsed: &mut Parsed,
    ) -> Result<(), Error> {
        if name == HELP {
            self.help = go_bool(value).map_err(|reason| Error::Invalid {
                value: value.to_owned(),
                flag: format!("-h, --{HELP}"),
                reason,
            })?;
            return Ok(());
        }
        let again = self.changed.contains(name);
        let Some(flag) = self.table.iter().find(|flag| flag.name == name) else {
            return Err(Error::Unknown(name.to_owned()));
        };
        flag.place
            .set(options, value, again)
            .map_err(|reason| Error::Invalid {
                value: value.to_owned(),
                flag: flag.shown(),
                reason,
            })?;
        self.changed.insert(name);
        if let Some(advice) = flag.deprecated {
            parsed
                .remarks
                .push(format!("Flag --{name} has been deprecated, {advice}"));
        }
        Ok(())
    }
}

/// The flag that every command has: its value is [`Flags::help`].
const HELP: &str = "help";

impl<T> Flag<T> {
    // pflag: errors.go InvalidValueError
    fn shown(&self) -> String {
        match self.shorthand {
            Some(letter) => format!("-{}, --{}", char::from(letter), self.name),
            None => format!("--{}", self.name),
        }
    }
}

/// What follows an unknown flag, without what may be its value.
// pflag: flag.go stripUnknownFlagValue
fn without_value(rest: &[String]) -> &[String] {
    match rest.split_first() {
        Some((next, after)) if !next.starts_with('-') => after,
        _ => rest,
    }
}
