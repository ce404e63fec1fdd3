//! Primes for RSA and DSA keys. The RSA library's own search takes ten seconds for a key of Sprig's
//! size.

use chacha20::ChaCha20Rng;
use crypto_bigint::BoxedUint;
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, sieve_and_find};
use num_bigint::BigUint;
use rand::SeedableRng as _;

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
    loop {
        let [one, other] = [seed(environment), seed(environment)];
        let (one, other) = std::thread::scope(|scope| {
            let one = scope.spawn(move || random(one, bits));
            let other = random(other, bits);
            (one.join(), other)
        });
        let one = one.map_err(|_| "the search for a prime broke off".to_owned())?;
        let (one, other) = (one?, other?);
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

fn random(seed: [u8; 32], bits: u32) -> Result<BigUint, String> {
    let usable = |candidate: &BoxedUint| {
        crypto_primes::is_prime(Flavor::Any, candidate)
            && number(candidate) % EXPONENT != BigUint::from(1_u32)
    };
    let sieve = SmallFactorsSieveFactory::new(Flavor::Any, bits, SetBits::TwoMsb)
        .map_err(|error| error.to_string())?;
    let mut randomness = ChaCha20Rng::from_seed(seed);
    let found = sieve_and_find(&mut randomness, sieve, |_, candidate| usable(candidate));
    match found.map_err(|error| error.to_string())? {
        Some(prime) => Ok(number(&prime)),
        None => Err("found no prime".to_owned()),
    }
}

/// Whether a number is a prime, by Baillie's, Pomerance's, Selfridge's and Wagstaff's test, which
/// no composite is known to pass.
pub(super) fn is_prime(number: &BigUint) -> bool {
    let bytes = number.to_bytes_be();
    let bits = 8 * bytes.len() as u32;
    BoxedUint::from_be_slice(&bytes, bits)
        .is_ok_and(|number| crypto_primes::is_prime(Flavor::Any, &number))
}

fn number(found: &BoxedUint) -> BigUint {
    BigUint::from_bytes_be(&found.to_be_bytes())
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
