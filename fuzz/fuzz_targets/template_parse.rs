//! Any text into the template parser: it ends, and what it says points into the text.
#![no_main]

use std::cell::RefCell;
use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use pintle::sprig::{self, Environment};
use pintle::template::{Error, Function, Functions, Template, Templates, Value};

fn functions() -> Functions {
    let environment = Rc::new(Environment {
        now: Box::new(|| jiff::Timestamp::UNIX_EPOCH),
        time_zone: jiff::tz::TimeZone::UTC,
        random: RefCell::new(Box::new(|_| {})),
        keyed: None,
        resolve_host: None,
    });
    let mut functions = Functions::builtin();
    for (name, function) in sprig::functions(&environment) {
        functions.insert(name, function);
    }
    for name in ["include", "tpl", "required", "lookup", "toYaml", "fromYaml"] {
        functions.insert(name, Function::new(|value: Value| value));
    }
    functions
}

fuzz_target!(|text: &[u8]| {
    pintle_fuzz::with_stack(|| {
        let functions = Rc::new(functions());
        let empty = || Templates::new(Rc::clone(&functions)).root("root");
        let mut templates = empty();
        let (mut again, mut elsewhere) = (templates.clone(), templates.clone());
        let parsed = templates.parse("main", text);
        match &parsed {
            Ok(_) => assert!(templates.contains("main")),
            Err(error) => {
                assert!(templates.names().is_empty(), "half a text was added");
                let lines = 1 + text.iter().filter(|byte| **byte == b'\n').count();
                assert!((1..=lines).contains(&error.line()), "{error}");
                assert!(error.to_string().starts_with("template: main:"), "{error}");
            }
        }
        // What is remembered, under its own name and another one, is what is read anew.
        assert_eq!(words(&parsed), words(&again.parse("main", text)));
        assert_eq!(templates.names(), again.names());
        let mut anew = empty();
        let other = anew.parse("other", text);
        assert_eq!(words(&other), words(&elsewhere.parse("other", text)));
        assert_eq!(anew.names(), elsewhere.names());
    });
});

fn words(parsed: &Result<Template, Error>) -> Option<String> {
    parsed.as_ref().err().map(ToString::to_string)
}
