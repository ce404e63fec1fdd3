//! What a server of git says: it is read the same in pieces of any size, an object has the id that
//! its bytes give it, and no file of a chart comes from elsewhere. The first byte says what the rest
//! is: an answer, a pack, or the description of one.
#![no_main]

use std::collections::HashSet;
use std::time::{Duration, Instant};

use gix_hash::Kind;
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use pintle::source::Checkout;
use pintle::source::git::folder::Folder;
use pintle::source::git::pack::Objects;
use pintle::source::git::protocol::{self, Refusal, Response};
use pintle_fuzz::commits::{self, Sent, summed};

fuzz_target!(|input: &[u8]| {
    let Some((way, rest)) = input.split_first() else {
        return;
    };
    match way % 8 {
        0 => {
            let _ = protocol::advertisement(rest, Kind::Sha1);
        }
        1 => assert_eq!(answer(rest, rest.len()), answer(rest, 3)),
        2 => {
            let _ = objects().add(summed(rest.to_vec()));
        }
        _ => {
            if let Ok(sent) = commits::arbitrary(&mut Unstructured::new(rest)) {
                read(sent);
            }
        }
    }
});

fn objects() -> Objects {
    Objects::new(Kind::Sha1, Instant::now() + Duration::from_secs(20))
}

fn answer(text: &[u8], size: usize) -> Result<Vec<u8>, Refusal> {
    let mut response = Response::default();
    for piece in text.chunks(size.max(1)) {
        response.push(piece)?;
    }
    response.end()
}

fn read(sent: Sent) {
    let mut objects = objects();
    if objects.add(sent.pack).is_err() {
        return;
    }
    let id = sent.commit.to_string();
    for path in ["", "templates", "a/b"] {
        let checkout = Checkout::new(&id, path).expect("an id is one");
        let Ok(folder) = Folder::find(&mut objects, &checkout) else {
            continue;
        };
        let Ok(missing) = folder.missing(&mut objects) else {
            continue;
        };
        assert!(missing.iter().all(|id| objects.kind_of(id).is_none()));
        let Ok(files) = folder.files(&mut objects) else {
            continue;
        };
        let names: HashSet<_> = files.iter().map(|file| &file.name).collect();
        assert_eq!(names.len(), files.len());
        for name in names {
            let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\\');
            assert!(name.split('/').all(plain), "{name}");
        }
    }
}
