//! Primes for RSA keys. The library's own search takes ten seconds for a key of Sprig's size; a
//! sieve over small primes leaves a tenth of its candidates for the costly test.

use num_bigint::BigUint;

use crate::sprig::Environment;

/// The public exponent, which must not divide one less than the prime.
pub(super) const EXPONENT: u32 = 65_537;

/// Candidates are struck out by all odd primes below this.
const SIEVE: u32 = 1 << 16;
/// How many odd numbers one random start gives: of these sizes about ten are prime.
const WINDOW: usize = 8_192;
/// FIPS 186-5 asks for five with numbers of 1024 bits.
const ROUNDS: usize = 8;

/// A random prime of this many bits, the two highest set, so that the product of two such has
/// twice as many bits.
pub(super) fn random(environment: &Environment, bits: usize) -> BigUint {
    let small = small_primes();
    loop {
        let start = start(environment, bits);
        for offset in survivors(&start, &small) {
            let candidate = &start + 2 * offset as u64;
            let usable =
                candidate.bits() == bits as u64 && &candidate % EXPONENT != BigUint::from(1_u32);
            if usable && is_prime(environment, &candidate) {
                return candidate;
            }
        }
    }
}

/// A random odd number with the two highest of its bits set.
fn start(environment: &Environment, bits: usize) -> BigUint {
    let mut bytes = vec![0; bits.div_ceil(8)];
    environment.fill(&mut bytes);
    let mut number = BigUint::from_bytes_be(&bytes) % (BigUint::from(1_u32) << bits);
    for bit in [0, bits - 1, bits - 2] {
        number.set_bit(bit as u64, true);
    }
    number
}

fn small_primes() -> Vec<u32> {
    let mut composite = vec![false; SIEVE as usize];
    let mut primes = Vec::new();
    for number in (3..SIEVE).step_by(2) {
        if composite[number as usize] {
            continue;
        }
        primes.push(number);
        for multiple in (number as usize * 3..SIEVE as usize).step_by(number as usize * 2) {
            composite[multiple] = true;
        }
    }
    primes
}

/// The offsets, in steps of two, at which no small prime divides.
fn survivors(start: &BigUint, small: &[u32]) -> impl Iterator<Item = usize> {
    let mut composite = vec![false; WINDOW];
    for &prime in small {
        let rest = start % prime;
        let rest = rest.iter_u32_digits().next().unwrap_or(0);
        // The first offset n for which start + 2n is divisible: half of what is missing, made even.
        let missing = (prime - rest) % prime;
        let first = if missing.is_multiple_of(2) {
            missing
        } else {
            missing + prime
        } / 2;
        for offset in (first as usize..WINDOW).step_by(prime as usize) {
            composite[offset] = true;
        }
    }
    composite
        .into_iter()
        .enumerate()
        .filter(|(_, struck)| !struck)
        .map(|(offset, _)| offset)
}

/// Miller and Rabin's test: with the base two, which almost no composite passes, and then with
/// random ones.
fn is_prime(environment: &Environment, number: &BigUint) -> bool {
    let minus_one = number - 1_u32;
    let twos = minus_one.trailing_zeros().unwrap_or(0);
    let odd = &minus_one >> twos;
    let passes = |base: &BigUint| {
        let mut power = base.modpow(&odd, number);
        if power == BigUint::from(1_u32) || power == minus_one {
            return true;
        }
        for _ in 1..twos {
            power = &power * &power % number;
            if power == minus_one {
                return true;
            }
        }
        false
    };
    let random_base = || {
        let mut bytes = vec![0; number.bits().div_ceil(8) as usize];
        environment.fill(&mut bytes);
        BigUint::from_bytes_be(&bytes) % (number - 3_u32) + 2_u32
    };
    passes(&BigUint::from(2_u32)) && (0..ROUNDS).all(|_| passes(&random_base()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    fn environment() -> Environment {
        let state = Cell::new(1_u64);
        Environment {
            now: Box::new(|| jiff::Timestamp::UNIX_EPOCH),
            time_zone: jiff::tz::TimeZone::UTC,
            random: RefCell::new(Box::new(move |buffer| {
                for byte in buffer {
                    let next = state
                        .get()
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    state.set(next);
                    *byte = (next >> 56) as u8;
                }
            })),
            resolve_host: None,
        }
    }

    #[test]
    fn primes_are_told_from_composites() {
        let environment = environment();
        let is_prime = |number: u64| is_prime(&environment, &BigUint::from(number));
        for prime in [5_u64, 7, 65_537, 1_000_000_007, 18_446_744_073_709_551_557] {
            assert!(is_prime(prime), "{prime}");
        }
        // The last four pass the test with base two.
        for composite in [
            9_u64,
            561,
            1_000_000_011,
            2_047,
            3_277,
            4_033,
            3_215_031_751,
        ] {
            assert!(!is_prime(composite), "{composite}");
        }
    }

    #[test]
    fn a_random_prime_has_its_size() {
        let environment = environment();
        let (first, second) = (random(&environment, 256), random(&environment, 256));
        assert_ne!(first, second);
        assert_eq!((first.bits(), (first * second).bits()), (256, 512));
    }
}
