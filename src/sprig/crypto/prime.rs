//! Primes for RSA and DSA keys. The RSA library's own search takes ten seconds for a key of Sprig's
//! size; that of crypto-primes tries a third more candidates than are left by the sieve here.

use chacha20::ChaCha20Rng;
use crypto_bigint::BoxedUint;
use crypto_primes::Flavor;
use num_bigint::BigUint;
use rand::{Rng as _, SeedableRng as _};

use crate::sprig::Environment;

/// The public exponent, which must not divide one less than the prime.
pub(super) const EXPONENT: u32 = 65_537;

/// Two random primes of this many bits each, the two highest set, so that their product has twice
/// as many bits.
///
/// They are searched for at the same time, each with randomness that grows from a seed of its own,
/// so that it does not depend on who is faster.
///
/// # Errors
/// If there are too few bits to search for.
pub(super) fn pair(environment: &Environment, bits: u32) -> Result<(BigUint, BigUint), String> {
    if bits < 64 {
        return Err(format!("too few bits for a prime: {bits}"));
    }
    // The larger the number, the more a test costs beside a division.
    let small = small_primes(bits << 8);
    loop {
        let [one, other] = [seed(environment), seed(environment)];
        let (one, other) = std::thread::scope(|scope| {
            let one = scope.spawn(|| random(one, bits, &small));
            let other = random(other, bits, &small);
            (one.join(), other)
        });
        let one = one.map_err(|_| "the search for a prime broke off".to_owned())?;
        if one != other {
            return Ok((one, other));
        }
    }
}

fn seed(environment: &Environment) -> [u8; 32] {
    let mut seed = [0; 32];
    environment.fill(&mut seed);
    seed
}

/// How many odd numbers one random start gives: of these sizes several are prime.
const WINDOW: usize = 8_192;

fn random(seed: [u8; 32], bits: u32, small: &[u64]) -> BigUint {
    let mut randomness = ChaCha20Rng::from_seed(seed);
    loop {
        let start = start(&mut randomness, bits);
        for offset in survivors(&start, small) {
            let candidate = &start + 2 * offset as u64;
            let usable = candidate.bits() == u64::from(bits)
                && &candidate % EXPONENT != BigUint::from(1_u32);
            if usable && is_prime(&candidate) {
                return candidate;
            }
        }
    }
}

/// A random odd number with the two highest of its bits set.
fn start(randomness: &mut ChaCha20Rng, bits: u32) -> BigUint {
    let mut bytes = vec![0; bits.div_ceil(8) as usize];
    randomness.fill_bytes(&mut bytes);
    let mut number = BigUint::from_bytes_be(&bytes) % (BigUint::from(1_u32) << bits);
    for bit in [0, bits - 1, bits - 2] {
        number.set_bit(bit.into(), true);
    }
    number
}

/// The odd primes below a limit.
fn small_primes(limit: u32) -> Vec<u64> {
    let limit = limit as usize;
    let mut composite = vec![false; limit];
    let mut primes = Vec::new();
    for number in (3..limit).step_by(2) {
        if composite[number] {
            continue;
        }
        primes.push(number as u64);
        for multiple in (number * number..limit).step_by(2 * number) {
            composite[multiple] = true;
        }
    }
    primes
}

/// The offsets, in steps of two, at which no small prime divides.
fn survivors(start: &BigUint, small: &[u64]) -> impl Iterator<Item = usize> {
    let mut composite = vec![false; WINDOW];
    let mut left = small;
    while let Some(first) = left.first() {
        // Of as many primes as fit into a digit the large number is divided but once.
        let (mut product, mut count) = (*first, 1);
        while let Some(next) = left.get(count).and_then(|next| product.checked_mul(*next)) {
            product = next;
            count += 1;
        }
        let (together, rest) = left.split_at(count);
        left = rest;
        let remainder = (start % product).iter_u64_digits().next().unwrap_or(0);
        for &prime in together {
            // The first offset n for which start + 2n is divisible: half of what is missing, made even.
            let missing = (prime - remainder % prime) % prime;
            let first = match missing.is_multiple_of(2) {
                true => missing / 2,
                false => missing.midpoint(prime),
            };
            for offset in (first as usize..WINDOW).step_by(prime as usize) {
                composite[offset] = true;
            }
        }
    }
    let offsets = composite.into_iter().enumerate();
    offsets.filter_map(|(offset, struck)| (!struck).then_some(offset))
}

/// Whether a number is a prime, by Baillie's, Pomerance's, Selfridge's and Wagstaff's test, which
/// no composite is known to pass.
pub(super) fn is_prime(number: &BigUint) -> bool {
    let bytes = number.to_bytes_be();
    let bits = 8 * bytes.len() as u32;
    BoxedUint::from_be_slice(&bytes, bits)
        .is_ok_and(|number| crypto_primes::is_prime(Flavor::Any, &number))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

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
            keyed: None,
            resolve_host: None,
        }
    }

    #[test]
    fn primes_are_told_from_composites() {
        let is_prime = |number: u64| is_prime(&BigUint::from(number));
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
        let (first, second) = pair(&environment(), 256).unwrap();
        assert_ne!(first, second);
        assert_eq!((first.bits(), (&first * &second).bits()), (256, 512));
        // The same randomness gives the same primes, whichever is found first.
        assert_eq!(pair(&environment(), 256).unwrap(), (first, second));
    }
}
