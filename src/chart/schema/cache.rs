//! Schemas that are compiled once and not at every render.
//!
//! In: the text of a schema. Out: what it came to. Only texts that were met before are kept, and
//! no more of them than [`MAX_BYTES`] and [`MAX_SCHEMAS`]: who renders one chart pays nothing for
//! the next.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Compiled;

/// Bytes of the texts whose compiled forms are kept; these take about five times as much.
const MAX_BYTES: usize = 1 << 20;

/// Schemas that are kept, and those that are remembered to have been met.
const MAX_SCHEMAS: usize = 128;

/// What a schema came to, here or before.
pub(super) fn compiled(schema: &Arc<[u8]>) -> Arc<Compiled> {
    if let Some(found) = cache().find(schema) {
        return found;
    }
    let compiled = Arc::new(Compiled::of(schema));
    cache().add(schema, &compiled);
    compiled
}

fn cache() -> MutexGuard<'static, Cache> {
    static CACHE: Mutex<Cache> = Mutex::new(Cache {
        met: VecDeque::new(),
        kept: Vec::new(),
    });
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Cache {
    /// Hashes of the texts that were met, the last at the end.
    met: VecDeque<u64>,
    /// What is kept, the last that was used at the end.
    kept: Vec<(Arc<[u8]>, Arc<Compiled>)>,
}

impl Cache {
    fn find(&mut self, schema: &[u8]) -> Option<Arc<Compiled>> {
        let found = self.kept.iter().position(|(text, _)| **text == *schema)?;
        self.kept[found..].rotate_left(1);
        self.kept.last().map(|(_, compiled)| Arc::clone(compiled))
    }

    fn add(&mut self, schema: &Arc<[u8]>, compiled: &Arc<Compiled>) {
        let mut hasher = DefaultHasher::new();
        schema.hash(&mut hasher);
        let hash = hasher.finish();
        if !self.met.contains(&hash) {
            self.met.push_back(hash);
            if self.met.len() > MAX_SCHEMAS {
                self.met.pop_front();
            }
            return;
        }
        // another thread may have been here meanwhile
        if schema.len() > MAX_BYTES || self.find(schema).is_some() {
            return;
        }
        self.kept.push((Arc::clone(schema), Arc::clone(compiled)));
        let bytes =
            |kept: &[(Arc<[u8]>, _)]| kept.iter().map(|(text, _)| text.len()).sum::<usize>();
        while self.kept.len() > MAX_SCHEMAS || bytes(&self.kept) > MAX_BYTES {
            self.kept.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_kept_within_bounds() {
        let mut cache = Cache {
            met: VecDeque::new(),
            kept: Vec::new(),
        };
        let texts: Vec<Arc<[u8]>> = (0..300)
            .map(|n| Arc::from(format!("{{\"title\":\"{n:010000}\"}}").into_bytes()))
            .collect();
        for text in &texts {
            for _ in 0..2 {
                assert!(cache.find(text).is_none());
                cache.add(text, &Arc::new(Compiled::of(text)));
            }
            assert!(cache.find(text).is_some());
        }
        assert_eq!(cache.met.len(), MAX_SCHEMAS);
        assert_eq!(cache.kept.len(), MAX_BYTES / texts[0].len());
        assert!(cache.find(&texts[0]).is_none());
    }
}
