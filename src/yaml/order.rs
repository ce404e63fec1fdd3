//! The order of keys in what is written: natural, numbers by value, letters behind other characters.

use std::cmp::Ordering;

use super::characters::{is_digit, is_letter};

/// Which go-yaml's order: v3 looks at whether digits came before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    V2,
    V3,
}

/// Sorts by keys. Of equal keys the last one stays, as when a map is filled.
///
/// Go's order is none in the mathematical sense (v2: `12 < 1a < 2 < 12`), which the standard
/// library's sort may panic on; this one answers something, as Go's does.
pub(super) fn sort_by_key<'k, T>(
    entries: &mut Vec<T>,
    edition: Edition,
    key: impl Fn(&T) -> &'k str,
) {
    if !entries.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])) {
        entries.sort_by(|a, b| key(a).cmp(key(b)));
        keep_last(entries, &key);
    }
    let less = |a: &T, b: &T| compare(key(a), key(b), edition) == Ordering::Less;
    if entries.windows(2).all(|pair| less(&pair[0], &pair[1])) {
        return;
    }
    let mut width = 1;
    let mut from: Vec<Option<T>> = entries.drain(..).map(Some).collect();
    while width < from.len() {
        let mut to = Vec::with_capacity(from.len());
        for run in from.chunks_mut(2 * width) {
            let middle = width.min(run.len());
            let (left, right) = run.split_at_mut(middle);
            merge(left, right, &mut to, &less);
        }
        from = to;
        width *= 2;
    }
    entries.extend(from.into_iter().flatten());
}

/// Whether a key may follow another one as it is.
pub(super) fn follows(before: &str, key: &str, edition: Edition) -> bool {
    before < key && compare(before, key, edition) == Ordering::Less
}

/// Of neighbours with the same key, keeps the last.
fn keep_last<'k, T>(entries: &mut Vec<T>, key: impl Fn(&T) -> &'k str) {
    entries.dedup_by(|later, kept| {
        let same = key(later) == key(kept);
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
}

fn merge<T>(
    left: &mut [Option<T>],
    right: &mut [Option<T>],
    to: &mut Vec<Option<T>>,
    less: &impl Fn(&T, &T) -> bool,
) {
    let (mut l, mut r) = (0, 0);
    while l < left.len() || r < right.len() {
        let take_right = match (left.get(l), right.get(r)) {
            (Some(Some(a)), Some(Some(b))) => less(b, a),
            (_, right) => right.is_some() && l >= left.len(),
        };
        if take_right {
            to.push(right[r].take());
            r += 1;
        } else {
            to.push(left[l].take());
            l += 1;
        }
    }
}

/// go-yaml: sorter.go keyList.Less.
fn compare(a: &str, b: &str, edition: Edition) -> Ordering {
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    if common == a.len() || common == b.len() {
        // Go counts characters, but a prefix has fewer of them too.
        return a.len().cmp(&b.len());
    }
    let (first, second) = (a.as_bytes()[common], b.as_bytes()[common]);
    if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() {
        return first.cmp(&second);
    }
    let start = (0..=common)
        .rev()
        .find(|&at| a.is_char_boundary(at))
        .unwrap_or(0);
    let (Some(ac), Some(bc)) = (a[start..].chars().next(), b[start..].chars().next()) else {
        return a.len().cmp(&b.len());
    };
    let (a_letter, b_letter) = (is_letter(ac), is_letter(bc));
    if a_letter && b_letter {
        return ac.cmp(&bc);
    }
    if a_letter || b_letter {
        let after_digit =
            edition == Edition::V3 && a[..start].chars().next_back().is_some_and(is_digit);
        let letter_first = a_letter == after_digit;
        return if letter_first {
            Ordering::Less
        } else {
            Ordering::Greater
        };
    }
    // A zero counts as a digit of the number it is in.
    let zero = ac == '0' || bc == '0';
    let in_number = zero
        && a[..start]
            .chars()
            .rev()
            .take_while(|&c| is_digit(c))
            .any(|c| c != '0');
    let (a_value, a_digits) = number(&a[start..], in_number);
    let (b_value, b_digits) = number(&b[start..], in_number);
    a_value
        .cmp(&b_value)
        .then(a_digits.cmp(&b_digits))
        .then(ac.cmp(&bc))
}

/// The value of the digits at the start, wrapping as Go's int64 does, and how many there are.
fn number(text: &str, in_number: bool) -> (i64, usize) {
    text.chars().take_while(|&c| is_digit(c)).fold(
        (i64::from(in_number), 0),
        |(value, digits), c| {
            let digit = i64::from(u32::from(c)) - i64::from(u32::from('0'));
            (value.wrapping_mul(10).wrapping_add(digit), digits + 1)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_is_none_does_not_panic() {
        let texts: Vec<String> = (0..3000)
            .map(|n| format!("{}{}", n % 37, ["", "a", "b1", "."][n % 4]))
            .collect();
        let mut keys: Vec<&str> = texts.iter().map(String::as_str).collect();
        sort_by_key(&mut keys, Edition::V2, |key| key);
        assert_eq!(keys.len(), 37 * 4);
    }
}
