//! DSA keys of 2048 and 256 bits. Nothing signs with them here: charts can only have them made.

use num_bigint::BigUint;

use crate::sprig::Environment;

use super::{der, prime};

const P_BITS: u64 = 2_048;
const Q_BITS: u64 = 256;

/// The numbers of a key: p, q, g, y and x.
pub(super) struct Key(pub(super) [BigUint; 5]);

impl Key {
    // crypto/dsa: dsa.go GenerateParameters, GenerateKey
    pub(super) fn generate(environment: &Environment) -> Self {
        let one = BigUint::from(1_u32);
        let (p, q) = primes(environment);
        let exponent = (&p - &one) / &q;
        let g = (2_u32..)
            .map(|base| BigUint::from(base).modpow(&exponent, &p))
            .find(|generator| *generator != one)
            .unwrap_or_else(|| one.clone());
        let x = loop {
            let drawn = number(environment, Q_BITS);
            if drawn > BigUint::ZERO && drawn < q {
                break drawn;
            }
        };
        let y = g.modpow(&x, &p);
        Self([p, q, g, y, x])
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        let version = der::unsigned(&[]);
        let numbers = self
            .0
            .iter()
            .map(|number| der::unsigned(&number.to_bytes_be()));
        der::sequence(&std::iter::once(version).chain(numbers).collect::<Vec<_>>())
    }
}

/// A prime of each size, of which the small one divides the large one less one.
fn primes(environment: &Environment) -> (BigUint, BigUint) {
    let one = BigUint::from(1_u32);
    loop {
        let mut q = number(environment, Q_BITS);
        q.set_bit(0, true);
        q.set_bit(Q_BITS - 1, true);
        if !is_prime(&q) {
            continue;
        }
        for _ in 0..4 * P_BITS {
            let mut p = number(environment, P_BITS);
            p.set_bit(0, true);
            p.set_bit(P_BITS - 1, true);
            p = &p - &p % &q + &one;
            if p.bits() == P_BITS && is_prime(&p) {
                return (p, q);
            }
        }
    }
}

fn number(environment: &Environment, bits: u64) -> BigUint {
    let mut drawn = vec![0; (bits / 8) as usize];
    environment.fill(&mut drawn);
    BigUint::from_bytes_be(&drawn)
}

/// Small divisors are tried first, which leaves few for the costly test.
fn is_prime(candidate: &BigUint) -> bool {
    let small = (3_u32..2_000).step_by(2);
    candidate.bit(0)
        && small
            .into_iter()
            .all(|divisor| candidate % divisor != BigUint::ZERO)
        && prime::is_prime(candidate)
}
