//! How flags are listed in a command's help.

use super::{Flag, Flags, Place};

impl<T> Flags<T> {
    /// The command's own flags, or those of the whole program, a line each, by name.
    // pflag: flag.go FlagUsages
    pub(crate) fn listing(&self, inherited: bool, defaults: &mut T) -> String {
        let shown = |flag: &&Flag<T>| !flag.hidden && flag.inherited == inherited;
        let mut flags: Vec<&Flag<T>> = self.table.iter().filter(shown).collect();
        flags.sort_by_key(|flag| flag.name);
        let lines: Vec<(String, String)> = flags
            .into_iter()
            .map(|flag| (flag.head(), flag.explanation(defaults)))
            .collect();
        let width = lines.iter().map(|(head, _)| head.len()).max().unwrap_or(0);
        let line = |(head, text): &(String, String)| format!("{head:width$}   {text}\n");
        lines.iter().map(line).collect()
    }
}

impl<T> Flag<T> {
    fn head(&self) -> String {
        let mut head = match self.shorthand {
            Some(letter) => format!("  -{}, --{}", char::from(letter), self.name),
            None => format!("      --{}", self.name),
        };
        let kind = match &self.place {
            Place::Bool(_) => "",
            Place::Text(_) => "string",
            Place::Texts(_) => "stringArray",
            Place::List(_) => "strings",
            Place::Pairs(_) => "stringToString",
            Place::Integer(_) => "int",
            Place::Number(_) => "float32",
            Place::Other { kind, .. } => kind,
        };
        if !kind.is_empty() {
            head.push(' ');
            head.push_str(kind);
        }
        match (kind, self.bare) {
            ("", _) | (_, None) => {}
            ("string", Some(value)) => head.push_str(&format!("[=\"{value}\"]")),
            (_, Some(value)) => head.push_str(&format!("[={value}]")),
        }
        head
    }

    fn explanation(&self, defaults: &mut T) -> String {
        let default = match &self.place {
            Place::Bool(place) if *place(defaults) => "true".to_owned(),
            Place::Text(place) if !place(defaults).is_empty() => format!("{:?}", place(defaults)),
            Place::Integer(place) if *place(defaults) != 0 => place(defaults).to_string(),
            Place::Number(place) if *place(defaults) != 0.0 => place(defaults).to_string(),
            Place::Other { default, .. } => (*default).to_owned(),
            _ => String::new(),
        };
        if default.is_empty() {
            self.usage.to_owned()
        } else {
            format!("{} (default {default})", self.usage)
        }
    }
}
