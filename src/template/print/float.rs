//! Go's `strconv.FormatFloat`: shortest digits by Ryu, exact digits by whole-number arithmetic
//! (Rust's own formatting breaks ties otherwise), and Go's rules for the form.

use crate::template::value::FloatKind;

/// Decimal digits without leading zeros, and where the point stands: 0.d1d2d3... × 10^point.
struct Decimal {
    digits: Vec<u8>,
    point: i32,
}

/// A float as Go's `strconv.FormatFloat` writes it: `form` is one of `e E f g G b x X`, and no
/// precision means as many digits as it takes to read the same float back.
pub fn format_float(value: f64, form: u8, precision: Option<usize>, kind: FloatKind) -> String {
    let mut out = Vec::with_capacity(24);
    append_float(&mut out, value, form, precision, kind);
    out.into_iter().map(char::from).collect()
}

/// [`format_float`] onto a buffer.
pub(super) fn append_float(
    out: &mut Vec<u8>,
    value: f64,
    form: u8,
    precision: Option<usize>,
    kind: FloatKind,
) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value < 0.0 { b"-Inf" } else { b"+Inf" });
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    match form {
        b'b' => append_binary(out, value, kind),
        b'x' | b'X' => append_hexadecimal(out, value, form, precision, kind),
        _ => append_decimal(out, value.abs(), form, precision, kind),
    }
}

fn append_decimal(
    out: &mut Vec<u8>,
    value: f64,
    form: u8,
    precision: Option<usize>,
    kind: FloatKind,
) {
    let upper = form.is_ascii_uppercase();
    let form = form.to_ascii_lowercase();
    let Some(precision) = precision else {
        let decimal = shortest(value, kind);
        let digits = decimal.digits.len() as i32;
        return match form {
            b'e' => append_exponent(out, &decimal, (digits - 1).max(0), upper),
            b'f' => append_plain(out, &decimal, (digits - decimal.point).max(0)),
            _ => append_general(out, &decimal, digits, true, upper),
        };
    };
    let precision = precision as i32;
    let mut decimal = exact(value);
    match form {
        b'e' => {
            decimal.round(precision + 1);
            append_exponent(out, &decimal, precision, upper);
        }
        b'f' => {
            decimal.round(decimal.point + precision);
            append_plain(out, &decimal, precision);
        }
        _ => {
            let precision = precision.max(1);
            decimal.round(precision);
            append_general(out, &decimal, precision, false, upper);
        }
    }
}

/// Go: strconv formatDigits, case 'g'.
fn append_general(
    out: &mut Vec<u8>,
    decimal: &Decimal,
    precision: i32,
    shortest: bool,
    upper: bool,
) {
    let digits = decimal.digits.len() as i32;
    let mut threshold = precision;
    if threshold > digits && digits >= decimal.point {
        threshold = digits;
    }
    if shortest {
        threshold = 6;
    }
    let exponent = decimal.point - 1;
    if exponent < -4 || exponent >= threshold {
        append_exponent(out, decimal, precision.min(digits) - 1, upper);
    } else {
        let precision = if precision > decimal.point {
            digits
        } else {
            precision
        };
        append_plain(out, decimal, (precision - decimal.point).max(0));
    }
}

fn append_exponent(out: &mut Vec<u8>, decimal: &Decimal, precision: i32, upper: bool) {
    out.push(decimal.digit(0));
    if precision > 0 {
        out.push(b'.');
        out.extend((1..=precision).map(|index| decimal.digit(index)));
    }
    out.push(if upper { b'E' } else { b'e' });
    let exponent = if decimal.digits.is_empty() {
        0
    } else {
        decimal.point - 1
    };
    append_signed_exponent(out, exponent);
}

/// An exponent has a sign and at least two digits.
fn append_signed_exponent(out: &mut Vec<u8>, exponent: i32) {
    out.push(if exponent < 0 { b'-' } else { b'+' });
    let size = exponent.unsigned_abs();
    if size < 10 {
        out.push(b'0');
    }
    out.extend_from_slice(size.to_string().as_bytes());
}

fn append_plain(out: &mut Vec<u8>, decimal: &Decimal, precision: i32) {
    if decimal.point > 0 {
        out.extend((0..decimal.point).map(|index| decimal.digit(index)));
    } else {
        out.push(b'0');
    }
    if precision > 0 {
        out.push(b'.');
        out.extend((0..precision).map(|index| decimal.digit(decimal.point + index)));
    }
}

impl Decimal {
    fn digit(&self, index: i32) -> u8 {
        usize::try_from(index)
            .ok()
            .and_then(|index| self.digits.get(index))
            .copied()
            .unwrap_or(b'0')
    }

    /// Rounds to this many digits, a tie to the even one.
    fn round(&mut self, digits: i32) {
        let Ok(keep) = usize::try_from(digits) else {
            self.digits.clear();
            self.point = 0;
            return;
        };
        if keep >= self.digits.len() {
            return;
        }
        let tie = self.digits[keep] == b'5' && self.digits[keep + 1..].iter().all(|&d| d == b'0');
        let up = if tie {
            keep > 0 && self.digits[keep - 1] % 2 == 1
        } else {
            self.digits[keep] >= b'5'
        };
        self.digits.truncate(keep);
        if up {
            while self.digits.last() == Some(&b'9') {
                self.digits.pop();
            }
            match self.digits.last_mut() {
                Some(last) => *last += 1,
                None => {
                    self.digits.push(b'1');
                    self.point += 1;
                }
            }
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
    }
}

fn shortest(value: f64, kind: FloatKind) -> Decimal {
    let mut buffer = ryu::Buffer::new();
    let text = match kind {
        FloatKind::Float64 => buffer.format_finite(value),
        FloatKind::Float32 => buffer.format_finite(value as f32),
    };
    let (number, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let zeros = all.iter().take_while(|&&digit| digit == b'0').count();
    let mut decimal = Decimal {
        digits: all[zeros..].to_vec(),
        point: whole.len() as i32 - zeros as i32 + exponent.parse::<i32>().unwrap_or(0),
    };
    decimal.trim();
    decimal
}

/// All the decimal digits of a float: mantissa × 2^e, or mantissa × 5^-e with the point moved.
fn exact(value: f64) -> Decimal {
    let (mantissa, exponent) = parts(value);
    let mut limbs = vec![
        (mantissa % 1_000_000_000) as u32,
        (mantissa / 1_000_000_000) as u32,
    ];
    let (factor, largest, mut times) = match exponent {
        0.. => (2, 29, exponent.unsigned_abs()),
        _ => (5_u32, 12, exponent.unsigned_abs()),
    };
    while times > 0 {
        let power = times.min(largest);
        multiply(&mut limbs, factor.pow(power));
        times -= power;
    }
    let mut digits = Vec::with_capacity(limbs.len() * 9);
    for limb in limbs.iter().rev() {
        digits.extend_from_slice(format!("{limb:09}").as_bytes());
    }
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    digits.drain(..zeros);
    let mut decimal = Decimal {
        point: digits.len() as i32 + exponent.min(0),
        digits,
    };
    decimal.trim();
    decimal
}

/// Little-endian limbs of nine digits, times a factor.
fn multiply(limbs: &mut Vec<u32>, factor: u32) {
    let mut carry = 0_u64;
    for limb in limbs.iter_mut() {
        let product = u64::from(*limb) * u64::from(factor) + carry;
        *limb = (product % 1_000_000_000) as u32;
        carry = product / 1_000_000_000;
    }
    while carry > 0 {
        limbs.push((carry % 1_000_000_000) as u32);
        carry /= 1_000_000_000;
    }
}

/// The whole-number mantissa and the power of two of a float64.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    match exponent {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, exponent - 1075),
    }
}

/// Mantissa, its width, and the exponent, in the float's own precision.
fn parts_of_kind(value: f64, kind: FloatKind) -> (u64, u32, i32) {
    if kind == FloatKind::Float64 {
        let (mantissa, exponent) = parts(value);
        return (mantissa, 52, exponent);
    }
    let bits = (value as f32).to_bits();
    let exponent = (bits >> 23 & 0xff) as i32;
    let fraction = u64::from(bits & ((1 << 23) - 1));
    match exponent {
        0 => (fraction, 23, -149),
        _ => (fraction | 1 << 23, 23, exponent - 150),
    }
}

fn append_binary(out: &mut Vec<u8>, value: f64, kind: FloatKind) {
    let (mantissa, _, exponent) = parts_of_kind(value, kind);
    out.extend_from_slice(format!("{mantissa}p{exponent:+}").as_bytes());
}

/// Go: strconv fmtX.
fn append_hexadecimal(
    out: &mut Vec<u8>,
    value: f64,
    form: u8,
    precision: Option<usize>,
    kind: FloatKind,
) {
    let (mut mantissa, width, exponent) = parts_of_kind(value, kind);
    let mut exponent = if mantissa == 0 {
        0
    } else {
        exponent + width as i32
    };
    mantissa <<= 60 - width;
    while mantissa != 0 && mantissa & (1 << 60) == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision @ 0..15) = precision {
        let shift = precision as u32 * 4;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let digits: &[u8; 16] = if form == b'X' {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    out.extend_from_slice(&[b'0', form, b'0' + (mantissa >> 60 & 1) as u8]);
    mantissa <<= 4;
    let places = precision.unwrap_or((64 - mantissa.trailing_zeros()).div_ceil(4) as usize);
    if places > 0 {
        out.push(b'.');
    }
    for _ in 0..places {
        out.push(digits[(mantissa >> 60 & 15) as usize]);
        mantissa <<= 4;
    }
    out.push(if form == b'X' { b'P' } else { b'p' });
    append_signed_exponent(out, exponent);
}
