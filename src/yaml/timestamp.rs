//! Which scalars are timestamps: go-yaml's four layouts, by the rules of Go's time.Parse.

/// Whether go-yaml would read the text as a timestamp.
///
/// go-yaml: resolve.go parseTimestamp and allowedTimestampFormats.
pub(super) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 5 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    date(bytes).is_some()
}

/// `2006-1-2` and, behind it, nothing or a time.
fn date(bytes: &[u8]) -> Option<()> {
    let year = bytes[..4]
        .iter()
        .fold(0, |year, b| year * 10 + u32::from(b - b'0'));
    let (month, rest) = number(&bytes[5..])?;
    let (day, rest) = number(literal(rest, b'-')?)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(month, year) {
        return None;
    }
    match rest {
        [] => Some(()),
        [b'T' | b't', rest @ ..] => zone(time(rest)?),
        // Go: time.skip takes any number of spaces for one.
        [b' ', ..] => {
            let spaces = rest.iter().take_while(|b| **b == b' ').count();
            time(&rest[spaces..])?.is_empty().then_some(())
        }
        _ => None,
    }
}

/// `15:4:5.999999999`.
fn time(bytes: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = number(bytes)?;
    let (minute, rest) = number(literal(rest, b':')?)?;
    let (second, rest) = number(literal(rest, b':')?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(match rest {
        [b'.' | b',', tail @ ..] if tail.first().is_some_and(u8::is_ascii_digit) => {
            let digits = tail.iter().take_while(|b| b.is_ascii_digit()).count();
            &tail[digits..]
        }
        rest => rest,
    })
}

/// `Z07:00`.
fn zone(bytes: &[u8]) -> Option<()> {
    match bytes {
        [b'Z'] => Some(()),
        [b'+' | b'-', a, b, b':', c, d] if [a, b, c, d].iter().all(|b| b.is_ascii_digit()) => {
            let two = |a: &u8, b: &u8| (a - b'0') * 10 + (b - b'0');
            (two(a, b) <= 24 && two(c, d) <= 60).then_some(())
        }
        _ => None,
    }
}

/// One or two digits.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    match bytes {
        [a, b, rest @ ..] if a.is_ascii_digit() && b.is_ascii_digit() => {
            Some((u32::from(a - b'0') * 10 + u32::from(b - b'0'), rest))
        }
        [a, rest @ ..] if a.is_ascii_digit() => Some((u32::from(a - b'0'), rest)),
        _ => None,
    }
}

fn literal(bytes: &[u8], expected: u8) -> Option<&[u8]> {
    bytes.strip_prefix(&[expected])
}

fn days_in(month: u32, year: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}
