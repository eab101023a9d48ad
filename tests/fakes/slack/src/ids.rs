//! Identifiers that look like Slack's, from a seeded generator, so that a failing run can be had again.

/// A small generator of random numbers (xorshift64*); nothing here needs more.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Between nought and one.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A prefix and ten capitals or digits, such as `Ev0A1B2C3D4E`.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        const LETTERS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let mut id = String::with_capacity(prefix.len() + 10);
        id.push_str(prefix);
        let mut bits = self.next();
        for _ in 0..10 {
            id.push(char::from(LETTERS[(bits % 36) as usize]));
            bits /= 36;
        }
        id
    }

    /// So many hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }

    /// In the form of a UUID, as envelopes and client messages have.
    pub(crate) fn uuid(&mut self) -> String {
        let digits = self.hex(32);
        format!("{}-{}-4{}-a{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
    }
}
