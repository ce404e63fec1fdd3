//! What no oracle can tell: Go would hang, die or allocate for ever, or has no such thing.

use std::rc::Rc;

use pintle::template::{
    CallError, Error, ErrorKind, Function, Functions, Limits, List, Map, MissingKey, Rest,
    Templates, Text, Type, Value, deep_equal,
};

/// Runs in a thread whose stack is exactly what the limits ask for.
fn on_stack_of<T: Send + 'static>(limits: Limits, test: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new()
        .stack_size(limits.stack())
        .spawn(test)
        .unwrap()
        .join()
        .unwrap()
}

fn execute(text: &str, limits: Limits) -> Result<Text, Error> {
    let mut templates = Templates::new(Rc::new(super::functions::functions())).root("root");
    templates.parse("main", text)?;
    templates.execute("main", &Value::Nil, limits)
}

fn error_of(text: &'static str, limits: Limits) -> (ErrorKind, String) {
    on_stack_of(limits, move || {
        let error = execute(text, limits).unwrap_err();
        (error.kind(), error.to_string())
    })
}

#[test]
fn a_loop_without_end_is_out_of_steps() {
    let limits = Limits {
        steps: 10_000,
        ..Limits::default()
    };
    let (kind, text) = error_of("{{ range 9223372036854775807 }}{{ end }}", limits);
    assert_eq!(kind, ErrorKind::Limit);
    assert!(
        text.ends_with("the execution takes more than 10000 steps"),
        "{text}"
    );
}

#[test]
fn an_output_without_end_is_too_long() {
    let limits = Limits {
        output: 1_000,
        ..Limits::default()
    };
    for text in [
        "{{ range 1000000 }}0123456789{{ end }}",
        "{{ define `x` }}{{ range 1000000 }}0123456789{{ end }}{{ end }}{{ $x := include `x` . }}",
        "{{ $l := list `0123456789` }}{{ range 30 }}{{ $l = list $l $l }}{{ end }}{{ $l }}",
        "{{ $l := list `0123456789` }}{{ range 30 }}{{ $l = list $l $l }}{{ end }}{{ $x := print $l }}",
        "{{ $x := `0123456789` }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $x := `0123456789` }}{{ range 60 }}{{ $x = printf `%s%s` $x $x }}{{ end }}",
        "{{ $x := `0123456789` }}{{ range 60 }}{{ $x = html $x $x }}{{ end }}",
        "{{ range 1000 }}{{ $x := identity `0123456789` }}{{ end }}",
    ] {
        let (kind, text) = error_of(text, limits);
        let said =
            text.contains("more than 1000 bytes") || text.contains("too large to be printed");
        assert!(said, "{kind:?} {text}");
    }
}

#[test]
fn recursion_without_end_meets_the_depth_and_not_the_end_of_the_stack() {
    for text in [
        "{{ define `a` }}{{ template `a` . }}{{ end }}{{ template `a` . }}",
        "{{ define `a` }}{{ if true }}{{ with 1 }}{{ range 1 }}{{ template `a` . }}{{ end }}{{ end }}{{ end }}{{ end }}{{ template `a` . }}",
        "{{ define `a` }}{{ and true (or false (print (recurse `a` .))) }}{{ end }}{{ template `a` . }}",
        "{{ define `a` }}{{ ((recurse `a` .).x).y }}{{ end }}{{ template `a` . }}",
        "{{ define `a` }}{{ range $x := recurse `a` . }}{{ end }}{{ end }}{{ template `a` . }}",
    ] {
        let limits = Limits::default();
        let (kind, told) = on_stack_of(limits, move || {
            let mut functions = super::functions::functions();
            let recurse = |machine: &mut pintle::template::Machine<'_>, args: &[Value]| {
                Ok(machine.include("a", &args[1])?.into())
            };
            functions.insert(
                "recurse",
                Function::with_machine(vec![Type::String, Type::Any], None, recurse),
            );
            let mut templates = Templates::new(Rc::new(functions));
            templates.parse("main", text).unwrap();
            let error = templates.execute("main", &Value::Nil, limits).unwrap_err();
            (error.kind(), error.to_string())
        });
        assert_eq!(kind, ErrorKind::Limit, "{told}");
    }
}

#[test]
fn the_innermost_error_can_be_reached() {
    let text = "{{ define `x` }}\n {{ .a.b }}{{ end }}{{ define `y` }}{{ include `x` (dict `a` 1) }}{{ end }}\n{{ include `y` . }}";
    let error = execute(text, Limits::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.template(), error.file()),
        (ErrorKind::Execution, "main", "main")
    );
    assert_eq!(
        (error.line(), error.column(), error.context()),
        (3, 3, "include `y` .")
    );
    assert!(
        error
            .message()
            .starts_with("error calling include: template: main:2:"),
        "{}",
        error.message()
    );
    let second = error.cause().unwrap().template.as_deref().unwrap();
    assert_eq!((second.template(), second.line()), ("y", 2));
    let third = second.cause().unwrap().template.as_deref().unwrap();
    assert_eq!(
        (
            third.template(),
            third.line(),
            third.column(),
            third.context()
        ),
        ("x", 2, 6, ".a.b")
    );
    assert_eq!(
        third.message(),
        "can't evaluate field b in type interface {}"
    );
    assert!(third.cause().is_none());
}

#[test]
fn complex_constants_are_refused() {
    for text in [
        "{{ 1i }}",
        "{{ 1+2i }}",
        "{{ print 1+0i }}",
        "{{ takesAny 0x1p-2i }}",
    ] {
        let told = execute(text, Limits::default()).unwrap_err().to_string();
        assert!(told.ends_with("is not supported"), "{told}");
    }
    assert_eq!(
        &*execute("{{ if false }}{{ 1i }}{{ end }}ok", Limits::default()).unwrap(),
        "ok"
    );
}

#[test]
fn what_is_nested_too_deeply_to_be_parsed_is_refused() {
    on_stack_of(Limits::default(), || {
        for (open, middle, close) in [
            ("(", "1", ")"),
            ("{{ if 1 }}", "x", "{{ end }}"),
            ("{{ block `b` . }}", "", "{{ end }}"),
        ] {
            let nested =
                |count: usize| format!("{}{middle}{}", open.repeat(count), close.repeat(count));
            let wrapped = |count| match open {
                "(" => format!("{{{{ {} }}}}", nested(count)),
                _ => nested(count),
            };
            let told = execute(&wrapped(100_000), Limits::default())
                .unwrap_err()
                .to_string();
            assert_eq!(told, "template: main:1: max expression depth exceeded");
            if open != "{{ block `b` . }}" {
                assert_eq!(&*execute(&wrapped(999), Limits::default()).unwrap(), middle);
            }
        }
    });
}

#[test]
fn a_map_that_holds_itself_can_be_printed_compared_and_dropped() {
    let map = Map::default();
    map.insert("self", map.clone());
    let value = Value::Map(map.clone());
    assert!(pintle::template::print::show(&value).len() > 1_000);
    let other = Map::default();
    other.insert("self", other.clone());
    assert!(deep_equal(&value, &Value::Map(other.clone())));
    let told = on_stack_of(Limits::default(), || {
        let map = Map::default();
        map.insert("self", map.clone());
        let mut templates = Templates::new(Rc::new(Functions::builtin()));
        templates.parse("main", "{{ . }}").unwrap();
        templates
            .execute("main", &Value::Map(map), Limits::default())
            .unwrap_err()
            .to_string()
    });
    assert!(
        told.ends_with("nested too deeply or too large to be printed"),
        "{told}"
    );
    // Cycles are only freed when they are opened.
    map.remove(b"self");
    other.remove(b"self");
}

#[test]
fn lists_and_maps_of_any_depth_are_dropped() {
    let mut value = Value::Nil;
    for turn in 0..1_000_000 {
        value = match turn % 2 {
            0 => Value::list(vec![value]),
            _ => {
                let map = Map::default();
                map.insert("k", value);
                Value::Map(map)
            }
        };
    }
    drop(value);
}

#[test]
fn a_map_seen_as_another_type_is_the_same_map() {
    let map = Map::new(super::data::VALUES);
    let seen = map.seen_as(Type::ANY_MAP);
    seen.insert("a", 1_i64);
    assert!(map.contains_key(b"a") && map.same(&seen) && map.type_of() != seen.type_of());
    assert_eq!(
        &*pintle::template::print::sprintf(
            b"%T %T %v",
            &[map.clone().into(), seen.into(), map.into()]
        ),
        "main.Values map[string]interface {} map[a:1]"
    );
}

#[test]
fn clones_share_what_was_there_and_nothing_else() {
    let mut first = Templates::new(Rc::new(Functions::builtin())).missing_key(MissingKey::Zero);
    first
        .parse("main", "{{ define `a` }}one{{ end }}{{ template `a` }}")
        .unwrap();
    let mut second = first.clone();
    second
        .parse("more", "{{ define `a` }}two{{ end }}")
        .unwrap();
    first.parse("other", "").unwrap();
    let run = |templates: &Templates| {
        templates
            .execute("main", &Value::Nil, Limits::default())
            .unwrap()
            .to_string()
    };
    assert_eq!(
        (run(&first), run(&second)),
        ("one".to_owned(), "two".to_owned())
    );
    assert_eq!(
        second
            .names()
            .iter()
            .map(|name| &**name)
            .collect::<Vec<_>>(),
        ["a", "main", "more"]
    );
    assert!(first.contains("other") && !second.contains("other"));
}

/// Helm's `tpl`: what is parsed may be blank while a template of its name is not.
#[test]
fn a_parsed_text_is_executed_itself() {
    let mut functions = Functions::builtin();
    let tpl = |machine: &mut pintle::template::Machine<'_>, args: &[Value]| {
        let (Value::String(text), data) = (&args[0], &args[1]) else {
            return Err(CallError::new("no text"));
        };
        let mut templates = machine.templates().clone();
        let template = templates.parse("root", text.as_bytes())?;
        Ok(machine
            .execute_template(&templates, &template, data)?
            .into())
    };
    functions.insert(
        "tpl",
        Function::with_machine(vec![Type::String, Type::Any], None, tpl),
    );
    functions.insert(
        "list",
        Function::new(|Rest(items): Rest<Value>| List::new(Type::ANY_SLICE, items)),
    );
    let mut templates = Templates::new(Rc::new(functions)).root("root");
    let text = "{{ define `a` }}a{{ end }}{{ tpl \"[{{ tpl ` ` . }}{{ template `a` }}{{ . }}]\" 1 }}{{ range list 1 2 }}{{ tpl `{{ define \"b\" }}b{{ end }}{{ template \"b\" }}{{ . }}` . }}{{ end }}";
    templates.parse("main", text).unwrap();
    assert_eq!(
        &*templates
            .execute("main", &Value::Nil, Limits::default())
            .unwrap(),
        "[ a1]b1b2"
    );
    assert!(!templates.contains("b"));
}

#[test]
fn printing_is_bounded_where_the_format_asks_for_much() {
    let limits = Limits {
        output: 10_000,
        ..Limits::default()
    };
    let wide = "{{ range 1000 }}{{ printf `%999999d` 1 }}{{ end }}";
    let (_, told) = error_of(wide, limits);
    assert!(
        told.contains("too large to be printed") || told.contains("more than"),
        "{told}"
    );
}
