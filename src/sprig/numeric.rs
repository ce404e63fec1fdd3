//! Numbers: whole ones by Go's wrapping `int64`, and decimal ones.

use crate::template::{CallError, Function, List, Rest, Type, Value};

use super::bounds;
use super::cast::{parse_in_base, to_float64, to_int64};
use super::decimal::{self, Decimal};
use super::strings::printed;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    let mut functions = whole_numbers();
    functions.extend(decimal_numbers());
    functions.extend([
        (
            "until",
            Function::new(|count: isize| until_step(0, count, if count < 0 { -1 } else { 1 })),
        ),
        ("untilStep", Function::new(until_step)),
        ("seq", Function::new(sequence)),
        (
            "toDecimal",
            Function::new(|value: Value| parse_in_base(&printed(&value), 8).unwrap_or(0)),
        ),
    ]);
    functions
}

fn whole_numbers() -> Vec<(&'static str, Function)> {
    let largest = || {
        Function::new(|first: Value, rest: Rest<Value>| {
            rest.0.iter().map(to_int64).fold(to_int64(&first), i64::max)
        })
    };
    let division = |divide: fn(i64, i64) -> i64| {
        Function::new(move |a: Value, b: Value| match to_int64(&b) {
            0 => Err(CallError::new("runtime error: integer divide by zero")),
            divisor => Ok(divide(to_int64(&a), divisor)),
        })
    };
    vec![
        ("int64", Function::new(|value: Value| to_int64(&value))),
        (
            "int",
            Function::new(|value: Value| to_int64(&value) as isize),
        ),
        (
            "add1",
            Function::new(|value: Value| to_int64(&value).wrapping_add(1)),
        ),
        (
            "add",
            Function::new(|values: Rest<Value>| {
                values.0.iter().map(to_int64).fold(0, i64::wrapping_add)
            }),
        ),
        (
            "sub",
            Function::new(|a: Value, b: Value| to_int64(&a).wrapping_sub(to_int64(&b))),
        ),
        ("div", division(i64::wrapping_div)),
        ("mod", division(i64::wrapping_rem)),
        (
            "mul",
            Function::new(|first: Value, rest: Rest<Value>| {
                rest.0
                    .iter()
                    .map(to_int64)
                    .fold(to_int64(&first), i64::wrapping_mul)
            }),
        ),
        ("max", largest()),
        ("biggest", largest()),
        (
            "min",
            Function::new(|first: Value, rest: Rest<Value>| {
                rest.0.iter().map(to_int64).fold(to_int64(&first), i64::min)
            }),
        ),
    ]
}

fn decimal_numbers() -> Vec<(&'static str, Function)> {
    let folding = |operation: fn(Decimal, &Decimal) -> Result<Decimal, CallError>| {
        Function::new(move |first: Value, rest: Rest<Value>| fold(&first, &rest.0, operation))
    };
    let choosing = |choose: fn(f64, f64) -> f64| {
        Function::new(move |first: Value, rest: Rest<Value>| {
            rest.0
                .iter()
                .map(to_float64)
                .fold(to_float64(&first), choose)
        })
    };
    let add_one = |value: Value| fold(&value, &[Value::int(1)], Decimal::plus);
    let add = |values: Rest<Value>| fold(&Value::float64(0.0), &values.0, Decimal::plus);
    let rounded = |value: Value, places: isize, from: Rest<f64>| {
        round(
            to_float64(&value),
            places,
            from.0.first().copied().unwrap_or(0.5),
        )
    };
    vec![
        ("float64", Function::new(|value: Value| to_float64(&value))),
        ("add1f", Function::new(add_one)),
        ("addf", Function::new(add)),
        ("subf", folding(Decimal::minus)),
        ("mulf", folding(Decimal::times)),
        ("divf", folding(Decimal::over)),
        ("maxf", choosing(largest)),
        ("minf", choosing(|a, b| -largest(-a, -b))),
        (
            "floor",
            Function::new(|value: Value| to_float64(&value).floor()),
        ),
        (
            "ceil",
            Function::new(|value: Value| to_float64(&value).ceil()),
        ),
        ("round", Function::new(rounded)),
    ]
}

/// Go's `math.Max`: an infinity wins over NaN, NaN over numbers, and +0 over -0.
fn largest(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        if a.is_sign_negative() { b } else { a }
    } else if a > b {
        a
    } else {
        b
    }
}

fn fold(
    first: &Value,
    rest: &[Value],
    operation: fn(Decimal, &Decimal) -> Result<Decimal, CallError>,
) -> Result<f64, CallError> {
    let first = Decimal::from_float(to_float64(first))?;
    let result = rest.iter().try_fold(first, |left, right| {
        operation(left, &Decimal::from_float(to_float64(right))?)
    });
    Ok(result?.to_float())
}

// sprig: numeric.go round
fn round(number: f64, places: isize, from: f64) -> f64 {
    let power = decimal::power_of_ten(places);
    let digit = power * number;
    // Go's fraction of an infinity is NaN, as is Rust's.
    let rounded = if digit.fract() >= from {
        digit.ceil()
    } else {
        digit.floor()
    };
    rounded / power
}

/// The numbers from `start` on that are before `stop`.
// sprig: numeric.go untilStep
fn until_step(start: isize, stop: isize, step: isize) -> Result<Value, CallError> {
    let numbers = numbers(start, stop, step)?;
    let items = numbers.into_iter().map(Value::int).collect();
    Ok(List::new(Type::Slice(&Type::INT), items).into())
}

fn numbers(start: isize, stop: isize, step: isize) -> Result<Vec<i64>, CallError> {
    let (distance, stride) = match stop < start {
        true if step < 0 => (start.abs_diff(stop), step.unsigned_abs()),
        false if step > 0 => (stop.abs_diff(start), step.unsigned_abs()),
        _ => return Ok(Vec::new()),
    };
    let count = distance.div_ceil(stride);
    bounds::items(count)?;
    Ok((0..count as i64)
        .map(|index| (start as i64).wrapping_add(index.wrapping_mul(step as i64)))
        .collect())
}

/// The numbers with a space between, both ends included, as of the shell's `seq`.
// sprig: numeric.go seq
fn sequence(parameters: Rest<isize>) -> Result<String, CallError> {
    let toward = |start: isize, end: isize| if end < start { -1_isize } else { 1 };
    let (start, end, step) = match *parameters.0.as_slice() {
        [end] => (1, end, toward(1, end)),
        [start, end] => (start, end, toward(start, end)),
        [start, step, end] if end < start && step > 0 => return Ok(String::new()),
        [start, step, end] => (start, end, step),
        _ => return Ok(String::new()),
    };
    let numbers = numbers(start, end.wrapping_add(toward(start, end)), step)?;
    let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(words.join(" "))
}
