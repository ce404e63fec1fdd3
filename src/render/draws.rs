//! Randomness that follows from a release's seed.
//!
//! In: the seed, the template file that is being executed, each call that may draw. Out: the bytes
//! that the call draws, and the time on that its certificate begins. Never: one stream for all
//! calls, in which a new template would change what every later one draws.
//!
//! A call is known by the file, the function, the arguments, and how many calls with these came
//! before it in the file: HMAC-SHA256 of that under the seed's secret is the key of a ChaCha20
//! stream, and the call draws from it. Releases live on what follows here: no byte of it may
//! change, and `tests/randomness.rs` holds it to what a Go program makes of the same seed.

use std::collections::HashMap;

use chacha20::ChaCha20Rng;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use rand::{Rng as _, SeedableRng as _};
use sha2::Sha256;

use crate::release::Seed;
use crate::template::Value;

type Code = Hmac<Sha256>;

/// What the templates of one render draw.
pub(super) struct Draws {
    seed: Seed,
    now: Timestamp,
    file: String,
    /// How many calls of each kind the file has made.
    calls: HashMap<[u8; 32], u64>,
    call: Option<Call>,
}

/// The call that is going on.
struct Call {
    kind: [u8; 32],
    number: u64,
    /// Which certificate in the row of those that follow each other.
    turn: u64,
    stream: Option<ChaCha20Rng>,
}

impl Draws {
    pub(super) fn new(seed: Seed, now: Timestamp) -> Self {
        Self {
            seed,
            now,
            file: String::new(),
            calls: HashMap::new(),
            call: None,
        }
    }

    /// A template file begins, and the count of its calls.
    pub(super) fn enter(&mut self, file: &str) {
        file.clone_into(&mut self.file);
        self.calls.clear();
        self.call = None;
    }

    /// A function that may draw is called.
    pub(super) fn call(&mut self, function: &str, arguments: &[Value]) {
        let mut code = self.code();
        text(&mut code, b'f', self.file.as_bytes());
        text(&mut code, b'n', function.as_bytes());
        for argument in arguments {
            feed(&mut code, argument);
        }
        let kind = code.finalize().into_bytes().into();
        let count = self.calls.entry(kind).or_default();
        self.call = Some(Call {
            kind,
            number: *count,
            turn: 0,
            stream: None,
        });
        *count += 1;
    }

    /// When a certificate begins that is valid for so many nanoseconds: when the seed was made, or
    /// as many times two thirds of its validity later as have passed since. Whoever renders within
    /// the last third gets the next one, with a key and a number of its own.
    pub(super) fn begin(&mut self, validity: i64) -> Timestamp {
        let made = self.seed.made.as_nanosecond();
        let term = i128::from(validity / 3 * 2);
        let passed = self.now.as_nanosecond() - made;
        if term <= 0 || passed < term {
            return self.seed.made;
        }
        let turn = passed / term;
        if let Some(call) = &mut self.call {
            call.turn = turn as u64;
        }
        Timestamp::from_nanosecond(made + turn * term).unwrap_or(self.seed.made)
    }

    /// The next bytes of the call. Nothing where nobody calls: then it is no template that draws.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> bool {
        let code = self.code();
        let Some(call) = &mut self.call else {
            return false;
        };
        let stream = call.stream.get_or_insert_with(|| {
            let code = code
                .chain_update(b"c")
                .chain_update(call.kind)
                .chain_update(call.number.to_be_bytes())
                .chain_update(call.turn.to_be_bytes());
            ChaCha20Rng::from_seed(code.finalize().into_bytes().into())
        });
        stream.fill_bytes(buffer);
        true
    }

    fn code(&self) -> Code {
        // The key fills half a block, so that it is taken as it is.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.seed.secret);
        Code::new(&block.into())
    }
}

/// A text that cannot run into what follows it.
fn text(code: &mut Code, kind: u8, text: &[u8]) {
    code.update(&[kind]);
    code.update(&(text.len() as u64).to_be_bytes());
    code.update(text);
}

/// An argument: the functions that draw take texts, numbers, lists of texts, and a certificate.
fn feed(code: &mut Code, argument: &Value) {
    match argument {
        Value::List(list) => {
            let items = list.items();
            code.update(b"l");
            code.update(&(items.len() as u64).to_be_bytes());
            for item in items.iter() {
                leaf(code, item);
            }
        }
        Value::Object(object) => {
            text(code, b'o', object.type_name().as_bytes());
            let fields = object.fields().unwrap_or_default();
            for (name, field) in fields {
                text(code, b'k', name.as_bytes());
                leaf(code, &field);
            }
        }
        other => leaf(code, other),
    }
}

/// What has nothing in it; anything else only as what it is, since lists can hold themselves.
fn leaf(code: &mut Code, value: &Value) {
    let number = |code: &mut Code, kind, bytes| {
        code.update(&[kind]);
        code.update(bytes);
    };
    match value {
        Value::Nil => code.update(b"0"),
        Value::Bool(truth) => number(code, b'b', &[u8::from(*truth)]),
        Value::Int(_, signed) => number(code, b'i', &signed.to_be_bytes()),
        Value::Uint(_, unsigned) => number(code, b'u', &unsigned.to_be_bytes()),
        Value::Float(_, float) => number(code, b'd', &float.to_bits().to_be_bytes()),
        Value::String(string) => text(code, b's', string.as_bytes()),
        Value::Bytes(bytes) => text(code, b'y', bytes),
        Value::List(_) | Value::Map(_) | Value::Object(_) => code.update(b"x"),
    }
}
