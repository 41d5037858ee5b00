//! Public-key sealing and the digests that name sealed things.
//!
//! Everything is sealed by HPKE (RFC 9180): DHKEM(X25519, HKDF-SHA256),
//! HKDF-SHA256 and ChaCha20-Poly1305 in mode Auth, so that a holder also learns
//! that the vault, and nobody who merely knows the holder's public key, sealed
//! it. What the sealed bytes belong to goes in as associated data. Nothing is
//! hand-made here but the order of the arguments.

use std::fmt;

use hpke::{
    Deserializable, Kem as _, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::X25519HkdfSha256, single_shot_open, single_shot_seal_with_rng,
};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::hex;

const INFO: &[u8] = b"equipoise/seal/1";
const ENCAPSULATED_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// How many bytes longer a sealed payload is than its plaintext.
pub(crate) const SEALING_OVERHEAD: usize = ENCAPSULATED_BYTES + TAG_BYTES;
/// The one length of everything that is sealed to a holder, before sealing.
pub(crate) const PAYLOAD_BYTES: usize = 64;
/// The one length of everything that is sealed to a holder, after sealing.
pub(crate) const SEALED_PAYLOAD_BYTES: usize = PAYLOAD_BYTES + SEALING_OVERHEAD;

/// An X25519 public key, of a holder or of a vault.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "hex")] [u8; 32]);

/// An X25519 private key. It prints nothing and is wiped when dropped.
#[derive(Clone)]
pub struct PrivateKey(Zeroizing<[u8; 32]>);

/// A SHA-256 digest that a study or a record can quote.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(#[serde(with = "hex")] [u8; 32]);

/// Sealed bytes, hexadecimal in JSON.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SealedBytes(#[serde(with = "hex")] pub(crate) Vec<u8>);

impl PrivateKey {
    /// Draws a key.
    pub fn draw(random: &mut impl CryptoRng) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let (private, _) = X25519HkdfSha256::gen_keypair_with_rng(random);
        private.write_exact(&mut *key);
        Self(key)
    }

    /// Wraps a key that a holder keeps elsewhere, such as on a card or in a safe.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the key's bytes, for a holder to keep.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the public key that belongs to this one.
    pub fn public(&self) -> PublicKey {
        let public = X25519HkdfSha256::sk_to_pk(&self.to_hpke());
        PublicKey(public.to_bytes().into())
    }

    fn to_hpke(&self) -> <X25519HkdfSha256 as hpke::Kem>::PrivateKey {
        Deserializable::from_bytes(&*self.0).expect("any 32 bytes are an X25519 private key")
    }
}

impl PublicKey {
    /// Wraps a public key's bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the key's bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn to_hpke(self) -> <X25519HkdfSha256 as hpke::Kem>::PublicKey {
        Deserializable::from_bytes(&self.0).expect("any 32 bytes are an X25519 public key")
    }
}

impl Digest {
    /// Wraps a digest's bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the digest's bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Seals `plain` from the vault to a key, bound to `context`; nothing if the public key is degenerate.
pub(crate) fn seal(
    from: &PrivateKey,
    to: PublicKey,
    context: &[u8],
    plain: &[u8],
    random: &mut impl CryptoRng,
) -> Option<SealedBytes> {
    let mode = OpModeS::Auth((from.to_hpke(), from.public().to_hpke()));
    let (encapsulated, sealed) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &mode,
        &to.to_hpke(),
        INFO,
        plain,
        context,
        random,
    )
    .ok()?;
    Some(SealedBytes([encapsulated.to_bytes().as_slice(), &sealed].concat()))
}

/// Opens what [`seal`] sealed; nothing if a key, the context or any byte differs.
pub(crate) fn open(
    from: PublicKey,
    to: &PrivateKey,
    context: &[u8],
    sealed: &SealedBytes,
) -> Option<Zeroizing<Vec<u8>>> {
    let (encapsulated, sealed) = sealed.0.split_at_checked(ENCAPSULATED_BYTES)?;
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Auth(from.to_hpke()),
        &to.to_hpke(),
        &Deserializable::from_bytes(encapsulated).ok()?,
        INFO,
        sealed,
        context,
    )
    .ok()
    .map(Zeroizing::new)
}

/// Pads a secret to the one length of a payload.
pub(crate) fn padded(secret: &[u8]) -> Zeroizing<[u8; PAYLOAD_BYTES]> {
    let mut payload = Zeroizing::new([0; PAYLOAD_BYTES]);
    payload[..secret.len()].copy_from_slice(secret);
    payload
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex::encode(&self.0))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

impl fmt::Debug for SealedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedBytes({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn only_the_addressee_opens_and_only_with_the_context_and_the_sender() {
        let random = &mut ChaCha20Rng::from_seed([3; 32]);
        let (vault, holder, other) =
            (PrivateKey::draw(random), PrivateKey::draw(random), PrivateKey::draw(random));
        let sealed = seal(&vault, holder.public(), b"here", b"secret", random).unwrap();
        assert_eq!(sealed.0.len(), 6 + SEALING_OVERHEAD);
        let opened = |from: &PrivateKey, to, context| open(from.public(), to, context, &sealed);
        assert_eq!(**opened(&vault, &holder, b"here").unwrap(), *b"secret");
        assert!(opened(&vault, &other, b"here").is_none());
        assert!(opened(&other, &holder, b"here").is_none());
        assert!(opened(&vault, &holder, b"elsewhere").is_none());
    }

    #[test]
    fn a_degenerate_public_key_is_refused() {
        let random = &mut ChaCha20Rng::from_seed([3; 32]);
        let vault = PrivateKey::draw(random);
        assert!(seal(&vault, PublicKey::from_bytes([0; 32]), b"", b"", random).is_none());
    }

    #[test]
    fn a_private_key_prints_nothing() {
        let key = PrivateKey::from_bytes([0xab; 32]);
        assert_eq!(format!("{key:?}"), "PrivateKey(..)");
    }
}
