//! Primes for RSA and DSA keys. The RSA library's own search takes ten seconds for a key of Sprig's
//! size; that of crypto-primes tries a third more candidates than are left by the sieve here.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use chacha20::ChaCha20Rng;
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{BoxedUint, U1024, U2048, Uint};
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
/// and whoever has one helps with the other. It does not depend on who is faster what is found.
///
/// # Errors
/// If there are too few bits to search for.
pub(super) fn pair(environment: &Environment, bits: u32) -> Result<(BigUint, BigUint), String> {
    if bits < 64 {
        return Err(format!("too few bits for a prime: {bits}"));
    }
    loop {
        let [one, other] = search([seed(environment), seed(environment)], bits)?;
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

/// The first prime that follows from each seed.
fn search(seeds: [[u8; 32]; 2], bits: u32) -> Result<[BigUint; 2], String> {
    let small = small_primes(bits);
    let mut randomness = seeds.map(ChaCha20Rng::from_seed);
    let mut windows = randomness
        .each_mut()
        .map(|random| Window::new(random, bits));
    loop {
        std::thread::scope(|scope| {
            let helper = scope.spawn(|| windows.iter().for_each(|window| window.test(small)));
            windows.iter().rev().for_each(|window| window.test(small));
            helper.join()
        })
        .map_err(|_| "the search for a prime broke off".to_owned())?;
        if let [Some(one), Some(other)] = windows.each_ref().map(Window::prime) {
            return Ok([one, other]);
        }
        for (window, random) in windows.iter_mut().zip(&mut randomness) {
            if window.prime().is_none() {
                *window = Window::new(random, bits);
            }
        }
    }
}

/// How many odd numbers one random start gives: of these sizes several are prime.
const WINDOW: usize = 8_192;

/// Odd numbers in a row, the first of them random, among which the first prime is wanted.
struct Window {
    start: BigUint,
    /// The offsets, in steps of two, at which no small prime divides.
    candidates: OnceLock<Vec<usize>>,
    /// The candidate to be tested next.
    next: AtomicUsize,
    /// The first candidate that is known to be a prime.
    first: AtomicUsize,
}

impl Window {
    fn new(randomness: &mut ChaCha20Rng, bits: u32) -> Self {
        Self {
            start: start(randomness, bits),
            candidates: OnceLock::new(),
            next: AtomicUsize::new(0),
            first: AtomicUsize::new(usize::MAX),
        }
    }

    /// Tests one candidate after the other, as long as none before it is known to be a prime.
    fn test(&self, small: &[u64]) {
        let candidates = self
            .candidates
            .get_or_init(|| survivors(&self.start, small).collect());
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(offset) = candidates.get(index) else {
                return;
            };
            if index > self.first.load(Ordering::Relaxed) {
                return;
            }
            if self.is_usable(*offset) {
                self.first.fetch_min(index, Ordering::Relaxed);
            }
        }
    }

    fn candidate(&self, offset: usize) -> BigUint {
        &self.start + 2 * offset as u64
    }

    fn is_usable(&self, offset: usize) -> bool {
        let candidate = self.candidate(offset);
        candidate.bits() == self.start.bits()
            && &candidate % EXPONENT != BigUint::from(1_u32)
            && is_prime(&candidate)
    }

    /// The first prime, once everybody has done testing.
    fn prime(&self) -> Option<BigUint> {
        let candidates = self.candidates.get()?;
        let offset = candidates.get(self.first.load(Ordering::Relaxed))?;
        Some(self.candidate(*offset))
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

/// The odd primes that candidates of so many bits are sieved with: the larger a number, the more a
/// test costs beside a division.
fn small_primes(bits: u32) -> &'static [u64] {
    const MOST: u32 = 2_048;
    static PRIMES: OnceLock<Vec<u64>> = OnceLock::new();
    let limit = |bits: u32| bits << 8;
    let primes = PRIMES.get_or_init(|| odd_primes_below(limit(MOST) as usize));
    let limit = u64::from(limit(bits.min(MOST)));
    &primes[..primes.partition_point(|prime| *prime < limit)]
}

fn odd_primes_below(limit: usize) -> Vec<u64> {
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
    let composite = match number.bits() {
        1_024 => fails_to_base_two::<{ U1024::LIMBS }>(number),
        2_048 => fails_to_base_two::<{ U2048::LIMBS }>(number),
        _ => false,
    };
    if composite {
        return false;
    }
    let bytes = number.to_bytes_be();
    let bits = 8 * bytes.len() as u32;
    BoxedUint::from_be_slice(&bytes, bits)
        .is_ok_and(|number| crypto_primes::is_prime(Flavor::Any, &number))
}

/// Whether Fermat's test to the base two says of a number of this size that it is composite.
///
/// Nearly all candidates end here. The whole test begins with the same power, of numbers of any size,
/// to any base: that takes a sixth longer.
fn fails_to_base_two<const LIMBS: usize>(number: &BigUint) -> bool {
    let whole = Uint::<LIMBS>::from_be_slice(&number.to_bytes_be());
    let Some(odd) = whole.to_odd().into_option() else {
        return true;
    };
    let parameters = FixedMontyParams::new_vartime(odd);
    let one = FixedMontyForm::one(&parameters);
    let mut power = one;
    // One less than an odd number has its bits but for the last.
    for bit in (0..whole.bits_vartime()).rev() {
        power = power.square();
        if bit > 0 && whole.bit_vartime(bit) {
            power = power.double();
        }
    }
    power != one
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
    fn large_primes_are_told_from_their_neighbours() {
        // The largest below 2^1024 and 2^2048, and below 2^512, which has no quick test.
        for (bits, below) in [(512_u32, 569_u32), (1_024, 105), (2_048, 1_557)] {
            let prime = (BigUint::from(1_u32) << bits) - below;
            assert!(is_prime(&prime), "{bits}");
            assert!(!is_prime(&(&prime - 2_u32)), "{bits}");
            assert!(!is_prime(&(&prime - 1_u32)), "{bits}");
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
