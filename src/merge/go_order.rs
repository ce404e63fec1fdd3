//! How Go prints, compares and sorts JSON values. Upstream sorts lists with comparisons that are no orders
//! (`<=`, or true for whatever is not in the list), so the outcome depends on each step of Go's own
//! algorithms: they are followed here swap by swap.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// The dynamic Go type of a decoded JSON value: integers and fractions are two types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Nil,
    Bool,
    Integer,
    Float,
    Text,
    List,
    Map,
}

pub(super) fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Nil,
        Value::Bool(_) => Type::Bool,
        Value::Number(n) if n.as_i64().is_some() => Type::Integer,
        Value::Number(_) => Type::Float,
        Value::String(_) => Type::Text,
        Value::Array(_) => Type::List,
        Value::Object(_) => Type::Map,
    }
}

/// A value as `fmt.Sprintf("%v", value)` prints it.
pub(super) fn print(value: &Value) -> String {
    let mut text = String::new();
    print_into(&mut text, value);
    text
}

fn print_into(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::Bool(b) => text.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => print_number(text, n),
        Value::String(s) => text.push_str(s),
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(' ');
                }
                print_into(text, item);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            text.push_str("map[");
            for (i, (name, field)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    text.push(' ');
                }
                text.push_str(name);
                text.push(':');
                print_into(text, field);
            }
            text.push(']');
        }
    }
}

/// `%v` of a number: integers in full, fractions in the shortest form, with an exponent below 1e-4 and
/// from 1e+21 on.
fn print_number(text: &mut String, number: &Number) {
    if let Some(integer) = number.as_i64() {
        // writing to a String cannot fail
        let _ = write!(text, "{integer}");
        return;
    }
    let float = number.as_f64().unwrap_or_default();
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..21).contains(&exponent) {
        let _ = write!(text, "{float}");
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(text, "{digits}e{sign}{:02}", exponent.abs());
    }
}

/// Go's `sort.Sort`: pattern-defeating quicksort.
pub(super) fn sort<T>(data: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let limit = usize::BITS - data.len().leading_zeros();
    let end = data.len();
    if end > 1 {
        Sorter { data, less }.quick(0, end, limit);
    }
}

/// Go's `sort.SliceStable`: insertion sort of blocks, then merges by rotation.
pub(super) fn sort_stable<T>(data: &mut [T], less: impl Fn(&T, &T) -> bool) {
    Sorter { data, less }.stable();
}

struct Sorter<'d, T, L> {
    data: &'d mut [T],
    less: L,
}

#[derive(Clone, Copy, PartialEq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

impl<T, L: Fn(&T, &T) -> bool> Sorter<'_, T, L> {
    fn less(&self, i: usize, j: usize) -> bool {
        (self.less)(&self.data[i], &self.data[j])
    }

    fn swap(&mut self, i: usize, j: usize) {
        self.data.swap(i, j);
    }

    fn insertion(&mut self, a: usize, b: usize) {
        for i in a + 1..b {
            let mut j = i;
            while j > a && self.less(j, j - 1) {
                self.swap(j, j - 1);
                j -= 1;
            }
        }
    }

    // go: sort/zsortinterface.go pdqsort
    fn quick(&mut self, mut a: usize, mut b: usize, mut limit: u32) {
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let length = b - a;
            if length <= 12 {
                return self.insertion(a, b);
            }
            if limit == 0 {
                return self.heap(a, b);
            }
            if !balanced {
                self.break_patterns(a, b);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(a, b);
            if hint == Hint::Decreasing {
                self.data[a..b].reverse();
                pivot = (b - 1) - (pivot - a);
                hint = Hint::Increasing;
            }
            if balanced && partitioned && hint == Hint::Increasing && self.partial_insertion(a, b) {
                return;
            }
            if a > 0 && !self.less(a - 1, pivot) {
                a = self.partition_equal(a, b, pivot);
                continue;
            }
            let (middle, already) = self.partition(a, b, pivot);
            partitioned = already;
            let (left, right) = (middle - a, b - middle);
            if left < right {
                balanced = left >= length / 8;
                self.quick(a, middle, limit);
                a = middle + 1;
            } else {
                balanced = right >= length / 8;
                self.quick(middle + 1, b, limit);
                b = middle;
            }
        }
    }

    fn sift_down(&mut self, low: usize, high: usize, first: usize) {
        let mut root = low;
        loop {
            let mut child = 2 * root + 1;
            if child >= high {
                return;
            }
            if child + 1 < high && self.less(first + child, first + child + 1) {
                child += 1;
            }
            if !self.less(first + root, first + child) {
                return;
            }
            self.swap(first + root, first + child);
            root = child;
        }
    }

    fn heap(&mut self, a: usize, b: usize) {
        let high = b - a;
        for i in (0..=(high - 1) / 2).rev() {
            self.sift_down(i, high, a);
        }
        for i in (0..high).rev() {
            self.swap(a, a + i);
            self.sift_down(0, i, a);
        }
    }

    fn partition(&mut self, a: usize, b: usize, pivot: usize) -> (usize, bool) {
        self.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        let mut already = true;
        loop {
            while i <= j && self.less(i, a) {
                i += 1;
            }
            while i <= j && !self.less(j, a) {
                j -= 1;
            }
            if i > j {
                break;
            }
            already = false;
            self.swap(i, j);
            i += 1;
            j -= 1;
        }
        self.swap(j, a);
        (j, already)
    }

    fn partition_equal(&mut self, a: usize, b: usize, pivot: usize) -> usize {
        self.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        loop {
            while i <= j && !self.less(a, i) {
                i += 1;
            }
            while i <= j && self.less(a, j) {
                j -= 1;
            }
            if i > j {
                return i;
            }
            self.swap(i, j);
            i += 1;
            j -= 1;
        }
    }

    fn partial_insertion(&mut self, a: usize, b: usize) -> bool {
        let mut i = a + 1;
        for _ in 0..5 {
            while i < b && !self.less(i, i - 1) {
                i += 1;
            }
            if i == b {
                return true;
            }
            if b - a < 50 {
                return false;
            }
            self.swap(i, i - 1);
            if i - a >= 2 {
                let mut j = i - 1;
                while j >= 1 && self.less(j, j - 1) {
                    self.swap(j, j - 1);
                    j -= 1;
                }
            }
            if b - i >= 2 {
                let mut j = i + 1;
                while j < b && self.less(j, j - 1) {
                    self.swap(j, j - 1);
                    j += 1;
                }
            }
        }
        false
    }

    fn break_patterns(&mut self, a: usize, b: usize) {
        let length = b - a;
        if length < 8 {
            return;
        }
        let mut random = length as u64;
        let modulus = 1u64 << (usize::BITS - length.leading_zeros());
        let middle = a + (length / 4) * 2;
        for index in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = usize::try_from(random & (modulus - 1)).unwrap_or_default();
            if other >= length {
                other -= length;
            }
            self.swap(index, a + other);
        }
    }

    fn choose_pivot(&self, a: usize, b: usize) -> (usize, Hint) {
        let length = b - a;
        let mut swaps = 0;
        let (mut i, mut j, mut k) = (a + length / 4, a + length / 4 * 2, a + length / 4 * 3);
        if length >= 8 {
            if length >= 50 {
                i = self.median(i - 1, i, i + 1, &mut swaps);
                j = self.median(j - 1, j, j + 1, &mut swaps);
                k = self.median(k - 1, k, k + 1, &mut swaps);
            }
            j = self.median(i, j, k, &mut swaps);
        }
        let hint = match swaps {
            0 => Hint::Increasing,
            12 => Hint::Decreasing,
            _ => Hint::Unknown,
        };
        (j, hint)
    }

    fn median(&self, a: usize, b: usize, c: usize, swaps: &mut u32) -> usize {
        let (a, b) = self.ordered(a, b, swaps);
        let (b, _) = self.ordered(b, c, swaps);
        let (_, b) = self.ordered(a, b, swaps);
        b
    }

    fn ordered(&self, a: usize, b: usize, swaps: &mut u32) -> (usize, usize) {
        if self.less(b, a) {
            *swaps += 1;
            (b, a)
        } else {
            (a, b)
        }
    }

    // go: sort/zsortfunc.go stable_func
    fn stable(&mut self) {
        let n = self.data.len();
        let mut block = 20;
        let mut a = 0;
        while a + block <= n {
            self.insertion(a, a + block);
            a += block;
        }
        self.insertion(a, n);
        while block < n {
            let mut a = 0;
            while a + 2 * block <= n {
                self.merge(a, a + block, a + 2 * block);
                a += 2 * block;
            }
            if a + block < n {
                self.merge(a, a + block, n);
            }
            block *= 2;
        }
    }

    // go: sort/zsortfunc.go symMerge_func; a < m < b
    fn merge(&mut self, a: usize, m: usize, b: usize) {
        if m - a == 1 {
            let i = search(m, b, |h| self.less(h, a));
            self.data[a..i].rotate_left(1);
            return;
        }
        if b - m == 1 {
            let i = search(a, m, |h| !self.less(m, h));
            self.data[i..=m].rotate_right(1);
            return;
        }
        let middle = usize::midpoint(a, b);
        let n = middle + m;
        let (low, high) = if m > middle { (n - b, middle) } else { (a, m) };
        let start = search(low, high, |c| !self.less(n - 1 - c, c));
        let end = n - start;
        if start < m && m < end {
            self.data[start..end].rotate_left(m - start);
        }
        if a < start && start < middle {
            self.merge(a, start, middle);
        }
        if middle < end && end < b {
            self.merge(middle, end, b);
        }
    }
}

/// The first index from `low` on for which `before` is false, by halving.
fn search(mut low: usize, mut high: usize, before: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let half = usize::midpoint(low, high);
        if before(half) {
            low = half + 1;
        } else {
            high = half;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn values_print_as_go_prints_them() {
        for (value, printed) in [
            (json!(null), "<nil>"),
            (json!(true), "true"),
            (json!(-7), "-7"),
            (json!(0.5), "0.5"),
            (json!(1e21), "1e+21"),
            (json!(1e20), "100000000000000000000"),
            (json!(0.00001), "1e-05"),
            (json!({"b": [1, "x"], "a": null}), "map[a:<nil> b:[1 x]]"),
        ] {
            assert_eq!(print(&value), printed);
        }
    }

    #[derive(serde::Deserialize)]
    struct Sorted {
        input: Vec<u32>,
        sort: Vec<u32>,
        stable: Vec<u32>,
    }

    #[test]
    fn lists_sort_as_go_sorts_them() {
        let lines = include_str!("../../tests/merge/sorts.jsonl").lines();
        let cases: Vec<Sorted> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(cases.len() > 50);
        for case in cases {
            let mut data = case.input.clone();
            sort(&mut data, |a, b| a / 8 <= b / 8);
            assert_eq!(data, case.sort, "sort of {:?}", case.input);
            let mut data = case.input.clone();
            sort_stable(&mut data, |a, b| a % 3 == 0 || b % 3 == 0 || a < b);
            assert_eq!(data, case.stable, "stable sort of {:?}", case.input);
        }
    }
}
